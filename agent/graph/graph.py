"""In which order do the nodes work?"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from langgraph.graph import END, START, StateGraph
from temporalio.common import RetryPolicy

from agent.graph.nodes import critique, draft, plan, report, search
from agent.graph.prompts import is_accepted
from agent.graph.state import ResearchState

MOST_DRAFTS: Final = 3

# A killed worker is noticed after this time, not only at the activity's timeout.
HEARTBEAT_TIMEOUT: Final = timedelta(seconds=3)
RETRIES: Final = RetryPolicy(
    initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=30), maximum_attempts=5
)
# What Temporal's LangGraph plugin makes of a node; a graph that runs without the plugin takes no notice.
_SEARCH: Final = {"execute_in": "activity", "start_to_close_timeout": timedelta(seconds=20)}
_MODEL_CALL: Final = {
    "execute_in": "activity",
    "start_to_close_timeout": timedelta(seconds=60),
    "heartbeat_timeout": HEARTBEAT_TIMEOUT,
}


def build_graph() -> StateGraph[ResearchState, Any, Any, Any]:
    """Build the graph: plan, search, draft and critique until the critic accepts, report.

    Each call builds another one, because Temporal's plugin changes the graph that it is given.
    """
    graph: StateGraph[ResearchState, Any, Any, Any] = StateGraph(ResearchState)
    graph.add_node("plan", plan, metadata=_MODEL_CALL)
    graph.add_node("search", search, metadata=_SEARCH)
    graph.add_node("draft", draft, metadata=_MODEL_CALL)
    graph.add_node("critique", critique, metadata=_MODEL_CALL)
    graph.add_node("report", report, metadata=_SEARCH)
    graph.add_edge(START, "plan")
    graph.add_edge("plan", "search")
    graph.add_edge("search", "draft")
    graph.add_edge("draft", "critique")
    graph.add_conditional_edges("critique", after_critique, ["draft", "report"])
    graph.add_edge("report", END)
    return graph


async def after_critique(state: ResearchState) -> str:
    """Choose where to go after a critique.

    Where nodes are activities, this runs in the workflow: so it is deterministic; and async, for LangGraph would run it
    in a thread otherwise, which workflow code must not.
    """
    return "report" if is_accepted(state["critique"]) or state["drafts"] >= MOST_DRAFTS else "draft"
