"""The span of a Nexus operation, whole."""

from __future__ import annotations

from dataclasses import replace

from tests.spans.research import ANSWER, COMMON, OFF, ON, QUESTION, RESOURCE, RUN, RUN_SPAN, SECOND, START, TRACE
from tracing.failures import Failure
from tracing.spans.model import Event, Link, Span, SpanKind, StatusCode
from tracing.spans.nexus import NexusOperation, nexus_operation_span
from tracing.spans.step import OPEN, Outcome

FIND = NexusOperation("archive", "Archive", "find")
TOLD = {
    "temporal.nexus.endpoint": "archive",
    "temporal.nexus.service": "Archive",
    "temporal.nexus.operation": "find",
    "openinference.span.kind": "CHAIN",
}


def test_one_that_completed() -> None:
    span = nexus_operation_span(
        ON,
        RUN,
        FIND,
        start=START + 1,
        outcome=Outcome(START + SECOND, [ANSWER]),
        given=[QUESTION],
        summary=QUESTION,
        links=(Link(1, 2),),
    )
    assert span == Span(
        trace_id=TRACE,
        span_id=0x0CFC57917EC150D6,
        parent_id=RUN_SPAN,
        name="StartNexusOperation:Archive/find",
        kind=SpanKind.CLIENT,
        start=START,
        end=START + SECOND,
        attributes=COMMON
        | TOLD
        | {
            "temporal.summary": "why?",
            "input.value": "why?",
            "input.mime_type": "text/plain",
            "output.value": '{"answer":"because"}',
            "output.mime_type": "application/json",
        },
        links=(Link(1, 2),),
        resource=RESOURCE,
    )


def test_one_that_failed_names_what_its_handler_raised() -> None:
    boom = Failure("application", "ValueError", "boom")
    failure = Failure(
        "nexus_operation", "NexusOperationError", cause=Failure("nexus_handler", "NexusHandlerError", cause=boom)
    )
    span = nexus_operation_span(OFF, RUN, FIND, start=START, outcome=Outcome(START, failure=failure), given=[])
    assert (span.status, span.attributes, span.events) == (
        StatusCode.ERROR,
        COMMON | TOLD | {"error.type": "NexusHandlerError"},
        (
            Event("exception", START, {"exception.type": "NexusHandlerError"}),
            Event("exception", START, {"exception.type": "ValueError"}),
        ),
    )


def test_its_id_is_that_of_our_header_or_follows_from_operation_and_use() -> None:
    ids = [
        nexus_operation_span(OFF, RUN, operation, start=START, outcome=OPEN, given=[]).span_id
        for operation in (FIND, replace(FIND, operation="store"), replace(FIND, nth=2), replace(FIND, span_id=7))
    ]
    assert [f"{span_id:016x}" for span_id in ids] == [
        "0cfc57917ec150d6",
        "52acab1cdc0e50f1",
        "36f97a207a8e76e8",
        "0000000000000007",
    ]
