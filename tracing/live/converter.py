"""How does the ledger get beside an attempt's result, and the attempt's span out, at the same moment?

An activity's result is encoded in the task that ran it. At that moment, and only then, this data converter adds the
ledger to the result's payload (or the failure's encoded attributes), ahead of the user's payload codec, and lets the
attempt's span go. Everything else passes to the user's own converter.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Sequence
from typing import Any, Final

import msgspec
import temporalio.converter
from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure as FailureProto

from tracing import conventions as c
from tracing.config import logger
from tracing.live.attempt import Attempt, closing_attempt
from tracing.live.failopen import fail_open

MAX_RESULT_BYTES: Final = 2 * 1024 * 1024 - 4096
"""A payload with a ledger stays below the server's limit of 2 MiB; the ledger gives way, never the result."""


class LedgerDataConverter(temporalio.converter.DataConverter):
    """The user's data converter, which also takes the ledger along."""

    @classmethod
    def around(cls, inner: temporalio.converter.DataConverter) -> temporalio.converter.DataConverter:
        """A converter that does what ``inner`` does, and the ledger besides.

        A subclass of the user's own class is made, for it may have methods of its own.
        """
        if isinstance(inner, LedgerDataConverter):
            return inner
        kind = type(inner)
        if kind is temporalio.converter.DataConverter:
            ledgered: type[temporalio.converter.DataConverter] = cls
        else:
            ledgered = type(f"Ledger{kind.__name__}", (cls, kind), {})
        converter = copy.copy(inner)
        object.__setattr__(converter, "__class__", ledgered)
        return converter

    async def encode(self, values: Sequence[Any]) -> list[Payload]:
        """Encode values; an attempt's result with its ledger."""
        attempt = closing_attempt()
        if attempt is None:
            return await super().encode(values)
        stamping = _Stamping(self.payload_converter, attempt)
        payloads = await super(LedgerDataConverter, _with(self, payload_converter=stamping)).encode(values)
        if stamping.stamped and any(payload.ByteSize() > MAX_RESULT_BYTES for payload in payloads):
            logger.warning(
                "The ledger of activity %s (attempt %d) was left out: its result would have grown beyond 2 MiB",
                attempt.activity_id,
                attempt.number,
            )
            payloads = await super().encode(values)
            attempt.leave_out_ledger()
        with fail_open("the end of an attempt"):
            attempt.close(None)
        return payloads

    async def encode_failure(self, exception: BaseException, failure: FailureProto) -> None:
        """Encode an exception; an attempt's failure with its ledger."""
        attempt = closing_attempt()
        if attempt is None:
            await super().encode_failure(exception, failure)
            return
        stamping = _FailureStamping(self.failure_converter, attempt)
        await super(LedgerDataConverter, _with(self, failure_converter=stamping)).encode_failure(exception, failure)
        with fail_open("the end of an attempt"):
            attempt.close(stamping.plain or failure)


def _with(converter: LedgerDataConverter, **parts: Any) -> LedgerDataConverter:
    # `payload_converter` and `failure_converter` are set by the converter itself, so dataclasses.replace cannot.
    clone = copy.copy(converter)
    for name, part in parts.items():
        object.__setattr__(clone, name, part)
    return clone


class _Stamping(temporalio.converter.PayloadConverter):
    def __init__(self, inner: temporalio.converter.PayloadConverter, attempt: Attempt) -> None:
        self._inner = inner
        self._attempt = attempt
        self.stamped = False

    def to_payloads(self, values: Sequence[Any]) -> list[Payload]:
        payloads = self._inner.to_payloads(values)
        with fail_open("the ledger of a result"):
            ledger = self._attempt.ledger()
            if ledger and payloads:
                payloads[0].metadata[c.HEADER] = ledger
                self.stamped = True
        return payloads

    def from_payloads(self, payloads: Sequence[Payload], type_hints: list[type] | None = None) -> list[Any]:
        return self._inner.from_payloads(payloads, type_hints)


class _FailureStamping(temporalio.converter.FailureConverter):
    def __init__(self, inner: temporalio.converter.FailureConverter, attempt: Attempt) -> None:
        self._inner = inner
        self._attempt = attempt
        self.plain: FailureProto | None = None

    def to_failure(
        self,
        exception: BaseException,
        payload_converter: temporalio.converter.PayloadConverter,
        failure: FailureProto,
    ) -> None:
        self._inner.to_failure(exception, payload_converter, failure)
        with fail_open("the ledger of a failure"):
            ledger = self._attempt.ledger()
            if ledger:
                stamp_failure(failure, ledger)
            self.plain = FailureProto()
            self.plain.CopyFrom(failure)

    def from_failure(
        self, failure: FailureProto, payload_converter: temporalio.converter.PayloadConverter
    ) -> BaseException:
        return self._inner.from_failure(failure, payload_converter)


def stamp_failure(failure: FailureProto, ledger: bytes) -> None:
    """Put a ledger into a failure's encoded attributes.

    SDKs take message and stack trace from there where the attributes exist, so both stand in them.
    """
    if not failure.HasField("encoded_attributes"):
        data = msgspec.json.encode({"message": failure.message, "stack_trace": failure.stack_trace})
        failure.encoded_attributes.CopyFrom(Payload(metadata={"encoding": b"json/plain"}, data=data))
    failure.encoded_attributes.metadata[c.HEADER] = ledger


assert dataclasses.is_dataclass(LedgerDataConverter)
