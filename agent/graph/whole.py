"""What does a graph look like that is one activity?

Nothing of it has to change, and the history has one step: it is done, or it is not. When the last node fails, the retry
begins with the first.
"""

from __future__ import annotations

from datetime import timedelta

from temporalio import activity, workflow

with workflow.unsafe.imports_passed_through():
    from agent.graph.graph import HEARTBEAT_TIMEOUT, RETRIES, build_graph
    from agent.research.heartbeats import heartbeats

GRAPH_TIMEOUT = timedelta(minutes=5)


@activity.defn
async def run_graph(question: str) -> str:
    """Run the whole graph.

    Args:
        question: The question.

    Returns:
        The report, in Markdown.
    """
    async with heartbeats():
        state = await build_graph().compile().ainvoke({"question": question})
    report: str = state["report"]
    return report


@workflow.defn
class WholeGraphWorkflow:
    """Answers a question by the graph, in one activity."""

    @workflow.run
    async def run(self, question: str) -> str:
        """Answer a question with a report."""
        return await workflow.execute_activity(
            run_graph,
            question,
            start_to_close_timeout=GRAPH_TIMEOUT,
            heartbeat_timeout=HEARTBEAT_TIMEOUT,
            retry_policy=RETRIES,
        )
