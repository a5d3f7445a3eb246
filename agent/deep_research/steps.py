"""How do workflows ask for a model's reply, or a tool's result: which timeouts, which retries, which failures?"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from agent.deep_research.activities import ask_model
    from agent.deep_research.payloads import Reply, ToolCall, Turn
    from agent.deep_research.tools import calculate, search_web

MODEL_TIMEOUT = timedelta(seconds=60)
# A killed worker is noticed after this time, not only at the timeout above.
MODEL_HEARTBEAT_TIMEOUT = timedelta(seconds=3)
MODEL_RETRIES = RetryPolicy(
    initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=30), maximum_attempts=5
)
TOOL_TIMEOUT = timedelta(seconds=20)
TOOL_RETRIES = RetryPolicy(
    initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=10), maximum_attempts=3
)
_TOOLS: dict[str, tuple[Any, str]] = {"search_web": (search_web, "query"), "calculate": (calculate, "expression")}
"""Each tool's activity, and the name of its argument."""


async def reply_to(step: str, turn: Turn) -> Reply:
    """Ask the model, as a step of the run.

    Args:
        step: What the step is for, as the prompt's heading says it.
        turn: The conversation.

    Raises:
        ActivityError: All attempts failed.
    """
    return await workflow.execute_activity(
        ask_model,
        turn,
        start_to_close_timeout=MODEL_TIMEOUT,
        heartbeat_timeout=MODEL_HEARTBEAT_TIMEOUT,
        retry_policy=MODEL_RETRIES,
        summary=step,
    )


async def result_of(call: ToolCall) -> Any:
    """Call a tool, as a step of the run.

    Returns:
        Its result. Where there is no such tool, the arguments are wrong or all attempts failed: a sentence that says
        so, for the model shall know, and can do without.
    """
    if call.name not in _TOOLS:
        return f"There is no tool {call.name}."
    activity, name = _TOOLS[call.name]
    try:
        argument = json.loads(call.arguments)[name]
    except (ValueError, KeyError, TypeError, RecursionError):
        argument = None
    if not isinstance(argument, str):
        return f"{call.name} takes one argument, {name}, which is a text."
    try:
        return await workflow.execute_activity(
            activity, argument, start_to_close_timeout=TOOL_TIMEOUT, retry_policy=TOOL_RETRIES
        )
    except ActivityError as error:
        if is_cancelled_exception(error):
            raise
        return f"{call.name} failed: {error.cause}"
