"""The signals that a run receives, as its worker sees them."""

from __future__ import annotations

from tests.live.workflows.steps.jobs import completed, signal
from tests.live.workflows.steps.payloads import RUN_ID, TRACEPARENT
from tests.live.workflows.steps.worker import ON, Worker
from tracing.headers import TraceHeader
from tracing.identity import step_span_id
from tracing.spans.model import Link


def test_one_is_named_by_its_event_and_linked_to_its_sender() -> None:
    worker = Worker(ON)
    worker.task(signal("approve", 7, header=TraceHeader(traceparent=TRACEPARENT).encode()))
    assert (
        worker.trace("input.value", "output.value", "temporal.signal.name")
        == """
HandleSignal:approve SERVER 0..0 ms (parent ba9a8c23fb2921d1)
  input.value: 'yes'
  output.value: 'null'
  temporal.signal.name: 'approve'
  -> trace 11111111111111111111111111111111 span 2222222222222222
"""
    )
    [span] = worker.held.spans
    assert span.span_id == step_span_id(RUN_ID, "signal", "7")
    assert span.links == (Link(0x11111111111111111111111111111111, 0x2222222222222222),)


def test_one_whose_event_is_not_known_has_no_span() -> None:
    worker = Worker()
    worker.task(signal("approve", 0))
    assert worker.held.spans == []


def test_one_that_comes_with_the_end_of_a_local_activity_is_handled_in_that_task() -> None:
    worker = Worker()
    worker.task(ms=10)
    worker.task(signal("approve", 7), completed(9, local=True), ms=15)
    [span] = worker.held.spans
    assert span.start == 1_763_884_800_015_000_000
