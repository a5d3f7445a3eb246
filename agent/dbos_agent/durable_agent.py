"""In which order does the agent work, and what does it do in the outside world?

The workflow is deterministic; what is not, its steps do. DBOS records the result of each step in the database, and a
process that takes up the workflow of one that died reads it from there: no paid answer is asked for again.
"""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from http import HTTPStatus
from typing import Any

import httpx2
import openai
from dbos import DBOS, DBOSConfiguredInstance

from agent.dbos_agent.database import DATABASE_URL
from agent.research.instant_answers import search_results
from agent.research.payloads import Finding, LLMRequest, ReportInput, SearchResult
from agent.research.prompts import parse_plan, plan_request, summary_request, synthesis_request, synthesis_step
from agent.research.report import format_report
from agent.research.services import Services, http_client
from tracing import trace_dbos

SEARCHES = 3
LLM_TIMEOUT_S = 60.0
SEARCH_TIMEOUT_S = 20.0
# Of the 4xx, those that another attempt can mend: timeout, conflict, too early, rate limit.
_RETRYABLE = frozenset({408, 409, 425, 429})

# Before the first decorator of DBOS: it traces what is decorated from here on.
trace_dbos(DATABASE_URL)


def worth_another_try(error: BaseException) -> bool:
    """Tell whether the same request may succeed a little later."""
    if isinstance(error, (openai.APIStatusError, httpx2.HTTPStatusError)):
        status = error.response.status_code
        return status in _RETRYABLE or status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return isinstance(error, (openai.APIConnectionError, httpx2.RequestError))


@DBOS.dbos_class()
class DurableAgent(DBOSConfiguredInstance):
    """Plans searches, runs them, has the model synthesise each and sum them up, and writes a report."""

    @DBOS.workflow()
    async def research_and_report(self, question: str) -> str:
        """Answer a question.

        Args:
            question: The question.

        Returns:
            The report, in Markdown.
        """
        queries = parse_plan(await self.call_llm(*_parts(plan_request(question, SEARCHES))), question, SEARCHES)
        # Tasks start in this order, so that a query has the same step number whenever the workflow is recovered.
        found = await asyncio.gather(*(self.search_web(query) for query in queries))
        findings = []
        for number, (query, sources) in enumerate(zip(queries, found, strict=True), start=1):
            named = [SearchResult(**source) for source in sources]
            request = synthesis_request(synthesis_step(number, len(queries)), query, named)
            findings.append(Finding(query, await self.call_llm(*_parts(request)), named))
        summary = await self.call_llm(*_parts(summary_request(question, findings)))
        return await self.format_report(question, summary, [asdict(finding) for finding in findings])

    @DBOS.step(retries_allowed=True, max_attempts=5, should_retry=worth_another_try)
    async def call_llm(self, system: str, prompt: str) -> str:
        """Ask a model. DBOS's retries are the only ones: the client's own are off, for two layers multiply.

        Args:
            system: The model's role.
            prompt: Its task, whose first line names the step.

        Returns:
            The answer's text.

        Raises:
            openai.OpenAIError: The service refused, failed, or could not be reached in time.
            ValueError: The model answered without text.
        """
        services = Services.from_environment()
        async with openai.AsyncOpenAI(
            api_key=services.openai_key,
            base_url=services.openai_url,
            max_retries=0,
            timeout=LLM_TIMEOUT_S,
            http_client=http_client(services.openai_url, LLM_TIMEOUT_S),
        ) as client:
            completion = await client.chat.completions.create(
                model=services.model,
                messages=[{"role": "system", "content": system}, {"role": "user", "content": prompt}],
                # OpenAI keeps it in its logs: it leads from a request there to the attempt that made it.
                extra_headers={"X-Client-Request-Id": f"{DBOS.workflow_id}/{DBOS.step_id}/{_attempt()}"},
            )
        choice = completion.choices[0]
        if not choice.message.content:
            raise ValueError(f"The model answered without text: it finished with {choice.finish_reason}.")
        return choice.message.content

    @DBOS.step(retries_allowed=True, max_attempts=3, should_retry=worth_another_try)
    async def search_web(self, query: str) -> list[dict[str, str]]:
        """Ask DuckDuckGo's Instant Answer API.

        Args:
            query: What to search for.

        Returns:
            The first sources that it names; none if it knows nothing.

        Raises:
            httpx2.HTTPError: The service refused, failed, or could not be reached in time.
        """
        url = Services.from_environment().search_url
        parameters = {"q": query, "format": "json", "no_html": "1", "skip_disambig": "1"}
        async with http_client(url, SEARCH_TIMEOUT_S) as http:
            response = await http.get(url, params=parameters)
            response.raise_for_status()
        return [asdict(source) for source in search_results(response.json())]

    @DBOS.step()
    async def format_report(self, question: str, summary: str, findings: list[dict[str, Any]]) -> str:
        """Format the report as Markdown."""
        return format_report(ReportInput(question, summary, [_finding(finding) for finding in findings]))


def _attempt() -> int:
    status = DBOS.step_status
    return (status.current_attempt or 0) + 1 if status is not None else 1


def _parts(request: LLMRequest) -> tuple[str, str]:
    return request.system, request.prompt


def _finding(finding: dict[str, Any]) -> Finding:
    sources = [SearchResult(**source) for source in finding["sources"]]
    return Finding(finding["query"], finding["synthesis"], sources)
