"""A trace as text: what all other tests of traces are written in."""

from __future__ import annotations

from msgspec.structs import replace

from tests.spans.research import COMMON, RUN_SPAN, SECOND, START, STEP_SPAN, TRACE
from tracing.rendering import render
from tracing.spans.model import Event, Link, Span, SpanKind, StatusCode

RUN = Span(TRACE, RUN_SPAN, None, "RunWorkflow:Research", SpanKind.SERVER, START, START + SECOND, COMMON)
STEP = Span(
    TRACE,
    STEP_SPAN,
    RUN_SPAN,
    "StartActivity:call_llm",
    SpanKind.CLIENT,
    START + 7_440_000,
    START + SECOND // 2 + 1,
    {"temporal.attempts": 3, "temporalActivityID": "1"},
    StatusCode.ERROR,
    "boom",
    events=(Event("exception", START + SECOND // 2, {"exception.type": "ValueError"}),),
    links=(Link(1, 2, {"temporalRunID": "run-0"}),),
)


def test_a_tree_with_everything() -> None:
    assert (
        render([STEP, RUN], shows=lambda key: key not in COMMON or key == "temporalRunID")
        == """
RunWorkflow:Research SERVER 0..1000 ms
  temporalRunID: '0199c0de-0000-7000-8000-000000000001'
  StartActivity:call_llm CLIENT ERROR 'boom' 7.44..500.000001 ms
    temporal.attempts: 3
    temporalActivityID: '1'
    * exception 500 ms
      exception.type: 'ValueError'
    -> trace 00000000000000000000000000000001 span 0000000000000002
      temporalRunID: 'run-0'
""".strip()
    )


def test_without_times_and_attributes() -> None:
    assert (
        render([RUN, STEP], times=False)
        == """
RunWorkflow:Research SERVER
  StartActivity:call_llm CLIENT ERROR 'boom'
    * exception
    -> trace 00000000000000000000000000000001 span 0000000000000002
""".strip()
    )


def test_a_span_whose_parent_is_missing_names_it() -> None:
    step = replace(STEP, status=StatusCode.OK, status_message="", events=(), links=())
    assert render([step]) == "StartActivity:call_llm CLIENT OK 0..492.560001 ms (parent ba9a8c23fb2921d1)"


def test_a_parent_in_another_trace_is_none() -> None:
    elsewhere = replace(RUN, trace_id=1)
    assert render([elsewhere, replace(STEP, events=(), links=())], times=False).splitlines() == [
        "RunWorkflow:Research SERVER",
        "StartActivity:call_llm CLIENT ERROR 'boom' (parent ba9a8c23fb2921d1)",
    ]


def test_an_open_span_says_so() -> None:
    assert render([replace(RUN, end=None)]) == "RunWorkflow:Research SERVER 0.. ms"
    assert render([replace(RUN, end=None)], times=False) == "RunWorkflow:Research SERVER open"


def test_siblings_of_one_instant_stand_by_name_and_activity() -> None:
    def sibling(name: str, activity_id: str, span_id: int) -> Span:
        return replace(
            RUN, parent_id=RUN_SPAN, span_id=span_id, name=name, attributes={"temporalActivityID": activity_id}
        )

    spans = [RUN, sibling("b", "2", 1), sibling("b", "1", 2), sibling("a", "3", 3)]
    assert (
        render(spans, shows=lambda key: key == "temporalActivityID", times=False)
        == """
RunWorkflow:Research SERVER
  a SERVER
    temporalActivityID: '3'
  b SERVER
    temporalActivityID: '1'
  b SERVER
    temporalActivityID: '2'
""".strip()
    )


def test_spans_that_are_each_others_parents_are_not_followed_round() -> None:
    one, other = replace(RUN, parent_id=STEP_SPAN), replace(STEP, events=(), links=())
    assert render([one, other], times=False) == ""


def test_nothing() -> None:
    assert render([]) == ""
