"""What a run asks of other workflows, as its worker sees it."""

from __future__ import annotations

from temporalio.api.enums.v1 import (
    CancelExternalWorkflowExecutionFailedCause,
    SignalExternalWorkflowExecutionFailedCause,
)

from tests.live.workflows.steps.commands import (
    cancel_other,
    complete,
    signal_child,
    signal_other,
    take_signal_back,
    with_summary,
)
from tests.live.workflows.steps.jobs import cancel_refused, cancel_sent, signal_refused, signal_sent
from tests.live.workflows.steps.payloads import RUN_ID
from tests.live.workflows.steps.worker import ON, Worker
from tracing.headers import TraceHeader, read_header
from tracing.identity import step_span_id

TOLD = (
    "input.value",
    "output.value",
    "temporal.signal.name",
    "temporal.summary",
    "temporal.target.run_id",
    "temporal.target.workflow_id",
    "error.type",
    "durable.unclosed",
)


class TestSignals:
    def test_to_a_child(self) -> None:
        worker = Worker(ON)
        worker.task(commands=[signal_child(1)])
        worker.task(signal_sent(1))
        assert (
            worker.trace(*TOLD)
            == """
SignalChildWorkflow:hurry CLIENT 0..10 ms (parent ba9a8c23fb2921d1)
  input.value: 'now'
  output.value: 'null'
  temporal.signal.name: 'hurry'
  temporal.target.workflow_id: 'child-1'
"""
        )
        assert worker.held.spans[0].span_id == step_span_id(RUN_ID, "external_signal", "1")

    def test_to_another_workflow(self) -> None:
        worker = Worker(ON)
        worker.task(commands=[with_summary(signal_other(1, run_id="other-run"), "Hurry up")])
        worker.task(signal_sent(1))
        assert (
            worker.trace(*TOLD)
            == """
SignalExternalWorkflow:hurry CLIENT 0..10 ms (parent ba9a8c23fb2921d1)
  input.value: 'now'
  output.value: 'null'
  temporal.signal.name: 'hurry'
  temporal.summary: 'Hurry up'
  temporal.target.run_id: 'other-run'
  temporal.target.workflow_id: 'other'
"""
        )

    def test_one_that_could_not_be_delivered(self) -> None:
        cause = SignalExternalWorkflowExecutionFailedCause
        not_found = cause.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND
        worker = Worker()
        worker.task(commands=[signal_other(1)])
        worker.task(signal_refused(1, not_found))
        assert (
            worker.trace("error.type", "exception.type")
            == """
SignalExternalWorkflow:hurry CLIENT ERROR 0..10 ms (parent ba9a8c23fb2921d1)
  error.type: 'EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND'
  * exception 10 ms
    exception.type: 'EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND'
"""
        )

    def test_one_taken_back_in_the_task_that_asked_for_it_was_never_sent(self) -> None:
        worker = Worker()
        worker.task(commands=[signal_other(1), take_signal_back(1)])
        worker.task(signal_refused(1, 0), same_task=True)
        worker.task(commands=[complete()])
        assert [span.name for span in worker.held.spans] == ["RunWorkflow:Research"]

    def test_one_taken_back_later_was_sent(self) -> None:
        worker = Worker()
        worker.task(commands=[signal_other(1)])
        worker.task(commands=[take_signal_back(1)])
        worker.task(signal_sent(1))
        assert (
            worker.trace()
            == """
SignalExternalWorkflow:hurry CLIENT 0..20 ms (parent ba9a8c23fb2921d1)
"""
        )

    def test_the_header_that_it_carries(self) -> None:
        worker = Worker(header=TraceHeader(session="chat-17"))
        _, command = worker.task(commands=[signal_child(1), signal_other(2)])
        span_id = step_span_id(RUN_ID, "external_signal", "2")
        assert read_header(command.signal_external_workflow_execution.headers) == TraceHeader(
            traceparent=f"00-0884fd559f037feb254717f53be6bb10-{span_id:016x}-01",
            session="chat-17",
            resource={"service.name": "agents"},
            nth=2,
        )


class TestCancellations:
    def test_of_another_workflow(self) -> None:
        worker = Worker(ON)
        worker.task(commands=[cancel_other(1), cancel_other(2, run_id="other-run")])
        worker.task(cancel_sent(1))
        worker.task(cancel_sent(2))
        assert (
            worker.trace(*TOLD)
            == """
RequestCancelExternalWorkflow CLIENT 0..10 ms (parent ba9a8c23fb2921d1)
  temporal.target.workflow_id: 'other'
RequestCancelExternalWorkflow CLIENT 0..20 ms (parent ba9a8c23fb2921d1)
  temporal.target.run_id: 'other-run'
  temporal.target.workflow_id: 'other'
"""
        )
        assert [span.span_id for span in worker.held.spans] == [
            step_span_id(RUN_ID, "external_cancel", "other", nth) for nth in (1, 2)
        ]

    def test_one_that_could_not_be_delivered(self) -> None:
        cause = CancelExternalWorkflowExecutionFailedCause
        not_found = cause.CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND
        worker = Worker()
        worker.task(commands=[cancel_other(1)])
        worker.task(cancel_refused(1, not_found))
        assert (
            worker.trace("error.type")
            == """
RequestCancelExternalWorkflow CLIENT ERROR 0..10 ms (parent ba9a8c23fb2921d1)
  error.type: 'EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND'
  * exception 10 ms
"""
        )


def test_replayed_they_make_nothing_but_are_followed() -> None:
    worker = Worker()
    worker.task(commands=[signal_other(1), cancel_other(1), signal_other(2), cancel_other(2)], replaying=True)
    worker.task(signal_sent(1), cancel_sent(1), replaying=True)
    worker.task(signal_sent(2), cancel_sent(2))
    assert [span.span_id for span in worker.held.spans] == [
        step_span_id(RUN_ID, "external_signal", "2"),
        step_span_id(RUN_ID, "external_cancel", "other", 2),
    ]
