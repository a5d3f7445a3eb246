"""The span of a child workflow, whole."""

from __future__ import annotations

from dataclasses import replace

from tests.spans.research import ANSWER, COMMON, OFF, ON, QUESTION, RESOURCE, RUN, RUN_SPAN, SECOND, START, TRACE
from tracing.failures import Failure, refused
from tracing.spans.child import Child, child_span
from tracing.spans.model import Event, Link, Span, SpanKind, StatusCode
from tracing.spans.step import OPEN, Outcome

CHILD = Child(workflow_id="1", workflow_type="Search", task_queue="searches")
TOLD = {
    "temporal.target.workflow_id": "1",
    "temporal.target.workflow_type": "Search",
    "temporal.task_queue": "searches",
    "openinference.span.kind": "CHAIN",
}


def test_one_that_completed() -> None:
    span = child_span(
        ON,
        RUN,
        CHILD,
        start=START + 999,
        outcome=Outcome(START + SECOND, [ANSWER]),
        given=[QUESTION],
        run_id="child-run",
        summary=QUESTION,
        links=(Link(1, 2),),
    )
    assert span == Span(
        trace_id=TRACE,
        span_id=0xF910CD1BEACA42AE,
        parent_id=RUN_SPAN,
        name="StartChildWorkflow:Search",
        kind=SpanKind.CLIENT,
        start=START,
        end=START + SECOND,
        attributes=COMMON
        | TOLD
        | {
            "temporal.target.run_id": "child-run",
            "temporal.summary": "why?",
            "input.value": "why?",
            "input.mime_type": "text/plain",
            "output.value": '{"answer":"because"}',
            "output.mime_type": "application/json",
        },
        links=(Link(1, 2),),
        resource=RESOURCE,
    )


def test_one_that_failed_names_what_the_child_raised() -> None:
    boom = Failure("application", "ValueError", "boom")
    raised = Failure("child_workflow", "ChildWorkflowError", retry_state="TIMEOUT", cause=boom)
    span = child_span(OFF, RUN, CHILD, start=START, outcome=Outcome(START, failure=raised), given=[QUESTION])
    assert span == Span(
        trace_id=TRACE,
        span_id=0xF910CD1BEACA42AE,
        parent_id=RUN_SPAN,
        name="StartChildWorkflow:Search",
        kind=SpanKind.CLIENT,
        start=START,
        end=START,
        attributes=COMMON | TOLD | {"error.type": "ValueError", "temporal.retry_state": "TIMEOUT"},
        status=StatusCode.ERROR,
        events=(Event("exception", START, {"exception.type": "ValueError"}),),
        resource=RESOURCE,
    )


def test_one_that_could_not_be_started_says_why() -> None:
    outcome = Outcome(START, failure=refused("WORKFLOW_ALREADY_EXISTS"))
    span = child_span(OFF, RUN, CHILD, start=START, outcome=outcome, given=[])
    assert (span.status, span.attributes) == (
        StatusCode.ERROR,
        COMMON | TOLD | {"error.type": "WORKFLOW_ALREADY_EXISTS"},
    )


def test_one_that_is_open_has_no_end_and_one_that_the_run_left_says_so() -> None:
    assert child_span(OFF, RUN, CHILD, start=START, outcome=OPEN, given=[]).end is None
    left = child_span(OFF, RUN, CHILD, start=START, outcome=Outcome(START, unclosed=True), given=[])
    assert left.attributes == COMMON | TOLD | {"durable.unclosed": True}


def test_its_id_is_that_of_our_header_or_follows_from_its_workflow_id_and_use() -> None:
    ids = [
        child_span(OFF, RUN, child, start=START, outcome=OPEN, given=[]).span_id
        for child in (CHILD, replace(CHILD, nth=2), replace(CHILD, span_id=0x1234))
    ]
    assert [f"{span_id:016x}" for span_id in ids] == ["f910cd1beaca42ae", "32e43ee3fbc3ae4a", "0000000000001234"]
