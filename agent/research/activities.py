"""What does the research agent do in the outside world?

Each activity is one step in the run's history. Temporal retries a failed attempt, and only that; results of completed
steps are read from the history and never computed again.
"""

from __future__ import annotations

import httpx2
from temporalio import activity
from temporalio.exceptions import ApplicationError

from agent.research.failures import status_failure, unreachable
from agent.research.instant_answers import search_results
from agent.research.model import chat, no_text
from agent.research.payloads import LLMRequest, ReportInput, SearchResult
from agent.research.report import format_report
from agent.research.services import Services, http_client, request_timeout_s


@activity.defn
async def search_web(query: str) -> list[SearchResult]:
    """Ask DuckDuckGo's Instant Answer API.

    Args:
        query: What to search for.

    Returns:
        The first sources that it names; none if it knows nothing.

    Raises:
        ApplicationError: The service refused, failed, or could not be reached in time.
    """
    url = Services.from_environment().search_url
    parameters = {"q": query, "format": "json", "no_html": "1", "skip_disambig": "1"}
    try:
        async with http_client(url, request_timeout_s()) as http:
            response = await http.get(url, params=parameters)
            response.raise_for_status()
            answer = response.json()
    except httpx2.HTTPStatusError as error:
        status = error.response.status_code
        kind, headers = type(error).__name__, error.response.headers
        raise status_failure("The search service", status, url, kind=kind, headers=headers) from error
    except httpx2.RequestError as error:
        raise unreachable("search service", url, error, "SEARCH_BASE_URL") from error
    except ValueError as error:  # DuckDuckGo answers with a web page when it is asked too often
        raise ApplicationError(f"The search service at {url} did not answer in JSON.", type="NotJSON") from error
    return search_results(answer)


@activity.defn
async def call_llm(request: LLMRequest) -> str:
    """Ask a model.

    Args:
        request: The model's role and task.

    Returns:
        The answer's text.

    Raises:
        ApplicationError: The service refused, failed, could not be reached in time, or answered without text.
    """
    completion = await chat(
        [{"role": "system", "content": request.system}, {"role": "user", "content": request.prompt}]
    )
    text = completion.choices[0].message.content
    if not text:
        raise no_text(completion)
    return text


@activity.defn
async def generate_report(report: ReportInput) -> str:
    """Format the report as Markdown. Nothing here can fail or cost, but the finished text is a step in the history."""
    return format_report(report)
