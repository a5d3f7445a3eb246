"""The updates that a run handles, as its worker sees them."""

from __future__ import annotations

from tests.live.workflows.steps.commands import accept, answer_update, complete, reject_update
from tests.live.workflows.steps.jobs import update
from tests.live.workflows.steps.payloads import RUN_ID, TRACEPARENT
from tests.live.workflows.steps.worker import ON, Worker
from tracing.headers import TraceHeader
from tracing.identity import step_span_id
from tracing.spans.model import Link

TOLD = ("input.value", "output.value", "temporal.update.id", "temporal.update.name", "error.type", "durable.unclosed")


def test_one_that_is_answered_in_the_task_that_accepts_it() -> None:
    worker = Worker(ON)
    worker.task(update(header=TraceHeader(traceparent=TRACEPARENT).encode()), commands=[accept(), answer_update()])
    assert (
        worker.trace(*TOLD)
        == """
HandleUpdate:add SERVER 0..0 ms (parent ba9a8c23fb2921d1)
  input.value: 'an item'
  output.value: 'added'
  temporal.update.id: 'add-1'
  temporal.update.name: 'add'
  -> trace 11111111111111111111111111111111 span 2222222222222222
"""
    )
    [span] = worker.held.spans
    assert span.span_id == step_span_id(RUN_ID, "update", "add-1")
    assert span.links == (Link(0x11111111111111111111111111111111, 0x2222222222222222),)


def test_one_whose_handler_takes_several_tasks() -> None:
    worker = Worker()
    worker.task(update(), commands=[accept()])
    worker.task()
    worker.task(commands=[answer_update()])
    assert (
        worker.trace()
        == """
HandleUpdate:add SERVER 0..20 ms (parent ba9a8c23fb2921d1)
"""
    )


def test_one_that_its_validator_refuses_is_an_instant() -> None:
    worker = Worker(ON)
    worker.task(update(), commands=[reject_update()])
    assert (
        worker.trace(*TOLD)
        == """
HandleUpdate:add SERVER ERROR 'no more' 0..0 ms (parent ba9a8c23fb2921d1)
  error.type: 'TooMuch'
  input.value: 'an item'
  output.value: 'null'
  temporal.update.id: 'add-1'
  temporal.update.name: 'add'
  * exception 0 ms
"""
    )


def test_one_that_its_handler_fails_began_when_it_was_accepted() -> None:
    worker = Worker()
    worker.task(update(), commands=[accept()])
    worker.task(commands=[reject_update()])
    assert (
        worker.trace("error.type")
        == """
HandleUpdate:add SERVER ERROR 0..10 ms (parent ba9a8c23fb2921d1)
  error.type: 'TooMuch'
  * exception 10 ms
"""
    )


def test_one_that_is_unfinished_ends_with_the_run() -> None:
    worker = Worker()
    worker.task(update(), commands=[accept()])
    worker.task(commands=[complete()])
    assert (
        worker.trace("durable.unclosed")
        == """
RunWorkflow:Research SERVER 0..20 ms
  HandleUpdate:add SERVER 10..20 ms
    durable.unclosed: True
"""
    )


def test_one_that_was_never_accepted_leaves_nothing() -> None:
    worker = Worker()
    worker.task(update(), commands=[complete()])
    assert [span.name for span in worker.held.spans] == ["RunWorkflow:Research"]


def test_two_at_a_time_are_told_apart() -> None:
    worker = Worker()
    worker.task(update("add-1", "u"), update("add-2", "v"), commands=[accept("u"), accept("v")])
    worker.task(commands=[answer_update("v")])
    worker.task(commands=[answer_update("u")])
    assert [(span.attributes["temporal.update.id"], span.end) for span in worker.held.spans] == [
        ("add-2", 1_763_884_800_020_000_000),
        ("add-1", 1_763_884_800_030_000_000),
    ]


def test_replayed_it_makes_nothing_but_is_followed() -> None:
    worker = Worker()
    worker.task(update(), update("add-2", "v"), commands=[accept(), accept("v")], replaying=True)
    worker.task(commands=[answer_update()], replaying=True)
    worker.task(commands=[answer_update("v")])
    assert (
        worker.trace("temporal.update.id")
        == """
HandleUpdate:add SERVER 0..20 ms (parent ba9a8c23fb2921d1)
  temporal.update.id: 'add-2'
"""
    )
