"""How is one sub-question answered?

A child workflow with a history of its own: the model and the tools that it calls take turns, until it answers.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from agent.deep_research.activities import assistant_message
    from agent.deep_research.payloads import Answer, Assignment, Reply, Turn
    from agent.deep_research.prompts import step_of, sub_question_messages, tool_message
    from agent.deep_research.steps import reply_to, result_of
    from agent.research.payloads import Finding, SearchResult

if TYPE_CHECKING:
    from typing import Any

MAX_TURNS = 5
"""Most replies of the model; in the last it has no tools, and so must answer."""


@workflow.defn
class SubQuestionWorkflow:
    """Lets the model call tools until it can answer."""

    @workflow.run
    async def run(self, assignment: Assignment) -> Answer:
        """Answer a sub-question.

        Args:
            assignment: The sub-question, and what is known already.

        Returns:
            The answer, with the sources that the searches found.
        """
        step, messages = step_of(assignment), sub_question_messages(assignment)
        sources: list[SearchResult] = []
        tokens = 0
        for turn in range(1, MAX_TURNS + 1):
            reply = await reply_to(step, Turn(messages, may_call_tools=turn < MAX_TURNS))
            tokens += reply.tokens
            if not reply.calls:
                break
            messages = [*messages, assistant_message(reply), *await _call_tools(reply, sources)]
        return Answer(assignment.question.number, Finding(assignment.question.text, reply.text, sources), tokens)


async def _call_tools(reply: Reply, sources: list[SearchResult]) -> list[dict[str, Any]]:
    """Call all tools that a reply wants at the same time; what they found is added to the sources."""
    results = await asyncio.gather(*(result_of(call) for call in reply.calls))
    messages = []
    for call, result in zip(reply.calls, results, strict=True):
        messages.append(tool_message(call.id, result, first=len(sources) + 1))
        if not isinstance(result, str):
            sources.extend(result)
    return messages
