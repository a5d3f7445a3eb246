"""The local search server, in the format of DuckDuckGo's Instant Answer API."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx2

from agent.local.faults import Fault
from agent.local.journal import Asked, RequestRecord, StepCount

if TYPE_CHECKING:
    from agent.local.control_client import ControlClient
    from agent.local.serving import LocalServer


async def test_a_query_has_an_abstract_and_topics(search: LocalServer) -> None:
    async with httpx2.AsyncClient() as http:
        response = await http.get(search.url, params={"q": "Green tea", "format": "json"})

    assert response.headers["content-type"] == "application/x-javascript"
    assert response.json() == {
        "Heading": "Green tea",
        "Abstract": "An introduction defines the terms of “Green tea”.",
        "AbstractText": "An introduction defines the terms of “Green tea”.",
        "AbstractSource": "Example",
        "AbstractURL": "https://example.com/green-tea",
        "RelatedTopics": [
            {
                "FirstURL": "https://example.com/green-tea/field-report",
                "Result": '<a href="https://example.com/green-tea/field-report">'
                "Field report - One team reports a year of work on “Green tea”.</a>",
                "Text": "Field report - One team reports a year of work on “Green tea”.",
            },
            {
                "FirstURL": "https://example.com/green-tea/survey",
                "Result": '<a href="https://example.com/green-tea/survey">'
                "Survey - Forty teams were asked about “Green tea”.</a>",
                "Text": "Survey - Forty teams were asked about “Green tea”.",
            },
            {
                "Name": "See also",
                "Topics": [
                    {
                        "FirstURL": "https://example.com/green-tea/glossary",
                        "Result": '<a href="https://example.com/green-tea/glossary">'
                        "Glossary - A glossary lists the words of “Green tea”.</a>",
                        "Text": "Glossary - A glossary lists the words of “Green tea”.",
                    }
                ],
            },
        ],
        "Results": [],
        "Type": "A",
    }


async def test_searches_are_counted_and_can_fail(search: LocalServer, search_control: ControlClient) -> None:
    await search_control.arm(Fault(kind="status", status=503, contains="tea"))
    async with httpx2.AsyncClient() as http:
        failed = await http.get(search.url, params={"q": "tea", "format": "json"})
        await http.get(search.url, params={"q": "tea", "format": "json"})

    assert (failed.status_code, failed.json()) == (
        503,
        {"status": 503, "error": "The local server was told to fail."},
    )
    asked = Asked(endpoint="/", step="tea", prompt="tea")
    assert await search_control.requests() == [
        RequestRecord(sequence=1, asked=asked, state="failed", status=503, fault="status"),
        RequestRecord(sequence=2, asked=asked, state="answered", status=200),
    ]
    assert await search_control.counts() == {"tea": StepCount(requests=2, answered=1, failed=1)}


async def test_only_json_is_served(search: LocalServer) -> None:
    async with httpx2.AsyncClient() as http:
        response = await http.get(search.url, params={"q": "tea"})

    assert response.status_code == 400
    assert response.json() == {"status": 400, "error": "This server answers in JSON only: add format=json."}
