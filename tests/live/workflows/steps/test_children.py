"""The children of a run, as its worker sees them."""

from __future__ import annotations

import pytest
from temporalio.bridge.proto.child_workflow import StartChildWorkflowExecutionFailedCause as Causes
from temporalio.bridge.proto.workflow_activation import WorkflowActivationJob

from tests.live.workflows.steps.commands import (
    ABANDON,
    REQUESTED,
    TRY,
    WAIT,
    cancel_child,
    complete,
    start_child,
    with_summary,
)
from tests.live.workflows.steps.jobs import (
    child_canceled,
    child_completed,
    child_failed,
    child_never_sent,
    child_refused,
    child_started,
    child_terminated,
    child_timed_out,
)
from tests.live.workflows.steps.payloads import RUN_ID
from tests.live.workflows.steps.worker import ON, Worker
from tracing.headers import TraceHeader, read_header
from tracing.identity import step_span_id


def test_from_its_start_to_its_end() -> None:
    worker = Worker(ON)
    worker.task(commands=[with_summary(start_child(1, task_queue="searches"), "Look for cats")])
    worker.task(child_started(1))
    worker.task(child_completed(1))
    assert (
        worker.trace(*TOLD)
        == """
StartChildWorkflow:Search CLIENT 0..20 ms (parent ba9a8c23fb2921d1)
  input.mime_type: 'text/plain'
  input.value: 'cats'
  output.mime_type: 'text/plain'
  output.value: 'found'
  temporal.summary: 'Look for cats'
  temporal.target.run_id: 'child-run'
  temporal.target.workflow_id: 'child-1'
  temporal.target.workflow_type: 'Search'
  temporal.task_queue: 'searches'
"""
    )
    [span] = worker.held.spans
    assert span.span_id == step_span_id(RUN_ID, "child_workflow", "child-1")


TOLD = {
    "input.value",
    "input.mime_type",
    "output.value",
    "output.mime_type",
    "temporal.summary",
    "temporal.task_queue",
    "temporal.target.run_id",
    "temporal.target.workflow_id",
    "temporal.target.workflow_type",
}


@pytest.mark.parametrize(
    ("job", "told"),
    [
        (
            child_failed(1),
            """
StartChildWorkflow:Search CLIENT ERROR 'boom' 0..20 ms (parent ba9a8c23fb2921d1)
  error.type: 'ValueError'
  temporal.retry_state: 'MAXIMUM_ATTEMPTS_REACHED'
  * exception 20 ms
""",
        ),
        (
            child_timed_out(1),
            """
StartChildWorkflow:Search CLIENT ERROR 'Timed out' 0..20 ms (parent ba9a8c23fb2921d1)
  error.type: 'TimeoutError'
  temporal.retry_state: 'TIMEOUT'
  temporal.timeout_type: 'START_TO_CLOSE'
  * exception 20 ms
""",
        ),
        (
            child_terminated(1),
            """
StartChildWorkflow:Search CLIENT ERROR 'Terminated' 0..20 ms (parent ba9a8c23fb2921d1)
  error.type: 'TerminatedError'
  temporal.retry_state: 'NON_RETRYABLE_FAILURE'
  * exception 20 ms
""",
        ),
        (
            child_canceled(1),
            """
StartChildWorkflow:Search CLIENT 0..20 ms (parent ba9a8c23fb2921d1)
  error.type: 'CanceledError'
  temporal.retry_state: 'NON_RETRYABLE_FAILURE'
""",
        ),
    ],
    ids=["failed", "timed out", "terminated", "cancelled"],
)
def test_how_it_ends_badly(job: WorkflowActivationJob, told: str) -> None:
    worker = Worker(ON)
    worker.task(commands=[start_child(1)])
    worker.task(child_started(1))
    worker.task(job)
    assert worker.trace("error.type", "temporal.retry_state", "temporal.timeout_type") == told


def test_one_that_could_not_be_started() -> None:
    worker = Worker()
    worker.task(commands=[start_child(1)])
    worker.task(child_refused(1, Causes.START_CHILD_WORKFLOW_EXECUTION_FAILED_CAUSE_WORKFLOW_ALREADY_EXISTS))
    worker.task(child_completed(1))  # as nobody will say
    assert (
        worker.trace("error.type", "temporal.target.run_id")
        == """
StartChildWorkflow:Search CLIENT ERROR 0..10 ms (parent ba9a8c23fb2921d1)
  error.type: 'WORKFLOW_ALREADY_EXISTS'
  * exception 10 ms
"""
    )


@pytest.mark.parametrize("cause", Causes.values())
def test_each_cause_that_core_knows_has_a_name(cause: int) -> None:
    worker = Worker()
    worker.task(commands=[start_child(1)])
    worker.task(child_refused(1, cause))
    [span] = worker.held.spans
    core_name = Causes.Name(cause).removeprefix(  # type: ignore[arg-type] # of the enum
        "START_CHILD_WORKFLOW_EXECUTION_FAILED_CAUSE_"
    )
    assert span.attributes["error.type"] == core_name


def test_one_cancelled_before_it_was_sent_leaves_nothing() -> None:
    worker = Worker()
    worker.task(commands=[start_child(1), cancel_child(1)])
    worker.task(child_never_sent(1), same_task=True)
    worker.task(commands=[complete()])
    assert [span.name for span in worker.held.spans] == ["RunWorkflow:Research"]


@pytest.mark.parametrize(("cancellation", "ends"), [(TRY, 20), (WAIT, 30)], ids=["try", "wait"])
def test_a_cancelled_one_ends_where_the_workflow_goes_on(cancellation: int, ends: int) -> None:
    worker = Worker()
    worker.task(commands=[start_child(1, cancellation=cancellation)], ms=0)
    worker.task(child_started(1), ms=10)
    worker.task(commands=[cancel_child(1)], ms=20)
    if cancellation == TRY:
        worker.task(child_canceled(1), ms=20, same_task=True)
    else:
        worker.task(child_canceled(1), ms=30)
    assert (
        worker.trace("error.type")
        == f"""
StartChildWorkflow:Search CLIENT 0..{ends} ms (parent ba9a8c23fb2921d1)
  error.type: 'CanceledError'
"""
    )


def test_an_abandoned_one_is_not_told_to_its_end() -> None:
    worker = Worker()
    worker.task(commands=[start_child(1, cancellation=ABANDON)])
    worker.task(child_started(1))
    worker.task(commands=[cancel_child(1)])
    worker.task(child_canceled(1), same_task=True)
    worker.task(commands=[complete()])
    assert [span.name for span in worker.held.spans] == ["RunWorkflow:Research"]


def test_a_detached_one_ends_with_the_run() -> None:
    worker = Worker()
    worker.task(commands=[start_child(1)])
    worker.task(child_started(1), commands=[complete()])
    assert (
        worker.trace("durable.unclosed", "temporal.target.run_id")
        == """
RunWorkflow:Research SERVER 0..20 ms
  StartChildWorkflow:Search CLIENT 10..20 ms
    durable.unclosed: True
    temporal.target.run_id: 'child-run'
"""
    )


def test_the_header_that_a_child_gets() -> None:
    given = TraceHeader(session="chat-17", user="ada", tags=("beta",), environment="staging")
    [command] = Worker(header=given).task(commands=[start_child(1)])
    assert read_header(command.start_child_workflow_execution.headers) == TraceHeader(
        traceparent=f"00-0884fd559f037feb254717f53be6bb10-{step_span_id(RUN_ID, 'child_workflow', 'child-1'):016x}-01",
        session="chat-17",
        user="ada",
        tags=("beta",),
        environment="staging",
        resource={"service.name": "agents"},
    )


def test_where_no_session_was_set_it_is_the_parents_workflow_id_for_the_child_as_well() -> None:
    [command] = Worker().task(commands=[start_child(1)])
    header = read_header(command.start_child_workflow_execution.headers)
    assert header
    assert header.session == "research-1"


@pytest.mark.parametrize(
    ("cancellation", "told"),
    [(WAIT, None), (REQUESTED, None), (TRY, "try"), (ABANDON, "abandon")],
    ids=["wait", "requested, which waits as long", "try", "abandon"],
)
def test_the_header_says_how_the_workflow_cancels_it(cancellation: int, told: str | None) -> None:
    [command] = Worker().task(commands=[start_child(1, cancellation=cancellation)])
    header = read_header(command.start_child_workflow_execution.headers)
    assert header
    assert header.cancellation == told


def test_the_second_use_of_a_workflow_id_is_another_step() -> None:
    worker = Worker()
    worker.task(commands=[start_child(1)])
    worker.task(child_started(1))
    [command] = worker.task(child_completed(1), commands=[start_child(2)])
    header = read_header(command.start_child_workflow_execution.headers)
    assert header
    assert header.parent
    assert (header.nth, header.parent.span_id) == (2, step_span_id(RUN_ID, "child_workflow", "child-1", 2))


def test_replayed_it_makes_nothing_but_is_followed() -> None:
    worker = Worker()
    worker.task(commands=[start_child(1), start_child(2, "child-2")], replaying=True)
    worker.task(child_started(1), child_started(2), replaying=True)
    worker.task(child_completed(1), replaying=True)
    worker.task(child_completed(2))
    assert (
        worker.trace("temporal.target.workflow_id", "temporal.target.run_id")
        == """
StartChildWorkflow:Search CLIENT 0..30 ms (parent ba9a8c23fb2921d1)
  temporal.target.run_id: 'child-run'
  temporal.target.workflow_id: 'child-2'
"""
    )
