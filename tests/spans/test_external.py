"""The spans of what a workflow asks of others, whole."""

from __future__ import annotations

from dataclasses import replace

from tests.spans.research import COMMON, OFF, ON, QUESTION, RESOURCE, RUN, RUN_SPAN, SECOND, START, TRACE
from tracing.failures import refused
from tracing.spans.external import ExternalCancel, ExternalSignal, external_cancel_span, external_signal_span
from tracing.spans.model import Event, Link, Span, SpanKind, StatusCode
from tracing.spans.step import Outcome

SIGNAL = ExternalSignal("hurry", "other", run_id="other-run")
CANCEL = ExternalCancel("1", run_id="other-run")
DONE = Outcome(START + SECOND)


def test_a_signal_to_another_workflow() -> None:
    span = external_signal_span(
        ON, RUN, SIGNAL, start=START + 1, outcome=DONE, given=[QUESTION], summary=QUESTION, links=(Link(1, 2),)
    )
    assert span == Span(
        trace_id=TRACE,
        span_id=0x7B699DA77191F56E,
        parent_id=RUN_SPAN,
        name="SignalExternalWorkflow:hurry",
        kind=SpanKind.CLIENT,
        start=START,
        end=START + SECOND,
        attributes=COMMON
        | {
            "temporal.signal.name": "hurry",
            "temporal.target.workflow_id": "other",
            "temporal.target.run_id": "other-run",
            "temporal.summary": "why?",
            "openinference.span.kind": "CHAIN",
            "input.value": "why?",
            "input.mime_type": "text/plain",
            "output.value": "null",
            "output.mime_type": "application/json",
        },
        links=(Link(1, 2),),
        resource=RESOURCE,
    )


def test_a_signal_to_a_child_is_named_so() -> None:
    signal = ExternalSignal("hurry", "child-1", child=True)
    span = external_signal_span(OFF, RUN, signal, start=START, outcome=DONE, given=[QUESTION])
    assert (span.name, span.attributes) == (
        "SignalChildWorkflow:hurry",
        COMMON
        | {
            "temporal.signal.name": "hurry",
            "temporal.target.workflow_id": "child-1",
            "openinference.span.kind": "CHAIN",
        },
    )


def test_its_id_is_that_of_our_header_or_follows_from_the_order_of_the_calls() -> None:
    ids = [
        external_signal_span(OFF, RUN, signal, start=START, outcome=DONE, given=[]).span_id
        for signal in (
            SIGNAL,
            replace(SIGNAL, workflow_id="another"),
            replace(SIGNAL, nth=2),
            replace(SIGNAL, span_id=7),
        )
    ]
    assert [f"{span_id:016x}" for span_id in ids] == [
        "7b699da77191f56e",
        "7b699da77191f56e",
        "8ad7dd30201642a2",
        "0000000000000007",
    ]


def test_a_signal_that_was_refused() -> None:
    outcome = Outcome(START, failure=refused("EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND"))
    span = external_signal_span(OFF, RUN, SIGNAL, start=START, outcome=outcome, given=[])
    assert (span.status, span.attributes["error.type"], span.events) == (
        StatusCode.ERROR,
        "EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND",
        (Event("exception", START, {"exception.type": "EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND"}),),
    )


def test_a_cancellation() -> None:
    assert external_cancel_span(ON, RUN, CANCEL, start=START + 1, outcome=DONE, links=(Link(1, 2),)) == Span(
        trace_id=TRACE,
        span_id=0xAB7E800E3943A160,
        parent_id=RUN_SPAN,
        name="RequestCancelExternalWorkflow",
        kind=SpanKind.CLIENT,
        start=START,
        end=START + SECOND,
        attributes=COMMON
        | {
            "temporal.target.workflow_id": "1",
            "temporal.target.run_id": "other-run",
            "openinference.span.kind": "CHAIN",
        },
        links=(Link(1, 2),),
        resource=RESOURCE,
    )


def test_the_second_cancellation_of_a_workflow_is_another_step() -> None:
    second = external_cancel_span(OFF, RUN, ExternalCancel("1", nth=2), start=START, outcome=DONE)
    assert f"{second.span_id:016x}" == "9011cc589847d62f"
    assert "temporal.target.run_id" not in second.attributes
