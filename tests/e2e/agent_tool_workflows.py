"""An agent with a tool that runs in the workflow and asks for steps itself."""

from __future__ import annotations

from datetime import timedelta

from temporalio import activity, workflow

with workflow.unsafe.imports_passed_through():
    from agents import Agent, Runner, function_tool
    from temporalio.openai_agents.workflow import activity_as_tool

MINUTE = timedelta(minutes=1)


@activity.defn
async def look_up(word: str) -> str:
    """Look a word up."""
    return f"{word}: a word"


@workflow.defn
class Compare:
    """A child."""

    @workflow.run
    async def run(self, first: str, second: str) -> bool:
        """Compare two notes."""
        return first == second


@function_tool
async def notes(question: str) -> str:
    """Make notes about a question.

    Args:
        question: The question.
    """
    found = [
        await workflow.execute_activity(look_up, word, start_to_close_timeout=MINUTE) for word in question.split()[:2]
    ]
    await workflow.execute_child_workflow(Compare.run, args=found, id=f"{workflow.info().workflow_id}/compare")
    return "\n".join(found)


@workflow.defn
class NoteTaking:
    """Answers a question by one agent."""

    @workflow.run
    async def run(self, question: str) -> str:
        """Answer a question."""
        agent = Agent(
            name="Scribe",
            instructions="Call notes, then call look_up.",
            model="gpt-4o",
            tools=[notes, activity_as_tool(look_up, start_to_close_timeout=MINUTE)],
        )
        return str((await Runner.run(agent, question)).final_output)
