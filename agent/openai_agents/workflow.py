"""How does the team answer a question durably?

The agents' loop runs in the workflow; each model call, and each tool that is an activity, is a step in its history. So
a worker that dies is replaced by any other, which replays the history and goes on from the last completed step.
"""

from __future__ import annotations

from dataclasses import dataclass

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from agents import InputGuardrailTripwireTriggered, Runner

    from agent.openai_agents.team import triage_agent

TASK_QUEUE = "openai-agents-queue"


@dataclass(frozen=True)
class Answer:
    """What the team says.

    Attributes:
        agent: The agent that spoke last, or the guardrail that refused.
        text: The answer, or why there is none.
        refused: Whether the guardrail refused the question.
    """

    agent: str
    text: str
    refused: bool = False


@workflow.defn
class AgentTeamWorkflow:
    """Answers a question by a team of agents."""

    @workflow.run
    async def run(self, question: str) -> Answer:
        """Answer a question.

        Args:
            question: The question.

        Returns:
            The answer, or the guardrail's refusal: refusing is an outcome, and no failure of the run.
        """
        try:
            result = await Runner.run(triage_agent(), question)
        except InputGuardrailTripwireTriggered as tripped:
            guardrail = tripped.guardrail_result
            return Answer(guardrail.guardrail.get_name(), guardrail.output.output_info.reason, refused=True)
        return Answer(result.last_agent.name, str(result.final_output))
