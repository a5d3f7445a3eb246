"""What would the research agent be without durable execution? A script that is begun again when it has failed.

    python -m agent.failures.script "What does durable execution cost?" --output report.md

It calls the same activities in the same order, as plain functions. Model calls are tried again twice, as OpenAI's
client does by default; whatever outlasts that ends the script, and its answers are gone with its memory.
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import sys
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from agent.failures.archive import look_up
from agent.failures.prompts import check_request
from agent.research.activities import call_llm, generate_report, search_web
from agent.research.payloads import Finding, LLMRequest, ReportInput
from agent.research.prompts import (
    parse_plan,
    plan_request,
    summary_request,
    synthesis_request,
    synthesis_step,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

Given = TypeVar("Given")
Result = TypeVar("Result")

RETRIES: Final = 2
_RETRY_DELAY_S: Final = 0.5


class Script:
    """One try to answer a question, from the beginning.

    Args:
        start: The how manieth try it is; names its requests at the model server.
        llm_timeout_s: Seconds that a model call may take.
        check: Whether to have the findings checked, as the agent's next build does.
        archive: Whether to look into the team's archive, too.
    """

    def __init__(self, *, start: int, llm_timeout_s: float, check: bool = False, archive: bool = False) -> None:
        self._run_id = f"start-{start}"
        self._llm_timeout = timedelta(seconds=llm_timeout_s)
        self._check = check
        self._archive = archive
        self._steps = count(1)

    async def research(self, query: str, searches: int) -> str:
        """Answer a question, as `ResearchAgentWorkflow` does.

        Args:
            query: The question.
            searches: How many searches to plan.

        Returns:
            The report, in Markdown.
        """
        queries = parse_plan(await self._ask(plan_request(query, searches)), query, searches)
        found = await asyncio.gather(*(self._call(search_web, searched) for searched in queries))
        findings = []
        for number, (searched, sources) in enumerate(zip(queries, found, strict=True), start=1):
            notes = await self._call(look_up, searched) if self._archive else []
            step = synthesis_step(number, len(queries))
            synthesis = await self._ask(synthesis_request(step, searched, [*sources, *notes]))
            findings.append(Finding(searched, synthesis, [*sources, *notes]))
        if self._check:
            await self._ask(check_request(findings))
        summary = await self._ask(summary_request(query, findings))
        return await self._call(generate_report, ReportInput(query, summary, findings))

    async def _ask(self, request: LLMRequest) -> str:
        """Ask the model, with the retries that its client would make."""
        number = next(self._steps)
        for attempt in range(1, RETRIES + 1):
            try:
                return await self._attempt(call_llm, request, number, attempt)
            except ApplicationError as error:
                if error.non_retryable:
                    raise
                delay = error.next_retry_delay
            await asyncio.sleep(delay.total_seconds() if delay else _RETRY_DELAY_S)
        return await self._attempt(call_llm, request, number, RETRIES + 1)

    async def _call(self, activity: Callable[[Given], Awaitable[Result]], given: Given) -> Result:
        return await self._attempt(activity, given, next(self._steps), 1)

    async def _attempt(
        self, activity: Callable[[Given], Awaitable[Result]], given: Given, number: int, attempt: int
    ) -> Result:
        """Call an activity as a function: it only wants to know its timeout, and by which name to ask the model."""
        environment = ActivityEnvironment()
        environment.info = dataclasses.replace(
            environment.info,
            workflow_run_id=self._run_id,
            activity_id=str(number),
            attempt=attempt,
            start_to_close_timeout=self._llm_timeout,
            heartbeat_timeout=None,
        )
        return await environment.run(activity, given)


def main(argv: Sequence[str] | None = None) -> int:
    """Research one question; 0 when its report is written, 1 when something failed."""
    parser = argparse.ArgumentParser(description="Research a question without durable execution.")
    parser.add_argument("query", help="the question")
    parser.add_argument("--output", type=Path, required=True, help="the file for the report")
    parser.add_argument("--start", type=int, default=1, help="the how manieth try it is (default: %(default)s)")
    parser.add_argument("--searches", type=int, default=3, help="how many searches to plan (default: %(default)s)")
    parser.add_argument("--llm-timeout-s", type=float, default=60.0, help="seconds for a model call")
    parser.add_argument("--check", action="store_true", help="have the findings checked")
    parser.add_argument("--archive", action="store_true", help="look into the archive at ARCHIVE_URL, too")
    given = parser.parse_args(argv)
    script = Script(start=given.start, llm_timeout_s=given.llm_timeout_s, check=given.check, archive=given.archive)
    try:
        report = asyncio.run(script.research(given.query, given.searches))
    except Exception as error:  # noqa: BLE001 - as a script ends: with what went wrong, and nothing else
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        return 1
    given.output.write_text(report)
    return 0


if __name__ == "__main__":
    sys.exit(main())
