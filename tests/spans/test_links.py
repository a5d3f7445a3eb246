"""What is a run linked to: the run before it, what made its schedule, another tool's trace?"""

from __future__ import annotations

from typing import Any

import pytest

from tests.spans.research import RUN_ID
from tracing.headers import SpanReference, TraceHeader
from tracing.identity import run_span_id, run_trace_id
from tracing.runs import RunStart
from tracing.spans.links import caused_by, start_links
from tracing.spans.model import Link

BEFORE = "0199c0de-0000-7000-8000-000000000000"
FIRST = "0199c0de-0000-7000-8000-00000000ffff"
CLIENT = SpanReference(0x1111, 0x2222)
NAMED = {"temporalRunID": BEFORE}


def links(header: TraceHeader | None = None, **start: Any) -> tuple[Link, ...]:
    given = {"namespace": "default", "workflow_id": "research-1", "workflow_type": "Research", "first_run_id": RUN_ID}
    return start_links(RunStart(run_id=RUN_ID, header=header, **{**given, **start}))


def test_a_first_run_has_none() -> None:
    assert links(TraceHeader(traceparent=str(CLIENT))) == ()


def test_the_run_before_is_in_a_trace_of_its_own() -> None:
    assert links(continued_run_id=BEFORE, first_run_id=FIRST) == (
        Link(run_trace_id(BEFORE), run_span_id(BEFORE), NAMED),
    )


def test_a_run_that_continues_as_new_says_in_which_trace_it_is() -> None:
    previous = SpanReference(0xABC, run_span_id(BEFORE))
    assert links(TraceHeader(previous=str(previous)), continued_run_id=BEFORE, first_run_id=BEFORE) == (
        Link(0xABC, run_span_id(BEFORE), NAMED),
    )


def test_the_retry_of_such_a_run_has_a_copy_of_its_header_which_names_another() -> None:
    previous = SpanReference(0xABC, run_span_id(FIRST))
    assert links(TraceHeader(previous=str(previous)), continued_run_id=BEFORE, first_run_id=FIRST) == (
        Link(run_trace_id(BEFORE), run_span_id(BEFORE), NAMED),
    )


def test_the_retry_of_a_first_run_links_into_the_clients_trace() -> None:
    header = TraceHeader(traceparent=str(CLIENT))
    assert links(header, continued_run_id=BEFORE, first_run_id=BEFORE) == (Link(0x1111, run_span_id(BEFORE), NAMED),)


def test_the_retry_of_a_later_run_does_not() -> None:
    header = TraceHeader(traceparent=str(CLIENT))
    assert links(header, continued_run_id=BEFORE, first_run_id=FIRST) == (
        Link(run_trace_id(BEFORE), run_span_id(BEFORE), NAMED),
    )


@pytest.mark.parametrize("start", [{"cron": True}, {"scheduled": True}], ids=["cron", "schedule"])
def test_nor_does_that_of_a_run_which_was_in_no_clients_trace(start: dict[str, Any]) -> None:
    header = TraceHeader(traceparent=str(CLIENT))
    [before, *_] = links(header, continued_run_id=BEFORE, first_run_id=BEFORE, **start)
    assert before == Link(run_trace_id(BEFORE), run_span_id(BEFORE), NAMED)


def test_a_scheduled_run_is_linked_to_what_made_the_schedule() -> None:
    assert links(TraceHeader(traceparent=str(CLIENT)), scheduled=True) == (Link(0x1111, 0x2222),)


def test_a_run_of_another_tools_trace_is_linked_to_it() -> None:
    assert links(foreign=SpanReference(0x3333, 0x4444)) == (Link(0x3333, 0x4444),)


@pytest.mark.parametrize("header", [None, TraceHeader(), TraceHeader(traceparent="broken")])
def test_who_sends_no_trace_is_linked_to_nothing(header: TraceHeader | None) -> None:
    assert caused_by(header) == ()
