"""The local activities of a run, as its worker sees them.

A workflow task with local activities has several activations: what goes to the server goes with the last. The end of
one comes at a workflow time of its own, within the task that goes on.
"""

from __future__ import annotations

from tests.live.workflows.steps.commands import cancel_activity, cancel_timer, complete, schedule, schedule_local, timer
from tests.live.workflows.steps.jobs import backed_off, canceled_activity, completed, failed, fired
from tests.live.workflows.steps.payloads import (
    EARLIER,
    MS,
    RUN_ID,
    STARTED_S,
    canceled,
    error_with_ledger,
    ledger,
    text,
    with_ledger,
)
from tests.live.workflows.steps.worker import ON, Worker
from tracing.config import TracingConfig
from tracing.headers import TraceHeader, read_header
from tracing.identity import step_span_id

STARTED_US = STARTED_S * 1_000_000
LOCAL = ("temporal.local", "temporalActivityID", "temporal.attempts", "durable.llm.calls", "durable.unclosed")


def ran(activity_id: str, started_ms: float, *, scheduled_ms: float, took_ms: float, attempt: int = 1) -> bytes:
    """The ledger of one that was scheduled and started at these times of its worker's clock, after the run's start."""
    return ledger(
        activity_id,
        attempt=attempt,
        started_us=STARTED_US + round(started_ms * 1_000),
        scheduled_us=STARTED_US + round(scheduled_ms * 1_000),
        duration_ns=round(took_ms * MS),
    )


def test_without_a_ledger_it_lasts_from_its_task_to_the_activation_that_ends_it() -> None:
    worker = Worker(ON)
    worker.task(commands=[schedule_local(1)], ms=10)
    worker.task(completed(1, local=True), commands=[complete()], ms=14, same_task=True)
    assert (
        worker.trace(*LOCAL, "input.value", "output.value", "temporal.max_attempts", "temporal.task_queue")
        == """
RunWorkflow:Research SERVER 0..14 ms
  input.value: 'a question'
  output.value: 'done'
  temporal.task_queue: 'test'
  StartActivity:look_up CLIENT 10..14 ms
    input.value: 'null'
    output.value: 'because'
    temporal.local: True
    temporal.task_queue: 'test'
    temporalActivityID: '1'
"""
    )
    assert worker.held.spans[0].span_id == step_span_id(RUN_ID, "local_activity", "1")


def test_with_a_ledger_its_times_are_the_workers_own() -> None:
    worker = Worker()
    worker.task(commands=[schedule_local(1)], ms=10)
    data = ran("1", 11, scheduled_ms=10.5, took_ms=3)
    worker.task(completed(1, with_ledger(text("because"), data), local=True), ms=14, same_task=True)
    assert (
        worker.trace("temporal.attempts", "durable.llm.calls")
        == """
StartActivity:look_up CLIENT 0..3.5 ms (parent ba9a8c23fb2921d1)
  durable.llm.calls: 1
  temporal.attempts: 1
"""
    )
    assert worker.held.spans[0].start == (STARTED_US + 10_500) * 1_000


def test_the_second_one_of_a_task_begins_with_the_task_where_no_ledger_says_better() -> None:
    worker = Worker()
    worker.task(commands=[schedule_local(1)], ms=10)
    worker.task(completed(1, local=True), commands=[schedule_local(2)], ms=14, same_task=True)
    worker.task(completed(2, local=True), commands=[complete()], ms=19, same_task=True)
    assert (
        worker.trace("temporalActivityID")
        == """
RunWorkflow:Research SERVER 0..19 ms
  StartActivity:look_up CLIENT 10..14 ms
    temporalActivityID: '1'
  StartActivity:look_up CLIENT 10..19 ms
    temporalActivityID: '2'
"""
    )


def test_what_is_asked_for_after_one_has_ended_begins_with_the_task_as_well() -> None:
    worker = Worker()
    worker.task(commands=[schedule_local(1)], ms=10)
    worker.task(completed(1, local=True), commands=[timer(1)], ms=14, same_task=True)
    worker.task(fired(1), ms=5_014)
    assert [(span.name, span.start) for span in worker.held.spans] == [
        ("StartActivity:look_up", (STARTED_US + 10_000) * 1_000),
        ("Timer", (STARTED_US + 10_000) * 1_000),
    ]


def test_one_that_fails() -> None:
    worker = Worker(ON)
    worker.task(commands=[schedule_local(1)], ms=10)
    data = ran("1", 11, scheduled_ms=10, took_ms=2, attempt=3)
    worker.task(failed(1, error_with_ledger(data), local=True), ms=14, same_task=True)
    assert (
        worker.trace("error.type", "temporal.attempts", "temporal.retry_state")
        == """
StartActivity:look_up CLIENT ERROR 'boom' 0..3 ms (parent ba9a8c23fb2921d1)
  error.type: 'ValueError'
  temporal.attempts: 3
  * exception 3 ms
"""
    )


def test_one_that_is_cancelled_in_the_task_that_asks_for_it_leaves_a_marker_and_so_a_span() -> None:
    worker = Worker()
    worker.task(commands=[schedule_local(1), timer(1)], ms=10)
    worker.task(failed(1, canceled(), local=True), ms=12, same_task=True)
    assert (
        worker.trace("error.type")
        == """
StartActivity:look_up CLIENT 0..2 ms (parent ba9a8c23fb2921d1)
  error.type: 'CanceledError'
"""
    )


def test_tries_that_back_off_are_one_step_under_the_first_ones_id() -> None:
    first_scheduled = (STARTED_US + 10_400) * 1_000 + 365
    worker = Worker()
    [first] = worker.task(commands=[schedule_local(1)], ms=10)
    worker.task(backed_off(1, first_scheduled), commands=[timer(1, 60)], ms=12, same_task=True)
    [second] = worker.task(fired(1), commands=[schedule_local(2, scheduled_ns=first_scheduled)], ms=60_012)
    worker.task(backed_off(2, first_scheduled, 3), commands=[timer(2, 60)], ms=60_015, same_task=True)
    worker.task(fired(2), commands=[schedule_local(3, scheduled_ns=first_scheduled)], ms=120_015)
    data = ran("3", 120_016, scheduled_ms=120_015, took_ms=2, attempt=3)
    worker.task(completed(3, with_ledger(text("because"), data), local=True), ms=120_018, same_task=True)
    assert (
        worker.trace(*LOCAL)
        == """
Timer INTERNAL 0..60002 ms (parent ba9a8c23fb2921d1)
StartActivity:look_up CLIENT 0.4..120008 ms (parent ba9a8c23fb2921d1)
  durable.llm.calls: 1
  temporal.attempts: 3
  temporal.local: True
  temporalActivityID: '1'
Timer INTERNAL 60002..120005 ms (parent ba9a8c23fb2921d1)
"""
    )
    step = step_span_id(RUN_ID, "local_activity", "1")
    assert step in {span.span_id for span in worker.held.spans}
    for command in (first, second):
        header = read_header(command.schedule_local_activity.headers)
        assert header
        assert header.parent
        assert header.parent.span_id == step


def test_one_that_backed_off_ends_with_the_run_and_one_that_runs_leaves_no_event_and_no_span() -> None:
    first_scheduled = (STARTED_US + 10_400) * 1_000
    worker = Worker()
    worker.task(commands=[schedule_local(1)], ms=10)
    worker.task(backed_off(1, first_scheduled), commands=[timer(1, 60)], ms=12, same_task=True)
    worker.task(commands=[schedule_local(2), complete()], ms=20)
    assert (
        worker.trace("durable.unclosed", "temporalActivityID")
        == """
RunWorkflow:Research SERVER 0..20 ms
  Timer INTERNAL 10..20 ms
    durable.unclosed: True
  StartActivity:look_up CLIENT 10.4..20 ms
    durable.unclosed: True
    temporalActivityID: '1'
"""
    )


def test_while_one_runs_the_task_is_not_done() -> None:
    worker = Worker()
    worker.task(commands=[schedule_local(1), timer(1)])
    worker.task(completed(1, local=True), commands=[complete()], same_task=True)
    assert worker.held.may_idle == [False, True]


def test_what_is_cancelled_meanwhile_was_never_sent() -> None:
    worker = Worker()
    worker.task(commands=[schedule_local(1), timer(1), schedule(2)])
    worker.task(completed(1, local=True), commands=[cancel_timer(1), cancel_activity(2)], same_task=True)
    worker.task(canceled_activity(2), same_task=True)
    assert [span.name for span in worker.held.spans] == ["StartActivity:look_up"]


def test_the_header_that_it_gets() -> None:
    [command] = Worker(header=TraceHeader(session="chat-17")).task(commands=[schedule_local(1)])
    span_id = step_span_id(RUN_ID, "local_activity", "1")
    assert read_header(command.schedule_local_activity.headers) == TraceHeader(
        traceparent=f"00-0884fd559f037feb254717f53be6bb10-{span_id:016x}-01",
        session="chat-17",
        resource={"service.name": "agents"},
    )


def test_its_model_calls_count_for_the_run_also_where_it_was_replayed() -> None:
    data = ran("1", 11, scheduled_ms=10, took_ms=2)
    worker = Worker()
    worker.task(commands=[schedule_local(1)], replaying=True)
    result = completed(1, with_ledger(text("because"), data), local=True)
    worker.task(result, commands=[timer(1)], same_task=True, replaying=True)
    worker.task(fired(1), commands=[complete()])
    assert (
        worker.trace("durable.llm.calls")
        == """
RunWorkflow:Research SERVER 0..20 ms
  durable.llm.calls: 1
  Timer INTERNAL 10..20 ms
"""
    )


def test_a_ledger_of_another_run_is_not_believed() -> None:
    worker = Worker()
    worker.task(commands=[schedule_local(1)], ms=10)
    copied = with_ledger(text("because"), ledger("1", run_id=EARLIER, scheduled_us=1))
    worker.task(completed(1, copied, local=True), ms=14, same_task=True)
    assert (
        worker.trace("durable.llm.calls", "temporal.attempts")
        == """
StartActivity:look_up CLIENT 0..4 ms (parent ba9a8c23fb2921d1)
"""
    )


def test_one_of_an_excluded_type_has_no_span() -> None:
    worker = Worker(TracingConfig(exclude_activities=("look_*",)))
    [command] = worker.task(commands=[schedule_local(1)])
    worker.task(completed(1, local=True), commands=[complete()], same_task=True)
    header = read_header(command.schedule_local_activity.headers)
    assert header
    assert header.parent
    assert not header.parent.sampled
    assert [span.name for span in worker.held.spans] == ["RunWorkflow:Research"]
