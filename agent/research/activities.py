"""What does the research agent do in the outside world?

Each activity is one step in the run's history. Temporal retries a failed attempt, and only that; results of completed
steps are read from the history and never computed again.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx2
import openai
from temporalio import activity
from temporalio.exceptions import ApplicationError

from agent.research.failures import status_failure
from agent.research.heartbeats import heartbeats
from agent.research.instant_answers import search_results
from agent.research.payloads import LLMRequest, ReportInput, SearchResult
from agent.research.report import format_report
from agent.research.services import Services, http_client

_WITHOUT_LIMIT = timedelta(minutes=10)
_HOW_TO_MEND = {
    401: " Check OPENAI_API_KEY.",
    403: " Check what the key of OPENAI_API_KEY may do.",
    404: " Check RESEARCH_MODEL and OPENAI_BASE_URL.",
}


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
        async with http_client(url, _request_timeout_s()) as http:
            response = await http.get(url, params=parameters)
            response.raise_for_status()
            answer = response.json()
    except httpx2.HTTPStatusError as error:
        status = error.response.status_code
        kind, headers = type(error).__name__, error.response.headers
        raise status_failure("The search service", status, url, kind=kind, headers=headers) from error
    except httpx2.RequestError as error:
        raise _unreachable("search service", url, error, "SEARCH_BASE_URL") from error
    except ValueError as error:  # DuckDuckGo answers with a web page when it is asked too often
        raise ApplicationError(f"The search service at {url} did not answer in JSON.", type="NotJSON") from error
    return search_results(answer)


@activity.defn
async def call_llm(request: LLMRequest) -> str:
    """Ask a model.

    Temporal's retries are the only ones: the client's own are off, for they would hide failed requests from the
    history, and two layers of retries multiply.

    Args:
        request: The model's role and task.

    Returns:
        The answer's text.

    Raises:
        ApplicationError: The service refused, failed, could not be reached in time, or answered without text.
    """
    services, info, timeout_s = Services.from_environment(), activity.info(), _request_timeout_s()
    if services.openai_key is None:
        message = "No key for the model: set OPENAI_API_KEY, or OPENAI_BASE_URL to a model server on this machine."
        raise ApplicationError(message, type="NoKey", non_retryable=True)
    client = openai.AsyncOpenAI(
        api_key=services.openai_key,
        base_url=services.openai_url,
        max_retries=0,
        timeout=timeout_s,
        http_client=http_client(services.openai_url, timeout_s),
    )
    try:
        async with heartbeats(), client:
            completion = await client.chat.completions.create(
                model=services.model,
                messages=[
                    {"role": "system", "content": request.system},
                    {"role": "user", "content": request.prompt},
                ],
                # OpenAI keeps it in its logs: it leads from a request there to the attempt that made it.
                extra_headers={"X-Client-Request-Id": f"{info.workflow_run_id}/{info.activity_id}/{info.attempt}"},
            )
    except openai.APIStatusError as error:
        raise _refused_by_model(error) from error
    except openai.APIConnectionError as error:
        raise _unreachable("model", services.openai_url, error, "OPENAI_BASE_URL") from error
    choice = completion.choices[0]
    if not choice.message.content:
        reason = choice.message.refusal or f"it finished with {choice.finish_reason}"
        raise ApplicationError(f"The model answered without text: {reason}.", type="NoText")
    return choice.message.content


@activity.defn
async def generate_report(report: ReportInput) -> str:
    """Format the report as Markdown. Nothing here can fail or cost, but the finished text is a step in the history."""
    return format_report(report)


def _request_timeout_s() -> float:
    """Return how long a request may take, in seconds.

    That is a little less than the attempt may, so that the attempt itself ends with a failure that says what was slow.
    """
    return (activity.info().start_to_close_timeout or _WITHOUT_LIMIT).total_seconds() * 0.9


def _refused_by_model(error: openai.APIStatusError) -> ApplicationError:
    # The client's own message repeats the status.
    said = error.body.get("message") if isinstance(error.body, dict) else None
    detail = (said or error.message) + _HOW_TO_MEND.get(error.status_code, "")
    # Out of credit is a 429, too, but no delay mends it.
    final = error.code == "insufficient_quota"
    kind, headers = type(error).__name__, error.response.headers
    return status_failure("The model", error.status_code, detail, kind=kind, headers=headers, final=final)


def _unreachable(service: str, url: str, error: Exception, variable: str) -> ApplicationError:
    slow: tuple[type[Any], ...] = (openai.APITimeoutError, httpx2.TimeoutException)
    problem = "did not answer in time" if isinstance(error, slow) else "cannot be reached"
    return ApplicationError(f"The {service} at {url} {problem}. Is {variable} right?", type=type(error).__name__)
