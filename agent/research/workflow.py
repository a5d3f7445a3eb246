"""In which order does the research agent work?

The workflow is deterministic: everything that is not, it asks of activities. So a worker that dies is replaced by any
other, which replays the history up to the last completed step and goes on from there.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

from temporalio import workflow

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
    from agent.research.settings import ResearchSettings

TASK_QUEUE = "research-agent-queue"
SEARCH_TIMEOUT = timedelta(seconds=20)
REPORT_TIMEOUT = timedelta(seconds=10)
DEFAULTS = ResearchSettings()


@workflow.defn
class ResearchAgentWorkflow:
    """Plans searches, runs them, has the model synthesise each and sum them up, and writes a report."""

    def __init__(self) -> None:
        self._step = PLAN
        self._completed_steps = 0
        self._total_steps: int | None = None
        self._notes: list[str] = []
        self._settings = DEFAULTS

    @workflow.run
    async def run(self, query: str, settings: ResearchSettings = DEFAULTS) -> str:
        """Answer a question.

        Args:
            query: The question.
            settings: How thorough and how patient to be.

        Returns:
            The report, in Markdown, with the notes that were added while it was made.
        """
        self._settings = settings
        plan = await self.call_llm(PLAN, plan_request(query, settings.searches))
        queries = parse_plan(plan, query, settings.searches)
        # The plan, a search and a synthesis for each query, the summary, the report.
        self._total_steps = 1 + 2 * len(queries) + 2

        found = await self._search(queries)
        findings: list[Finding] = []
        # One after the other: each result is in the history before the next call is made, so that at any moment at
        # most one paid answer can be lost with a worker.
        for number, (searched, sources) in enumerate(zip(queries, found, strict=True), start=1):
            if findings and settings.pause_s:
                await workflow.sleep(settings.pause_s)
            findings.append(await self.synthesise(synthesis_step(number, len(queries)), searched, sources))
        summary = await self.summarise(query, findings)

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
                search_web,
                searched,
                start_to_close_timeout=SEARCH_TIMEOUT,
                retry_policy=self._settings.search_retries,
            )
            for searched in queries
        ]
        found = await asyncio.gather(*searches)
        self._completed_steps += len(queries)
        return found

    async def synthesise(self, step: str, query: str, sources: list[SearchResult]) -> Finding:
        """Have the model say what the sources of one search find."""
        return Finding(query, await self.call_llm(step, synthesis_request(step, query, sources)), sources)

    async def summarise(self, query: str, findings: list[Finding]) -> str:
        """Have the model answer the question from all findings."""
        return await self.call_llm(SUMMARY, summary_request(query, findings))

    async def call_llm(self, step: str, request: LLMRequest) -> str:
        """Ask the model, as one step of the run."""
        self._step = step
        answer = await workflow.execute_activity(
            call_llm,
            request,
            start_to_close_timeout=self._settings.llm_timeout,
            heartbeat_timeout=self._settings.llm_heartbeat_timeout,
            retry_policy=self._settings.llm_retries,
            summary=step,
        )
        self._completed_steps += 1
        return answer
