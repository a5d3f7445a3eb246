"""The spans of timers and signals, whole."""

from __future__ import annotations

from tests.spans.research import COMMON, OFF, ON, QUESTION, RESOURCE, RUN, RUN_SPAN, SECOND, START, TRACE
from tracing.spans.model import Link, Span, SpanKind
from tracing.spans.signal import signal_span
from tracing.spans.step import OPEN, Outcome
from tracing.spans.timer import timer_span
from tracing.spans.wait import Answer, Wait


def test_a_timer_that_fired() -> None:
    span = timer_span(
        ON, RUN, "1", start=START + 1, outcome=Outcome(START + SECOND), timeout=SECOND // 2, summary=QUESTION
    )
    assert span == Span(
        trace_id=TRACE,
        span_id=0x0E89ECA9717449D6,
        parent_id=RUN_SPAN,
        name="Timer",
        kind=SpanKind.INTERNAL,
        start=START,
        end=START + SECOND,
        attributes=COMMON
        | {
            "temporal.timer.id": "1",
            "temporal.timer.timeout": 0.5,
            "temporal.summary": "why?",
            "openinference.span.kind": "CHAIN",
        },
        resource=RESOURCE,
    )


def test_a_timer_that_was_cancelled_says_so() -> None:
    span = timer_span(
        OFF,
        RUN,
        "1",
        start=START,
        outcome=Outcome(START + SECOND),
        timeout=24 * 3600 * SECOND,
        canceled=True,
        summary=QUESTION,
    )
    assert span.attributes == COMMON | {
        "temporal.timer.id": "1",
        "temporal.timer.timeout": 86_400.0,
        "temporal.timer.canceled": True,
        "openinference.span.kind": "CHAIN",
    }


def test_a_timer_that_waited_for_a_person_says_who_answered_and_links_to_the_answer() -> None:
    span = timer_span(
        OFF,
        RUN,
        "1",
        start=START,
        outcome=Outcome(START + SECOND),
        timeout=24 * 3600 * SECOND,
        canceled=True,
        summary=QUESTION,
        wait=Wait("answered", [Answer("signal", "1", "approve", "ada")]),
    )
    assert span.attributes == COMMON | {
        "temporal.timer.id": "1",
        "temporal.timer.timeout": 86_400.0,
        "temporal.timer.canceled": True,
        "temporal.wait.for": "person",
        "temporal.wait.outcome": "answered",
        "temporal.wait.answers": ("HandleSignal:approve",),
        "temporal.wait.answered_by": ("ada",),
        "openinference.span.kind": "CHAIN",
    }
    assert span.links == (Link(TRACE, signal_span(OFF, RUN, "approve", event_id=1, time=START, given=[]).span_id),)


def test_a_timer_that_runs_has_no_end() -> None:
    assert timer_span(OFF, RUN, "1", start=START, outcome=OPEN, timeout=SECOND).end is None


def test_a_timer_that_the_run_left_says_so() -> None:
    span = timer_span(OFF, RUN, "1", start=START, outcome=Outcome(START + SECOND, unclosed=True), timeout=SECOND)
    assert (span.end, span.attributes["durable.unclosed"]) == (START + SECOND, True)


def test_a_signal_is_an_instant_named_by_its_event() -> None:
    span = signal_span(ON, RUN, "approve", event_id=1, time=START + 999, given=[QUESTION], links=(Link(1, 2),))
    assert span == Span(
        trace_id=TRACE,
        span_id=0xD3765FC09F2E20B8,
        parent_id=RUN_SPAN,
        name="HandleSignal:approve",
        kind=SpanKind.SERVER,
        start=START,
        end=START,
        attributes=COMMON
        | {
            "temporal.signal.name": "approve",
            "openinference.span.kind": "CHAIN",
            "input.value": "why?",
            "input.mime_type": "text/plain",
            "output.value": "null",
            "output.mime_type": "application/json",
        },
        links=(Link(1, 2),),
        resource=RESOURCE,
    )


def test_content_off_leaves_out_its_arguments() -> None:
    span = signal_span(OFF, RUN, "approve", event_id=1, time=START, given=[QUESTION])
    assert span.attributes == COMMON | {"temporal.signal.name": "approve", "openinference.span.kind": "CHAIN"}
