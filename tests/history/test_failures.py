from __future__ import annotations

import msgspec
import pytest
from google.protobuf.json_format import MessageToJson, ParseDict
from temporalio.api.failure.v1 import Failure as FailureProto

from tests.history.recording import failure
from tracing.failures import Failure, failure_from_proto
from tracing.history.failures import FailureMessage, failure_of
from tracing.history.protobuf import reader
from tracing.history.values import JsonValues


def _from_json(text: str) -> Failure:
    return failure_of(msgspec.json.decode(text, type=FailureMessage, strict=False, dec_hook=JsonValues()))


def test_a_ledger_and_the_true_message_are_found_in_the_encoded_attributes() -> None:
    proto = FailureProto(**failure("no credit", stored_ledger=b"ledger"))
    assert _from_json(MessageToJson(proto)) == Failure(
        kind="application", type="RateLimit", message="no credit", stack_trace="at line 7", ledger=b"ledger"
    )


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"message": "m", "stackTrace": "s", "applicationFailureInfo": {"type": "T"}},
        {"message": "m", "applicationFailureInfo": {}},
        {"timeoutFailureInfo": {"timeoutType": "TIMEOUT_TYPE_HEARTBEAT"}},
        {"canceledFailureInfo": {}},
        {"terminatedFailureInfo": {}},
        {"serverFailureInfo": {}},
        {"resetWorkflowFailureInfo": {}},
        {"nexusOperationExecutionFailureInfo": {}, "cause": {"nexusHandlerFailureInfo": {}}},
        {
            "activityFailureInfo": {"retryState": "RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED"},
            "cause": {"applicationFailureInfo": {"type": "T"}},
        },
        {
            "childWorkflowExecutionFailureInfo": {"retryState": "RETRY_STATE_TIMEOUT"},
            "cause": {"timeoutFailureInfo": {"timeoutType": "TIMEOUT_TYPE_START_TO_CLOSE"}, "cause": {"message": "m"}},
        },
        {"message": "m", "encodedAttributes": {"metadata": {"encoding": "YmluYXJ5L2VuY3J5cHRlZA=="}, "data": "AAAA"}},
        {"message": "m", "encodedAttributes": {"metadata": {"encoding": "anNvbi9wbGFpbg=="}, "data": "W10="}},
    ],
)
def test_a_failure_is_the_same_as_json_as_protobuf_and_live(message: dict[str, object]) -> None:
    proto = ParseDict(message, FailureProto())
    live = failure_from_proto(proto)
    assert _from_json(MessageToJson(proto)) == live
    assert failure_of(reader(FailureMessage)(proto)) == live


def test_spellings_of_older_servers_are_understood() -> None:
    text = '{"activityFailureInfo": {"retryState": "Timeout"}, "cause": {"timeoutFailureInfo": {"timeoutType": 4}}}'
    wrapped = Failure(kind="timeout", type="TimeoutError", timeout_type="HEARTBEAT")
    assert _from_json(text) == Failure(kind="activity", type="ActivityError", retry_state="TIMEOUT", cause=wrapped)


def test_causes_without_end_are_cut() -> None:
    text = '{"cause":' * 60 + "{}" + "}" * 60
    assert len(_from_json(text).chain()) == 21
