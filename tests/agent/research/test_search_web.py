"""One attempt of `search_web`, over HTTP against the local search server; and what it reads from an answer."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Route
from temporalio.exceptions import ApplicationError

from agent.local.faults import Fault
from agent.local.serving import listening
from agent.research.activities import search_web
from agent.research.instant_answers import search_results
from agent.research.payloads import SearchResult

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from temporalio.testing import ActivityEnvironment

    from agent.local.control_client import ControlClient
    from agent.local.serving import LocalServer


async def failure(attempt: ActivityEnvironment) -> ApplicationError:
    with pytest.raises(ApplicationError) as raised:
        await attempt.run(search_web, "Green tea")
    return raised.value


async def test_it_returns_the_sources_that_the_service_names(
    attempt: ActivityEnvironment, search_control: ControlClient
) -> None:
    assert await attempt.run(search_web, "Green tea") == [
        SearchResult(
            title="Green tea",
            text="An introduction defines the terms of “Green tea”.",
            url="https://example.com/green-tea",
        ),
        SearchResult(
            title="Field report",
            text="One team reports a year of work on “Green tea”.",
            url="https://example.com/green-tea/field-report",
        ),
        SearchResult(
            title="Survey",
            text="Forty teams were asked about “Green tea”.",
            url="https://example.com/green-tea/survey",
        ),
        SearchResult(
            title="Glossary",
            text="A glossary lists the words of “Green tea”.",
            url="https://example.com/green-tea/glossary",
        ),
    ]
    assert await search_control.requests_per_step() == {"Green tea": 1}


@pytest.mark.parametrize(("status", "final"), [(400, True), (404, True), (429, False), (502, False)])
async def test_only_what_another_attempt_may_mend_is_retried(
    attempt: ActivityEnvironment, search: LocalServer, search_control: ControlClient, status: int, *, final: bool
) -> None:
    await search_control.arm(Fault(kind="status", status=status))

    failed = await failure(attempt)

    assert failed.message == f"The search service answered {status}: {search.url}"
    assert failed.type == "HTTPStatusError"
    assert failed.non_retryable is final


async def test_a_service_that_does_not_answer_is_retried(
    attempt: ActivityEnvironment, search: LocalServer, search_control: ControlClient
) -> None:
    await search_control.arm(Fault(kind="timeout"))
    attempt.info = dataclasses.replace(attempt.info, start_to_close_timeout=timedelta(seconds=0.2))

    slow = await failure(attempt)

    assert slow.message == f"The search service at {search.url} did not answer in time. Is SEARCH_BASE_URL right?"
    assert not slow.non_retryable


async def test_a_service_that_speaks_something_else_is_named(
    attempt: ActivityEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def page(_: Request) -> Response:
        return HTMLResponse("<p>Too many requests</p>")

    async with listening(Starlette(routes=[Route("/", page)]), port=0, before_stop=lambda: None) as url:
        monkeypatch.setenv("SEARCH_BASE_URL", url)
        refused = await failure(attempt)

    assert refused.message == f"The search service at {url} did not answer in JSON."
    assert not refused.non_retryable


@pytest.mark.parametrize(
    ("answer", "results"),
    [
        ({"Heading": "Tea", "AbstractText": "", "AbstractURL": ""}, []),
        ({"Results": [{"Text": "Official site", "FirstURL": "https://tea"}]}, [("Official site", "Official site")]),
        ({"RelatedTopics": [{"Text": "Tea - A drink - hot", "FirstURL": "https://t"}]}, [("Tea", "A drink - hot")]),
        ({"RelatedTopics": [{"Name": "More", "Topics": [{"Text": "A - B", "FirstURL": "https://t"}]}]}, [("A", "B")]),
        ({"RelatedTopics": [{"Text": "No address"}, {"FirstURL": "https://t"}, "text", None]}, []),
        ({"RelatedTopics": {"Text": "Not a list"}}, []),
        (
            {"RelatedTopics": [{"Text": f"{number} - x", "FirstURL": "u"} for number in range(9)]},
            list(zip("01234", "x" * 5, strict=True)),
        ),
        (["not", "an", "object"], []),
    ],
)
def test_what_does_not_have_the_documented_form_is_passed_over(answer: Any, results: list[tuple[str, str]]) -> None:
    assert [(result.title, result.text) for result in search_results(answer)] == results


def test_long_texts_are_cut() -> None:
    (result,) = search_results({"Heading": "Tea", "AbstractText": "x" * 5000, "AbstractURL": "https://tea"})

    assert len(result.text) == 1000
