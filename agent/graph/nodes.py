"""What does each node of the graph do?

A node is a plain async function. It knows neither LangGraph nor Temporal, and runs in an activity either way: the whole
graph's, or one of its own.
"""

from __future__ import annotations

import asyncio

from agent.graph.prompts import critique_request, draft_request
from agent.graph.state import ResearchState
from agent.research.activities import call_llm, search_web
from agent.research.payloads import Finding, ReportInput
from agent.research.prompts import parse_plan, plan_request
from agent.research.report import format_report
from tracing import agent, tool

SEARCHES = 2

_search = tool(search_web)


@agent("planner")
async def plan(state: ResearchState) -> ResearchState:
    """Choose the search queries."""
    question = state["question"]
    answer = await call_llm(plan_request(question, SEARCHES))
    return {"queries": parse_plan(answer, question, SEARCHES)}


async def search(state: ResearchState) -> ResearchState:
    """Search for all queries at the same time."""
    found = await asyncio.gather(*(_search(query) for query in state["queries"]))
    return {"sources": [f"{each.title}: {each.text} ({each.url})" for results in found for each in results]}


@agent("writer")
async def draft(state: ResearchState) -> ResearchState:
    """Write a draft, or a better one."""
    number = state.get("drafts", 0) + 1
    request = draft_request(number, state["question"], state["sources"], state.get("critique", ""))
    return {"draft": await call_llm(request), "drafts": number}


@agent("critic")
async def critique(state: ResearchState) -> ResearchState:
    """Say whether the draft will do."""
    request = critique_request(state["drafts"], state["question"], state["draft"], state.get("critique", ""))
    return {"critique": await call_llm(request)}


async def report(state: ResearchState) -> ResearchState:
    """Write the report: the last draft, and what one more search finds to read on."""
    further = Finding("Further reading", f"On “{state['question']}”:", await _search(state["question"]))
    return {"report": format_report(ReportInput(state["question"], state["draft"], [further]))}
