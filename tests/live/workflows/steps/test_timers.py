"""The timers of a run, as its worker sees them."""

from __future__ import annotations

from tests.live.workflows.steps.commands import cancel_timer, complete, timer, with_summary
from tests.live.workflows.steps.jobs import fired
from tests.live.workflows.steps.worker import OFF, ON, Worker


def test_a_cancelled_one() -> None:
    worker = Worker()
    worker.task(commands=[timer(1)])
    worker.task(commands=[cancel_timer(1)])
    assert (
        worker.trace("temporal.timer.canceled")
        == """
Timer INTERNAL 0..10 ms (parent ba9a8c23fb2921d1)
  temporal.timer.canceled: True
"""
    )


def test_one_cancelled_in_the_task_that_set_it_was_never_sent() -> None:
    worker = Worker()
    worker.task(commands=[timer(1), cancel_timer(1)])
    assert worker.held.spans == []


def test_one_that_fired() -> None:
    for config, summary in ((ON, "A rest"), (OFF, None)):
        worker = Worker(config)
        worker.task(commands=[with_summary(timer(1), "A rest")])
        worker.task(fired(1))
        [span] = worker.held.spans
        assert span.attributes["temporal.timer.timeout"] == 5.0
        assert span.attributes.get("temporal.summary") == summary


def test_those_that_still_run_end_with_the_run() -> None:
    worker = Worker()
    worker.task(commands=[timer(1)])
    worker.task(commands=[timer(2), complete()])
    assert (
        worker.trace("temporal.timer.id", "temporal.timer.canceled", "durable.unclosed")
        == """
RunWorkflow:Research SERVER 0..20 ms
  Timer INTERNAL 10..20 ms
    durable.unclosed: True
    temporal.timer.id: '1'
  Timer INTERNAL 20..20 ms
    durable.unclosed: True
    temporal.timer.id: '2'
"""
    )
