"""The spans of timers and signals, whole."""

from __future__ import annotations

from tests.spans.research import COMMON, OFF, ON, QUESTION, RESOURCE, RUN, RUN_SPAN, SECOND, START, TRACE
from tracing.spans.model import Span, SpanKind
from tracing.spans.signal import signal_span
from tracing.spans.timer import timer_span


def test_a_timer_that_fired() -> None:
    assert timer_span(RUN, "1", start=START + 1, end=START + SECOND, timeout=SECOND // 2) == Span(
        trace_id=TRACE,
        span_id=0x0E89ECA9717449D6,
        parent_id=RUN_SPAN,
        name="Timer",
        kind=SpanKind.INTERNAL,
        start=START,
        end=START + SECOND,
        attributes=COMMON
        | {"temporal.timer.id": "1", "temporal.timer.timeout": 0.5, "openinference.span.kind": "CHAIN"},
        resource=RESOURCE,
    )


def test_a_timer_that_was_cancelled_says_so() -> None:
    span = timer_span(RUN, "1", start=START, end=START + SECOND, timeout=24 * 3600 * SECOND, canceled=True)
    assert span.attributes == COMMON | {
        "temporal.timer.id": "1",
        "temporal.timer.timeout": 86_400.0,
        "temporal.timer.canceled": True,
        "openinference.span.kind": "CHAIN",
    }


def test_a_timer_that_runs_has_no_end() -> None:
    assert timer_span(RUN, "1", start=START, end=None, timeout=SECOND).end is None


def test_a_signal_is_an_instant_named_by_its_event() -> None:
    assert signal_span(ON, RUN, "approve", event_id=1, time=START + 999, given=[QUESTION]) == Span(
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
        resource=RESOURCE,
    )


def test_content_off_leaves_out_its_arguments() -> None:
    span = signal_span(OFF, RUN, "approve", event_id=1, time=START, given=[QUESTION])
    assert span.attributes == COMMON | {"temporal.signal.name": "approve", "openinference.span.kind": "CHAIN"}
