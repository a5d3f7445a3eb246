"""In which order does the research agent work?

The workflow is deterministic: everything that is not, it asks of activities. So a worker that dies is replaced by any
other, which replays the history up to the last completed step and goes on from there.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from agent.research.activities import call_llm, generate_report, search_web
    from agent.research.payloads import Finding, LLMRequest, Progress, ReportInput, SearchResult
    from agent.research.prompts import (
        PLAN,
        SUMMARY,
        parse_plan,
        plan_request,
        summary_request,
        synthesis_request,
        synthesis_step,
    )
    from agent.research.report import append_notes

TASK_QUEUE = "research-agent-queue"
SEARCHES = 3

LLM_TIMEOUT = timedelta(seconds=60)
# A killed worker is noticed after this time, not only at the timeout above.
LLM_HEARTBEAT_TIMEOUT = timedelta(seconds=3)
LLM_RETRIES = RetryPolicy(
    initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=30), maximum_attempts=5
)
SEARCH_TIMEOUT = timedelta(seconds=20)
SEARCH_RETRIES = RetryPolicy(
    initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=10), maximum_attempts=3
)
REPORT_TIMEOUT = timedelta(seconds=10)


@workflow.defn
class ResearchAgentWorkflow:
    """Plans searches, runs them, has the model synthesise each and sum them up, and writes a report."""

    def __init__(self) -> None:
        self._step = PLAN
        self._completed_steps = 0
        self._total_steps: int | None = None
        self._notes: list[str] = []

    @workflow.run
    async def run(self, query: str) -> str:
        """Answer a question.

        Args:
            query: The question.

        Returns:
            The report, in Markdown, with the notes that were added while it was made.
        """
        plan = await self._call_llm(PLAN, plan_request(query, SEARCHES))
        queries = parse_plan(plan, query, SEARCHES)
        # The plan, a search and a synthesis for each query, the summary, the report.
        self._total_steps = 1 + 2 * len(queries) + 2

        found = await self._search(queries)
        findings = []
        # One after the other: each result is in the history before the next call is made, so that at any moment at
        # most one paid answer can be lost with a worker.
        for number, (searched, sources) in enumerate(zip(queries, found, strict=True), start=1):
            step = synthesis_step(number, len(queries))
            synthesis = await self._call_llm(step, synthesis_request(step, searched, sources))
            findings.append(Finding(searched, synthesis, sources))
        summary = await self._call_llm(SUMMARY, summary_request(query, findings))

        self._step = "Report"
        report = await workflow.execute_activity(
            generate_report, ReportInput(query, summary, findings), start_to_close_timeout=REPORT_TIMEOUT
        )
        self._completed_steps += 1
        self._step = "Done"
        return append_notes(report, self._notes)

    @workflow.query
    def progress(self) -> Progress:
        """Tell how far the run is."""
        return Progress(self._step, self._completed_steps, self._total_steps, len(self._notes))

    @workflow.signal
    def add_note(self, note: str) -> None:
        """Add a note to the end of the report."""
        self._notes.append(note)

    async def _search(self, queries: list[str]) -> list[list[SearchResult]]:
        """Search for all queries at the same time."""
        self._step = "Search"
        # Started in the plan's order, so that a query has the same activity ID in every replay.
        searches = [
            workflow.start_activity(
                search_web, searched, start_to_close_timeout=SEARCH_TIMEOUT, retry_policy=SEARCH_RETRIES
            )
            for searched in queries
        ]
        found = await asyncio.gather(*searches)
        self._completed_steps += len(queries)
        return found

    async def _call_llm(self, step: str, request: LLMRequest) -> str:
        self._step = step
        answer = await workflow.execute_activity(
            call_llm,
            request,
            start_to_close_timeout=LLM_TIMEOUT,
            heartbeat_timeout=LLM_HEARTBEAT_TIMEOUT,
            retry_policy=LLM_RETRIES,
            summary=step,
        )
        self._completed_steps += 1
        return answer
