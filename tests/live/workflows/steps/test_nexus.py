"""The Nexus operations that a run calls, as its worker sees them."""

from __future__ import annotations

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.bridge.proto.nexus import NexusOperationCancellationType
from temporalio.bridge.proto.workflow_activation import WorkflowActivationJob

from tests.live.workflows.steps.commands import call_nexus, cancel_nexus, complete, with_summary
from tests.live.workflows.steps.jobs import (
    nexus_answered_at_once,
    nexus_canceled,
    nexus_completed,
    nexus_failed,
    nexus_not_started,
    nexus_started,
    nexus_timed_out,
)
from tests.live.workflows.steps.payloads import RUN_ID, canceled, error
from tests.live.workflows.steps.worker import ON, Worker
from tracing.identity import step_span_id


def test_one_that_answers_at_once() -> None:
    worker = Worker(ON)
    worker.task(commands=[with_summary(call_nexus(1), "Ask the archive")])
    worker.task(nexus_answered_at_once(1), nexus_completed(1))
    assert (
        worker.trace(
            "input.value",
            "output.value",
            "temporal.summary",
            "temporal.nexus.endpoint",
            "temporal.nexus.service",
            "temporal.nexus.operation",
        )
        == """
StartNexusOperation:Archive/find CLIENT 0..10 ms (parent ba9a8c23fb2921d1)
  input.value: 'cats'
  output.value: 'found'
  temporal.nexus.endpoint: 'archive'
  temporal.nexus.operation: 'find'
  temporal.nexus.service: 'Archive'
  temporal.summary: 'Ask the archive'
"""
    )
    assert worker.held.spans[0].span_id == step_span_id(RUN_ID, "nexus_operation", "archive/Archive/find")


def test_what_a_codec_makes_of_its_input_is_not_what_workflow_code_gave() -> None:
    worker = Worker(ON)
    [command] = worker.task(commands=[call_nexus(1)])
    # As the SDK encodes a command, when the workflow's task is over and before the operation is.
    command.schedule_nexus_operation.input.CopyFrom(Payload(metadata={"encoding": b"binary/encrypted"}))
    worker.task(nexus_answered_at_once(1), nexus_completed(1))
    assert (
        worker.trace("input.value")
        == """
StartNexusOperation:Archive/find CLIENT 0..10 ms (parent ba9a8c23fb2921d1)
  input.value: 'cats'
"""
    )


def test_one_that_takes_its_time() -> None:
    worker = Worker()
    worker.task(commands=[call_nexus(1)])
    worker.task(nexus_started(1))
    worker.task(nexus_completed(1))
    assert (
        worker.trace()
        == """
StartNexusOperation:Archive/find CLIENT 0..20 ms (parent ba9a8c23fb2921d1)
"""
    )


@pytest.mark.parametrize(
    ("job", "told"),
    [
        (
            nexus_failed(1, error()),
            """
StartNexusOperation:Archive/find CLIENT ERROR 'boom' 0..10 ms (parent ba9a8c23fb2921d1)
  error.type: 'ValueError'
  * exception 10 ms
""",
        ),
        (
            nexus_not_started(1, error()),
            """
StartNexusOperation:Archive/find CLIENT ERROR 'boom' 0..10 ms (parent ba9a8c23fb2921d1)
  error.type: 'ValueError'
  * exception 10 ms
""",
        ),
        (
            nexus_timed_out(1),
            """
StartNexusOperation:Archive/find CLIENT ERROR 'operation timed out' 0..10 ms (parent ba9a8c23fb2921d1)
  error.type: 'TimeoutError'
  temporal.timeout_type: 'SCHEDULE_TO_CLOSE'
  * exception 10 ms
""",
        ),
        (
            nexus_canceled(1),
            """
StartNexusOperation:Archive/find CLIENT 0..10 ms (parent ba9a8c23fb2921d1)
  error.type: 'CanceledError'
""",
        ),
    ],
    ids=["failed", "not started", "timed out", "cancelled"],
)
def test_how_it_ends_badly(job: WorkflowActivationJob, told: str) -> None:
    worker = Worker(ON)
    worker.task(commands=[call_nexus(1)])
    worker.task(job)
    assert worker.trace("error.type", "temporal.timeout_type") == told


def test_one_cancelled_before_it_was_sent_leaves_nothing() -> None:
    worker = Worker()
    worker.task(commands=[call_nexus(1), cancel_nexus(1)])
    worker.task(nexus_not_started(1, canceled()), same_task=True)
    worker.task(commands=[complete()])
    assert [span.name for span in worker.held.spans] == ["RunWorkflow:Research"]


def test_a_cancelled_one_that_the_workflow_waits_for_ends_with_it() -> None:
    worker = Worker()
    worker.task(commands=[call_nexus(1)])
    worker.task(nexus_started(1), commands=[cancel_nexus(1)])
    worker.task(nexus_canceled(1))
    assert (
        worker.trace("error.type")
        == """
StartNexusOperation:Archive/find CLIENT 0..20 ms (parent ba9a8c23fb2921d1)
  error.type: 'CanceledError'
"""
    )


@pytest.mark.parametrize(
    "cancellation",
    [
        NexusOperationCancellationType.ABANDON,
        NexusOperationCancellationType.TRY_CANCEL,
        NexusOperationCancellationType.WAIT_CANCELLATION_REQUESTED,
    ],
)
def test_a_cancelled_one_that_it_does_not_wait_for_is_left_to_the_export(
    cancellation: NexusOperationCancellationType.ValueType,
) -> None:
    worker = Worker()
    worker.task(commands=[call_nexus(1, cancellation_type=cancellation)])
    worker.task(nexus_started(1), commands=[cancel_nexus(1)])
    worker.task(nexus_canceled(1), same_task=True)
    worker.task(commands=[complete()])
    assert [span.name for span in worker.held.spans] == ["RunWorkflow:Research"]


def test_its_header_names_the_step() -> None:
    worker = Worker()
    commands = worker.task(commands=[call_nexus(1), call_nexus(2), call_nexus(3, "store")])
    assert [dict(command.schedule_nexus_operation.nexus_header) for command in commands] == [
        {"durable-trace": f"00-0884fd559f037feb254717f53be6bb10-{span_id:016x}-01"}
        for span_id in (
            step_span_id(RUN_ID, "nexus_operation", "archive/Archive/find"),
            step_span_id(RUN_ID, "nexus_operation", "archive/Archive/find", 2),
            step_span_id(RUN_ID, "nexus_operation", "archive/Archive/store"),
        )
    ]


def test_replayed_it_makes_nothing_but_is_followed() -> None:
    worker = Worker()
    worker.task(commands=[call_nexus(1), call_nexus(2)], replaying=True)
    worker.task(nexus_completed(1), replaying=True)
    worker.task(nexus_completed(2))
    assert [span.span_id for span in worker.held.spans] == [
        step_span_id(RUN_ID, "nexus_operation", "archive/Archive/find", 2)
    ]
