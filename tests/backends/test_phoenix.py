"""Phoenix: its settings, and its spans of a trace. The answers are written down from Phoenix 20.26.1; the end-to-end
tests ask a real one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tracing.backends.phoenix import phoenix_target
from tracing.backends.target import TargetError

if TYPE_CHECKING:
    from tests.backends.conftest import Api

TRACE = 0x0AF7651916CD43DD8448EB211C80319C


def page(*span_ids: str, after: str | None = None) -> dict[str, Any]:
    edges = [{"node": {"spanId": span_id}} for span_id in span_ids]
    spans = {"edges": edges, "pageInfo": {"hasNextPage": after is not None, "endCursor": after or "MTox"}}
    return {"data": {"getTraceByOtelId": {"spans": spans}}}


def span_ids(api: Api) -> set[int]:
    index = phoenix_target({"PHOENIX_COLLECTOR_ENDPOINT": api.url, "PHOENIX_API_KEY": "key"}).index
    assert index is not None
    return index.span_ids(TRACE)


def test_without_a_word_it_is_on_this_machine() -> None:
    target = phoenix_target({})
    assert (target.endpoint, dict(target.settings.headers)) == ("http://localhost:6006/v1/traces", {})
    assert target.trace_url is not None
    assert target.trace_url(TRACE) == "http://localhost:6006/redirects/traces/0af7651916cd43dd8448eb211c80319c"


@pytest.mark.parametrize(
    "address", ["https://phoenix/s/team", "https://phoenix/s/team/", "https://phoenix/s/team/v1/traces"]
)
def test_the_address_may_have_the_path_for_traces(address: str) -> None:
    target = phoenix_target({"PHOENIX_COLLECTOR_ENDPOINT": address})
    assert target.endpoint == "https://phoenix/s/team/v1/traces"
    assert target.trace_url is not None
    assert target.trace_url(1) == f"https://phoenix/s/team/redirects/traces/{1:032x}"


def test_key_headers_and_project_go_with_the_spans() -> None:
    environ = {
        "PHOENIX_API_KEY": "key",
        "PHOENIX_CLIENT_HEADERS": "x-route=a",
        "PHOENIX_PROJECT": "research",
        "PHOENIX_PROJECT_NAME": "older name",
    }
    headers = {"x-route": "a", "authorization": "Bearer key"}
    assert phoenix_target(environ).settings.headers == {**headers, "x-project-name": "research"}
    del environ["PHOENIX_PROJECT"]
    assert phoenix_target(environ).settings.headers == {**headers, "x-project-name": "older name"}


def test_a_traces_spans_are_asked_page_by_page(api: Api) -> None:
    api.answers["/graphql"] = [page("b7ad6b7169203331", "B7AD6B7169203332", after="MTo5"), page("0000000000000001")]
    assert span_ids(api) == {0xB7AD6B7169203331, 0xB7AD6B7169203332, 1}
    trace = "0af7651916cd43dd8448eb211c80319c"
    assert [asked.content["variables"] for asked in api.asked] == [
        {"trace": trace, "page": 1000, "after": None},
        {"trace": trace, "page": 1000, "after": "MTo5"},
    ]
    assert {asked.authorization for asked in api.asked} == {"Bearer key"}


@pytest.mark.parametrize("answer", [{"data": {"getTraceByOtelId": None}}, {"data": None}, page()])
def test_a_trace_that_is_not_known_has_no_spans(api: Api, answer: Any) -> None:
    api.answers["/graphql"] = [answer]
    assert span_ids(api) == set()


def test_ids_of_another_form_are_no_span_ids(api: Api) -> None:
    api.answers["/graphql"] = [page("00000000000000b1", "my-span", "", "0x00000000000001")]
    assert span_ids(api) == {0xB1}


def test_a_page_that_only_repeats_is_the_last(api: Api) -> None:
    api.answers["/graphql"] = [page(after="MTo5")]
    assert span_ids(api) == set()


def test_a_question_that_phoenix_does_not_understand_is_named(api: Api) -> None:
    refusal = {"message": "Cannot query field 'getTraceByOtelId' on type 'Query'.", "locations": []}
    api.answers["/graphql"] = [{"data": None, "errors": [refusal]}]
    with pytest.raises(TargetError) as caught:
        span_ids(api)
    assert str(caught.value) == (
        f"{api.url}/graphql cannot list a trace's spans: Cannot query field 'getTraceByOtelId' on type 'Query'. "
        "Phoenix 20 can; update it."
    )


def test_a_key_that_phoenix_refuses_is_named(api: Api) -> None:
    api.answers["/graphql"] = ["Invalid token"]
    api.statuses["/graphql"] = 401
    with pytest.raises(TargetError) as caught:
        span_ids(api)
    assert str(caught.value) == f"{api.url}/graphql answered 401 (Invalid token). Check PHOENIX_API_KEY."


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("<html>", "JSON is malformed: invalid character (byte 0)"),
        ({"data": 1}, "Expected `object | null`, got `int` - at `$.data`"),
    ],
)
def test_another_answer_than_expected_is_named(api: Api, answer: Any, reason: str) -> None:
    api.answers["/graphql"] = [answer]
    with pytest.raises(TargetError) as caught:
        span_ids(api)
    assert str(caught.value) == (
        f"{api.url}/graphql answered otherwise than expected ({reason}). "
        "Check PHOENIX_COLLECTOR_ENDPOINT, and that its version is supported."
    )
