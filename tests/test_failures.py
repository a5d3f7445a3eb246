"""What a Temporal failure says: the same reading for both readers."""

from __future__ import annotations

import pytest
from google.protobuf.duration_pb2 import Duration
from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import RetryState, TimeoutType
from temporalio.api.failure.v1 import (
    ActivityFailureInfo,
    ApplicationFailureInfo,
    CanceledFailureInfo,
    ChildWorkflowExecutionFailureInfo,
    NexusHandlerFailureInfo,
    NexusOperationFailureInfo,
    ResetWorkflowFailureInfo,
    ServerFailureInfo,
    TerminatedFailureInfo,
    TimeoutFailureInfo,
)
from temporalio.api.failure.v1 import Failure as FailureProto

from tracing.failures import MAX_DEPTH, Failure, failure_from_proto, refused

BOOM = FailureProto(
    message="boom", stack_trace="at call_llm", application_failure_info=ApplicationFailureInfo(type="ValueError")
)


def of_activity(cause: FailureProto) -> FailureProto:
    return FailureProto(
        message="Activity task failed",
        activity_failure_info=ActivityFailureInfo(
            activity_id="1", retry_state=RetryState.RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED
        ),
        cause=cause,
    )


@pytest.mark.parametrize(
    ("proto", "failure"),
    [
        pytest.param(BOOM, Failure("application", "ValueError", "boom", "at call_llm"), id="application"),
        pytest.param(
            FailureProto(
                message="later",
                application_failure_info=ApplicationFailureInfo(
                    non_retryable=True, next_retry_delay=Duration(seconds=1)
                ),
            ),
            Failure("application", "ApplicationError", "later"),
            id="application without a type",
        ),
        pytest.param(
            FailureProto(
                message="activity timeout",
                timeout_failure_info=TimeoutFailureInfo(timeout_type=TimeoutType.TIMEOUT_TYPE_HEARTBEAT),
            ),
            Failure("timeout", "TimeoutError", "activity timeout", timeout_type="HEARTBEAT"),
            id="timeout",
        ),
        pytest.param(
            FailureProto(message="Cancelled", canceled_failure_info=CanceledFailureInfo()),
            Failure("canceled", "CanceledError", "Cancelled"),
            id="canceled",
        ),
        pytest.param(
            FailureProto(terminated_failure_info=TerminatedFailureInfo()),
            Failure("terminated", "TerminatedError"),
            id="terminated",
        ),
        pytest.param(
            FailureProto(server_failure_info=ServerFailureInfo()), Failure("server", "ServerError"), id="server"
        ),
        pytest.param(
            FailureProto(reset_workflow_failure_info=ResetWorkflowFailureInfo()),
            Failure("reset_workflow", "ResetWorkflowError"),
            id="reset",
        ),
        pytest.param(
            of_activity(BOOM),
            Failure(
                "activity",
                "ActivityError",
                "Activity task failed",
                retry_state="MAXIMUM_ATTEMPTS_REACHED",
                cause=Failure("application", "ValueError", "boom", "at call_llm"),
            ),
            id="activity",
        ),
        pytest.param(
            FailureProto(
                child_workflow_execution_failure_info=ChildWorkflowExecutionFailureInfo(
                    retry_state=RetryState.RETRY_STATE_RETRY_POLICY_NOT_SET
                )
            ),
            Failure("child_workflow", "ChildWorkflowError", retry_state="RETRY_POLICY_NOT_SET"),
            id="child workflow",
        ),
        pytest.param(
            FailureProto(nexus_operation_execution_failure_info=NexusOperationFailureInfo()),
            Failure("nexus_operation", "NexusOperationError"),
            id="Nexus operation",
        ),
        pytest.param(
            FailureProto(nexus_handler_failure_info=NexusHandlerFailureInfo()),
            Failure("nexus_handler", "NexusHandlerError"),
            id="Nexus handler",
        ),
        pytest.param(FailureProto(message="what?"), Failure("", "Failure", "what?"), id="unknown"),
    ],
)
def test_kinds(proto: FailureProto, failure: Failure) -> None:
    assert failure_from_proto(proto) == failure


def test_the_root_of_a_step_is_what_the_activity_raised() -> None:
    failure = failure_from_proto(of_activity(BOOM))
    assert failure.root == Failure("application", "ValueError", "boom", "at call_llm")
    assert [cause.type for cause in failure.chain()] == ["ActivityError", "ValueError"]


@pytest.mark.parametrize("kind", ["activity", "child_workflow", "nexus_operation"])
def test_so_is_that_of_every_wrapper(kind: str) -> None:
    boom = Failure("application", "ValueError", "boom")
    assert Failure(kind, "Wrapper", cause=boom).root == boom
    assert Failure("activity", "ActivityError", cause=Failure(kind, "Wrapper", cause=boom)).root == boom
    assert not Failure(kind, "Wrapper", cause=boom).canceled
    assert Failure(kind, "Wrapper", cause=Failure("canceled", "CanceledError")).canceled
    assert Failure(kind, "Wrapper").root == Failure(kind, "Wrapper")


def test_a_handlers_error_is_no_wrapper() -> None:
    failure = Failure("nexus_handler", "NexusHandlerError", cause=Failure("application", "ValueError"))
    assert (failure.root, failure.canceled) == (failure, False)


@pytest.mark.parametrize(("cause", "type_"), [("NAMESPACE_NOT_FOUND", "NAMESPACE_NOT_FOUND"), ("", "UNSPECIFIED")])
def test_what_the_server_refuses_is_named_by_its_cause(cause: str, type_: str) -> None:
    assert refused(cause) == Failure("refused", type_)


@pytest.mark.parametrize(
    ("cause", "canceled"),
    [(FailureProto(canceled_failure_info=CanceledFailureInfo()), True), (BOOM, False)],
    ids=["canceled", "failed"],
)
def test_a_step_is_canceled_where_its_cause_is(cause: FailureProto, *, canceled: bool) -> None:
    assert failure_from_proto(of_activity(cause)).canceled is canceled
    assert failure_from_proto(cause).canceled is canceled


def test_causes_are_read_to_a_depth() -> None:
    proto = FailureProto(message="innermost")
    for _ in range(60):
        proto = FailureProto(message="outer", cause=proto)
    assert len(failure_from_proto(proto).chain()) == MAX_DEPTH + 1 == 21


@pytest.mark.parametrize(
    ("encoded", "message", "stack_trace"),
    [
        pytest.param(
            Payload(
                metadata={"encoding": b"json/plain"}, data=b'{"message": "boom", "stack_trace": "at call_llm", "x": 1}'
            ),
            "boom",
            "at call_llm",
            id="readable",
        ),
        pytest.param(
            Payload(metadata={"encoding": b"json/plain"}, data=b'{"message": "boom"}'), "boom", "", id="in part"
        ),
        pytest.param(
            Payload(metadata={"encoding": b"binary/encrypted"}, data=b"\x00"), "Encoded failure", "", id="encrypted"
        ),
        pytest.param(
            Payload(metadata={"encoding": b"json/plain"}, data=b'{"message": 1}'), "Encoded failure", "", id="broken"
        ),
        pytest.param(
            Payload(metadata={"encoding": b"json/plain"}, data=b"[" * 100_000), "Encoded failure", "", id="hostile"
        ),
    ],
)
def test_encoded_attributes_hold_the_true_texts(encoded: Payload, message: str, stack_trace: str) -> None:
    proto = FailureProto(message="Encoded failure", encoded_attributes=encoded)
    assert failure_from_proto(proto) == Failure("", "Failure", message, stack_trace)


def test_the_ledger_of_a_failed_attempt_is_found_beside_them() -> None:
    proto = FailureProto(
        message="boom",
        application_failure_info=ApplicationFailureInfo(type="ValueError"),
        encoded_attributes=Payload(
            metadata={"encoding": b"json/plain", "durable-trace": b"the ledger"}, data=b'{"message": "boom"}'
        ),
    )
    assert failure_from_proto(of_activity(proto)).root.ledger == b"the ledger"
