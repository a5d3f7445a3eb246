"""A second workflow for the dashboards: a streamed call, a tool, an agent, an attempt that paid and failed."""

from __future__ import annotations

from typing import Any

from temporalio import activity, workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from tests.e2e.live_workflows import SHORT, SOON, flaky, look_up
    from tracing import llm_call

CHUNKS: list[dict[str, Any]] = [
    {"model": "gpt-4o", "choices": [{"index": 0, "delta": {"content": "All "}}]},
    {"model": "gpt-4o", "choices": [{"index": 0, "delta": {"content": "quiet."}, "finish_reason": "stop"}]},
    {"model": "gpt-4o", "choices": [], "usage": {"prompt_tokens": 40, "completion_tokens": 4}},
]


@activity.defn
async def write(topic: str) -> str:
    """A streamed model call."""
    with llm_call(model="gpt-4o", provider="openai", messages=[{"role": "user", "content": topic}]) as call:
        return "".join(chunk["choices"][0]["delta"]["content"] for chunk in call.stream(CHUNKS) if chunk["choices"])


@workflow.defn
class Newsroom:
    """Three activities, one of which fails once, after it has paid."""

    @workflow.run
    async def run(self) -> str:
        await workflow.execute_activity(look_up, "cats", start_to_close_timeout=SHORT)
        await workflow.execute_activity(
            flaky,
            "dogs",
            start_to_close_timeout=SHORT,
            retry_policy=RetryPolicy(initial_interval=SOON, maximum_attempts=3),
        )
        return await workflow.execute_activity(write, "birds", start_to_close_timeout=SHORT)
