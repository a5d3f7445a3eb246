"""What can the agents do besides talking? What the docstrings of tools say, the model reads."""

from __future__ import annotations

from agents import function_tool
from temporalio import activity, workflow

from agent.research import activities as research
from agent.research.heartbeats import heartbeats
from tracing import tool


# An activity: it is retried, and its result is kept in the history. `@tool` makes it a tool in the trace as well.
@activity.defn
@tool
async def find_sources(question: str) -> str:
    """Find web sources about a question.

    Args:
        question: What to search for.
    """
    async with heartbeats():
        sources = await research.search_web(question)
    listed = [f"{source.title}: {source.text} ({source.url})" for source in sources]
    return "\n".join(f"[{number}] {item}" for number, item in enumerate(listed, start=1)) or "No source was found."


# No activity: it runs in the workflow, costs nothing, and must be deterministic.
@function_tool
async def today() -> str:
    """Tell the date of today."""
    return workflow.now().date().isoformat()
