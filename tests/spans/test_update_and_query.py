"""The spans of what a run is asked: updates and queries, whole."""

from __future__ import annotations

from tests.spans.research import ANSWER, COMMON, OFF, ON, QUESTION, RESOURCE, RUN, RUN_SPAN, SECOND, START, TRACE
from tracing.failures import Failure
from tracing.spans.model import Event, Link, Span, SpanKind, StatusCode
from tracing.spans.query import query_span
from tracing.spans.step import OPEN, Outcome
from tracing.spans.update import update_span

DONE = Outcome(START + SECOND, [ANSWER])
CONTENT = {
    "input.value": "why?",
    "input.mime_type": "text/plain",
    "output.value": '{"answer":"because"}',
    "output.mime_type": "application/json",
}


def test_an_update() -> None:
    span = update_span(
        ON, RUN, "ask", update_id="1", start=START + 1, outcome=DONE, given=[QUESTION], links=(Link(1, 2),)
    )
    assert span == Span(
        trace_id=TRACE,
        span_id=0x84A2EBCBC7537708,
        parent_id=RUN_SPAN,
        name="HandleUpdate:ask",
        kind=SpanKind.SERVER,
        start=START,
        end=START + SECOND,
        attributes=COMMON
        | CONTENT
        | {"temporal.update.id": "1", "temporal.update.name": "ask", "openinference.span.kind": "CHAIN"},
        links=(Link(1, 2),),
        resource=RESOURCE,
    )


def test_an_update_that_failed() -> None:
    outcome = Outcome(START, failure=Failure("application", "TooMuch", "no more"))
    span = update_span(OFF, RUN, "ask", update_id="1", start=START, outcome=outcome, given=[QUESTION])
    assert (span.status, span.attributes["error.type"], span.events) == (
        StatusCode.ERROR,
        "TooMuch",
        (Event("exception", START, {"exception.type": "TooMuch"}),),
    )


def test_an_update_whose_handler_still_runs_has_no_end() -> None:
    assert update_span(OFF, RUN, "ask", update_id="1", start=START, outcome=OPEN, given=[]).end is None


def test_a_query() -> None:
    span = query_span(ON, RUN, "progress", span_id=7, start=START + 1, outcome=DONE, given=[QUESTION])
    assert span == Span(
        trace_id=TRACE,
        span_id=7,
        parent_id=RUN_SPAN,
        name="HandleQuery:progress",
        kind=SpanKind.SERVER,
        start=START,
        end=START + SECOND,
        attributes=COMMON | CONTENT | {"temporal.query.name": "progress", "openinference.span.kind": "CHAIN"},
        resource=RESOURCE,
    )
