"""How does the ledger get beside an attempt's result, and the attempt's span out, at the same moment?

An activity's result is encoded in the task that ran it. At that moment, and only then, this data converter adds the
ledger to the result's payload (or the failure's encoded attributes), ahead of the user's payload codec, and lets the
attempt's span go. Everything else passes to the user's own converter.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Sequence
from typing import Any, Final, Self, TypeVar

import temporalio.converter
from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure as FailureProto

from tracing import conventions as c
from tracing.config import logger
from tracing.live.attempts.attempt import Attempt, closing_attempt
from tracing.live.attempts.retried_failure import MAX_RETRIED_FAILURE_BYTES, make_room, stamp_failure
from tracing.live.failopen import fail_open

MAX_RESULT_BYTES: Final = 2 * 1024 * 1024 - 4096
"""A payload with a ledger stays below the server's limit of 2 MiB; the ledger gives way, never the result."""


_OF_ANOTHER_CALL: Final = "durable_trace_of_another_call"
"""What marks a converter that encodes no attempt's outcome, though one is being encoded by this task."""

Converter = TypeVar("Converter", bound="LedgerDataConverter")


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

    def with_context(self, context: temporalio.converter.SerializationContext) -> Self:
        """Return the converter for values of a workflow, activity or Nexus operation."""
        converter = super().with_context(context)
        if isinstance(context, temporalio.converter.ActivitySerializationContext) or closing_attempt() is None:
            return converter
        # An interceptor around ours asks a client for something when the activity has returned, such as a signal.
        return _with(converter, **{_OF_ANOTHER_CALL: True})

    def _closing_attempt(self) -> Attempt | None:
        return None if _OF_ANOTHER_CALL in self.__dict__ else closing_attempt()

    async def encode(self, values: Sequence[Any]) -> list[Payload]:
        """Encode values; an attempt's result with its ledger."""
        attempt = self._closing_attempt()
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
        attempt = self._closing_attempt()
        if attempt is None:
            await super().encode_failure(exception, failure)
            return
        stamping = _FailureStamping(self.failure_converter, attempt)
        try:
            await super(LedgerDataConverter, _with(self, failure_converter=stamping)).encode_failure(exception, failure)
        except Exception as error:
            with fail_open("the end of an attempt"):
                attempt.close(_as_the_sdk_tells(error))
            raise
        if stamping.limited and failure.ByteSize() > MAX_RETRIED_FAILURE_BYTES:
            # A codec has made it larger.
            failure.Clear()
            await super().encode_failure(exception, failure)
            attempt.leave_out_ledger()
            stamping.plain = stamping.whole
        with fail_open("the end of an attempt"):
            attempt.close(stamping.plain or failure)


def _with(converter: Converter, **parts: Any) -> Converter:
    # `payload_converter` and `failure_converter` are set by the converter itself, so dataclasses.replace cannot; and
    # copy.copy takes several times as long, in every attempt.
    clone: Converter = object.__new__(type(converter))
    clone.__dict__.update(converter.__dict__, **parts)
    return clone


class _Stamping(temporalio.converter.PayloadConverter):
    def __init__(self, inner: temporalio.converter.PayloadConverter, attempt: Attempt) -> None:
        self._inner = inner
        self._attempt = attempt
        self.stamped = False

    def to_payloads(self, values: Sequence[Any]) -> list[Payload]:
        payloads = self._inner.to_payloads(values)
        with fail_open("the model calls of a result"):
            self._attempt.recognise(payloads, self._inner.to_payloads)
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
        self.whole: FailureProto | None = None
        self.plain: FailureProto | None = None
        self.limited = False

    def to_failure(
        self,
        exception: BaseException,
        payload_converter: temporalio.converter.PayloadConverter,
        failure: FailureProto,
    ) -> None:
        self._inner.to_failure(exception, payload_converter, failure)
        with fail_open("the ledger of a failure"):
            self.whole = _copy(failure)
            retried = self._attempt.may_be_retried(failure)
            room = make_room(failure, self._attempt.ledger_sizes()) if retried else None
            self.plain = _copy(failure)
            ledger = self._attempt.ledger(room)
            if ledger:
                stamp_failure(failure, ledger)
                self.limited = retried

    def from_failure(
        self, failure: FailureProto, payload_converter: temporalio.converter.PayloadConverter
    ) -> BaseException:
        return self._inner.from_failure(failure, payload_converter)


def _as_the_sdk_tells(error: Exception) -> FailureProto:
    """What the worker completes an activity with whose failure cannot be encoded: its details, say, are no JSON."""
    told = FailureProto(message=f"Failed building exception result: {error}")
    told.application_failure_info.SetInParent()
    return told


def _copy(failure: FailureProto) -> FailureProto:
    copied = FailureProto()
    copied.CopyFrom(failure)
    return copied


assert dataclasses.is_dataclass(LedgerDataConverter)
