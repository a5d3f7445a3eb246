"""Langfuse: its settings, and its observations of a trace. The answers are written down from the documentation of its
public API, versions 4 and 3: no Langfuse runs here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tracing.backends.langfuse import langfuse_target
from tracing.backends.target import Target, TargetError

if TYPE_CHECKING:
    from tests.backends.conftest import Api

TRACE = 0x0AF7651916CD43DD8448EB211C80319C
KEYS = {"LANGFUSE_PUBLIC_KEY": "pk-lf-1", "LANGFUSE_SECRET_KEY": "sk-lf-2"}
BASIC = "Basic cGstbGYtMTpzay1sZi0y"

V4 = "/api/public/v2/observations"
V3 = "/api/public/observations"
PROJECTS = "/api/public/projects"


def observation(span_id: str) -> dict[str, Any]:
    return {
        "id": span_id,
        "traceId": "0af7651916cd43dd8448eb211c80319c",
        "startTime": "2026-11-23T09:00:00.000Z",
        "endTime": "2026-11-23T09:00:01.000Z",
        "projectId": "project-1",
        "parentObservationId": None,
        "type": "SPAN",
    }


def target(api: Api) -> Target:
    return langfuse_target({**KEYS, "LANGFUSE_BASE_URL": api.url})


def span_ids(api: Api) -> set[int]:
    index = target(api).index
    assert index is not None
    return index.span_ids(TRACE)


def test_spans_go_to_its_otlp_endpoint_with_the_keys() -> None:
    target = langfuse_target(KEYS)
    assert target.endpoint == "https://cloud.langfuse.com/api/public/otel/v1/traces"
    assert target.settings.headers == {"authorization": BASIC, "x-langfuse-ingestion-version": "4"}
    assert "sk-lf-2" not in repr(target)


@pytest.mark.parametrize(
    ("environ", "endpoint"),
    [
        ({"LANGFUSE_HOST": "http://old:3000/"}, "http://old:3000/api/public/otel/v1/traces"),
        (
            {"LANGFUSE_HOST": "http://old:3000", "LANGFUSE_BASE_URL": "http://new:3000"},
            "http://new:3000/api/public/otel/v1/traces",
        ),
    ],
)
def test_its_address_has_two_names(environ: dict[str, str], endpoint: str) -> None:
    assert langfuse_target({**KEYS, **environ}).endpoint == endpoint


@pytest.mark.parametrize("missing", KEYS)
def test_both_keys_are_needed(missing: str) -> None:
    with pytest.raises(TargetError) as caught:
        langfuse_target({**KEYS, missing: ""})
    assert str(caught.value) == (
        "Langfuse needs keys: set LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY to those of your project."
    )


def test_observations_are_asked_page_by_page(api: Api) -> None:
    api.answers[V4] = [
        {"data": [observation("b7ad6b7169203331"), observation("b7ad6b7169203332")], "meta": {"cursor": "bmV4dA=="}},
        {"data": [observation("0000000000000001"), observation("an-event-of-another-sdk")], "meta": {}},
    ]
    assert span_ids(api) == {0xB7AD6B7169203331, 0xB7AD6B7169203332, 1}
    first = {"traceId": "0af7651916cd43dd8448eb211c80319c", "fields": "core", "limit": "1000"}
    assert [asked.parameters for asked in api.asked] == [first, {**first, "cursor": "bmV4dA=="}]
    assert {asked.authorization for asked in api.asked} == {BASIC}


def test_servers_before_version_4_are_asked_their_way(api: Api) -> None:
    meta = {"page": 1, "limit": 100, "totalItems": 101, "totalPages": 2}
    api.answers[V3] = [
        {"data": [observation("b7ad6b7169203331")], "meta": meta},
        {"data": [observation("b7ad6b7169203332")], "meta": {**meta, "page": 2}},
    ]
    assert span_ids(api) == {0xB7AD6B7169203331, 0xB7AD6B7169203332}
    trace = "0af7651916cd43dd8448eb211c80319c"
    assert [(asked.path, asked.parameters) for asked in api.asked] == [
        (V4, {"traceId": trace, "fields": "core", "limit": "1000"}),
        (V3, {"traceId": trace, "limit": "100", "page": "1"}),
        (V3, {"traceId": trace, "limit": "100", "page": "2"}),
    ]


def test_a_trace_that_is_not_known_has_no_spans(api: Api) -> None:
    api.answers[V4] = [{"data": [], "meta": {"cursor": None}}]
    assert span_ids(api) == set()


def test_keys_that_are_refused_are_named(api: Api) -> None:
    api.answers[V4] = [{"message": "Invalid credentials"}]
    api.statuses[V4] = 401
    with pytest.raises(TargetError) as caught:
        span_ids(api)
    assert str(caught.value) == (
        f'{api.url}{V4} answered 401 ({{"message": "Invalid credentials"}}). '
        "Check LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY."
    )


def test_for_how_long_it_asks_to_be_left_alone_is_told(api: Api) -> None:
    api.statuses[V4] = 500
    api.retry_after = "90"
    with pytest.raises(TargetError) as caught:
        span_ids(api)
    assert caught.value.wait == 90


def test_a_traces_address_has_the_project_of_the_keys(api: Api) -> None:
    api.answers[PROJECTS] = [{"data": [{"id": "project-1", "name": "research"}]}]
    trace_url = target(api).trace_url
    assert trace_url is not None
    assert trace_url(TRACE) == f"{api.url}/project/project-1/traces/0af7651916cd43dd8448eb211c80319c"
    assert trace_url(1) == f"{api.url}/project/project-1/traces/{1:032x}"
    assert len(api.asked) == 1


@pytest.mark.parametrize("answers", [[], [{"data": []}], ["<html>"]])
def test_without_a_project_it_is_one_that_leads_there(api: Api, answers: list[Any]) -> None:
    api.answers[PROJECTS] = answers
    trace_url = target(api).trace_url
    assert trace_url is not None
    assert trace_url(TRACE) == f"{api.url}/trace/0af7651916cd43dd8448eb211c80319c"
