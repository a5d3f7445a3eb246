"""What does a graph look like whose nodes are activities?

The graph itself runs in the workflow, by Temporal's LangGraph plugin. Each node's result is a step in the history: when
a node fails, that node is tried again, and no other.
"""

from __future__ import annotations

from typing import Final

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from temporalio.langgraph import LangGraphPlugin, graph

    from agent.graph.graph import RETRIES, build_graph

GRAPH: Final = "research"


@workflow.defn
class NodeByNodeWorkflow:
    """Answers a question by the graph, with an activity for each node."""

    @workflow.run
    async def run(self, question: str) -> str:
        """Answer a question with a report."""
        state = await graph(GRAPH).compile().ainvoke({"question": question})
        report: str = state["report"]
        return report


def langgraph_plugin() -> LangGraphPlugin:
    """Build the plugin that makes the nodes activities, for a worker or a replayer."""
    return LangGraphPlugin(graphs={GRAPH: build_graph()}, default_activity_options={"retry_policy": RETRIES})
