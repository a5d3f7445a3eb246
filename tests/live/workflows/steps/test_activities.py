"""The activities of a run, as its worker sees them."""

from __future__ import annotations

import tracemalloc

from tests.live.workflows.steps.commands import cancel_activity, complete, schedule, with_summary
from tests.live.workflows.steps.jobs import canceled_activity, completed, failed
from tests.live.workflows.steps.payloads import EARLIER, RUN_ID, error_with_ledger, ledger, text, with_ledger
from tests.live.workflows.steps.worker import OFF, ON, Worker
from tracing.config import TracingConfig
from tracing.headers import TraceHeader, read_header
from tracing.identity import step_span_id


def test_a_failed_one() -> None:
    worker = Worker(ON)
    worker.task(commands=[schedule(1)])
    worker.task(failed(1, error_with_ledger(ledger(attempt=5))))
    assert (
        worker.trace("temporal.attempts", "durable.llm.calls", "error.type", "temporal.retry_state", "exception.type")
        == """
StartActivity:call_llm CLIENT ERROR 'boom' 0..10 ms (parent ba9a8c23fb2921d1)
  durable.llm.calls: 1
  error.type: 'ValueError'
  temporal.attempts: 5
  temporal.retry_state: 'MAXIMUM_ATTEMPTS_REACHED'
  * exception 10 ms
    exception.type: 'ValueError'
"""
    )


def test_a_cancelled_one() -> None:
    worker = Worker(ON)
    worker.task(commands=[schedule(1)])
    worker.task(commands=[cancel_activity(1)])
    worker.task(canceled_activity(1))
    assert (
        worker.trace("error.type")
        == """
StartActivity:call_llm CLIENT 0..20 ms (parent ba9a8c23fb2921d1)
  error.type: 'CanceledError'
"""
    )


def test_one_cancelled_in_the_task_that_issued_it_was_never_sent() -> None:
    worker = Worker()
    worker.task(commands=[schedule(1), cancel_activity(1)])
    worker.task(canceled_activity(1))
    assert worker.held.spans == []


def test_a_second_use_of_an_activity_id_is_another_step() -> None:
    worker = Worker()
    worker.task(commands=[schedule(1, "plan")])
    [command] = worker.task(completed(1), commands=[schedule(2, "plan")])
    worker.task(completed(2))
    header = read_header(command.schedule_activity.headers)
    assert header
    assert header.nth == 2
    assert [span.span_id for span in worker.held.spans] == [
        step_span_id(RUN_ID, "activity", "plan", nth) for nth in (1, 2)
    ]


def test_a_ledger_of_another_run_is_not_believed() -> None:
    worker = Worker()
    worker.task(commands=[schedule(1)])
    worker.task(completed(1, with_ledger(text("copied"), ledger(run_id=EARLIER))), commands=[complete()])
    assert (
        worker.trace("durable.llm.calls", "temporal.attempts")
        == """
RunWorkflow:Research SERVER 0..20 ms
  StartActivity:call_llm CLIENT 10..20 ms
"""
    )


def test_of_a_ledger_only_the_sum_is_kept_in_memory() -> None:
    worker = Worker(ON)
    worker.task(commands=[schedule(seq) for seq in range(1, 101)])
    before = 0
    tracemalloc.start()
    try:
        for seq in range(1, 101):
            data = ledger(str(seq)).ljust(60_000)
            before = before or tracemalloc.get_traced_memory()[0]
            worker.task(completed(seq, with_ledger(text("a"), data)))
            worker.held.spans.clear()
        after = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert after - before < 1_000_000
    worker.task(commands=[complete()])
    [run] = worker.held.spans
    assert run.attributes["durable.llm.calls"] == 100


def test_the_header_that_an_activity_gets() -> None:
    worker = Worker(header=TraceHeader(session="chat-17", user="ada", tags=("beta",)))
    [command] = worker.task(commands=[schedule(1)])
    assert read_header(command.schedule_activity.headers) == TraceHeader(
        traceparent="00-0884fd559f037feb254717f53be6bb10-d1903ea4e88a9181-01",
        session="chat-17",
        user="ada",
        tags=("beta",),
        resource={"service.name": "agents"},
    )


def test_the_header_names_what_is_left_of_the_runs_budget_when_half_is_spent() -> None:
    size = len(ledger())
    worker = Worker(TracingConfig(max_ledger_bytes=size, max_run_ledger_bytes=2 * size))
    left: list[int | None] = []
    commands = worker.task(commands=[schedule(1)])
    for seq in (1, 2, 3):
        header = read_header(commands[0].schedule_activity.headers)
        assert header
        left.append(header.ledger_left)
        commands = worker.task(completed(seq, with_ledger(text("a"), ledger(str(seq)))), commands=[schedule(seq + 1)])
    assert left == [None, None, 0]


def test_many_at_once_share_the_runs_budget() -> None:
    commands = Worker().task(commands=[schedule(seq) for seq in range(1, 2_001)])
    headers = [read_header(command.schedule_activity.headers) for command in commands]
    left = [header.ledger_left for header in headers if header is not None]
    assert left[:64] == [None] * 64
    assert (left[64], left[-1]) == (4_194_304 // 65, 4_194_304 // 2_000)
    # Far from the 50 MiB at which the server ends a run.
    assert sum(65_536 if each is None else each for each in left) < 5 * 4_194_304


def test_a_cancelled_one_that_the_workflow_abandons_is_left_to_the_export() -> None:
    worker = Worker()
    [command] = worker.task(commands=[schedule(1, cancellation_type=2)])
    worker.task(commands=[cancel_activity(1)])
    worker.task(canceled_activity(1), same_task=True)
    worker.task(commands=[complete()])
    header = read_header(command.schedule_activity.headers)
    assert header
    assert header.cancellation == "abandon"
    assert [span.name for span in worker.held.spans] == ["RunWorkflow:Research"]


def test_the_header_says_that_the_workflow_waits_for_its_end() -> None:
    [try_cancel, wait] = Worker().task(commands=[schedule(1), schedule(2, cancellation_type=1)])
    told = [read_header(command.schedule_activity.headers) for command in (try_cancel, wait)]
    assert [header and header.cancellation for header in told] == [None, "wait"]


def test_its_summary_is_content() -> None:
    for config, summary in ((ON, "Ask the model"), (OFF, None)):
        worker = Worker(config)
        worker.task(commands=[with_summary(schedule(1), "Ask the model")])
        worker.task(completed(1))
        assert worker.held.spans[0].attributes.get("temporal.summary") == summary


def test_one_that_is_open_ends_with_the_run() -> None:
    worker = Worker()
    worker.task(commands=[schedule(1)])
    worker.task(commands=[complete()])
    assert (
        worker.trace("durable.unclosed", "temporal.attempts", "error.type")
        == """
RunWorkflow:Research SERVER 0..20 ms
  StartActivity:call_llm CLIENT 10..20 ms
    durable.unclosed: True
"""
    )
