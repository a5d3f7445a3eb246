"""What commands and activations carry: values, failures, ledgers."""

from __future__ import annotations

from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import ApplicationFailureInfo, CanceledFailureInfo, Failure

from tracing.ledger import Ledger, LedgerSpan, encode_ledger

RUN_ID = "0199c0de-0000-7000-8000-000000000001"
EARLIER = "0199c0de-0000-7000-8000-000000000000"
TRACEPARENT = "00-11111111111111111111111111111111-2222222222222222-01"
STARTED_S = 1_763_884_800
MS = 1_000_000


def text(value: str) -> Payload:
    """A JSON string."""
    return Payload(metadata={"encoding": b"json/plain"}, data=f'"{value}"'.encode())


def error(type_: str = "ValueError", message: str = "boom") -> Failure:
    """An application's failure."""
    return Failure(message=message, application_failure_info=ApplicationFailureInfo(type=type_))


def canceled() -> Failure:
    """A cancellation."""
    return Failure(canceled_failure_info=CanceledFailureInfo())


def ledger(
    activity_id: str = "1",
    *,
    attempt: int = 1,
    run_id: str = RUN_ID,
    started_us: int = 1,
    duration_ns: int = 1,
    scheduled_us: int = 0,
) -> bytes:
    """The ledger of an attempt that made one model call."""
    call = LedgerSpan(
        "1111111111111111",
        "chat gpt-4o",
        STARTED_S * 1_000 * MS,
        STARTED_S * 1_000 * MS,
        attributes={
            "gen_ai.operation.name": "chat",
            "gen_ai.usage.input_tokens": 101,
            "gen_ai.usage.output_tokens": 53,
            "durable.cost.usd": 0.00078,
        },
    )
    return encode_ledger(
        Ledger(
            run=run_id,
            activity=activity_id,
            attempt=attempt,
            started=started_us,
            duration=duration_ns,
            scheduled=scheduled_us,
            identity="worker-1",
            spans=[call],
        )
    )


def with_ledger(payload: Payload, data: bytes) -> Payload:
    """The payload with a ledger in its metadata."""
    payload.metadata["durable-trace"] = data
    return payload


def error_with_ledger(data: bytes, type_: str = "ValueError", message: str = "boom") -> Failure:
    """An application's failure with a ledger beside it."""
    failure = error(type_, message)
    encoded = Payload(metadata={"encoding": b"json/plain"}, data=f'{{"message":"{message}"}}'.encode())
    failure.encoded_attributes.CopyFrom(with_ledger(encoded, data))
    return failure


def moment(ns: int) -> Timestamp:
    """A time, in ns since the epoch."""
    stamp = Timestamp()
    stamp.FromNanoseconds(ns)
    return stamp
