"""How is one history decoded?

Its events are walked twice: first every field that needs it is decoded, many at a time, then the events are made anew
with what came of it. What cannot be decoded stays as it is and becomes a defect of the history; the rest goes on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from temporalio.api.common.v1 import Payload as PayloadProto
from temporalio.converter import PayloadCodec, SerializationContext

from tracing.decoding.contexts import Contexts
from tracing.decoding.fields import Place, Replace, replaced, replaced_pending
from tracing.decoding.guarded_codec import GuardedCodec, in_time
from tracing.decoding.problems import DecodingError, EndpointError, Problems
from tracing.decoding.storage import Storage
from tracing.history import History
from tracing.payloads import REFERENCE_MARKER, PayloadMessage, is_encoded, is_reference

MAX_PAYLOAD_BYTES: Final = 64 << 20
"""A payload that decodes to more is left encoded."""
MAX_HISTORY_BYTES: Final = 1 << 30
"""When the payloads of one history have decoded to so much, the rest of them is left encoded."""
FIELDS_AT_A_TIME: Final = 256
FETCHES_AT_A_TIME: Final = 16


@dataclass(slots=True)
class _Field:
    """The payloads of one field.

    Attributes:
        event_id: ID of its event.
        context: Whose they are.
        payloads: As the history has them.
        one: Whether it holds exactly one.
        decoded: As they are shown; None to leave them.
    """

    event_id: int
    context: SerializationContext
    payloads: Sequence[PayloadMessage]
    one: bool
    decoded: Sequence[PayloadMessage] | None = None


class OneHistory:
    """One history, while it is decoded.

    Args:
        history: The history.
        codec: Decodes its payloads.
        storage: Fetches those that stand in external storage.
        whole: Whether to give up, instead of leaving payloads encoded, where what decodes them is away.
    """

    def __init__(
        self, history: History, codec: PayloadCodec | None, storage: Storage | None, *, whole: bool = False
    ) -> None:
        self._history = history
        self._codec = GuardedCodec(codec, history.namespace) if codec is not None else None
        self._storage = storage
        self._whole = whole
        self._problems = Problems()
        self._bytes = 0
        self._changed = False
        self._fetches_left = asyncio.Semaphore(FETCHES_AT_A_TIME)

    async def run(self) -> History:
        """Decode it.

        Raises:
            DecodingError: It is to be decoded as a whole, and what decodes it is away.
        """
        fields = self._fields()
        needed = [field for field in fields if any(self._concerns(payload) for payload in field.payloads)]
        if not needed:
            return self._history
        waiting = iter(needed)
        await asyncio.gather(*(self._fill_all(waiting) for _ in range(min(FIELDS_AT_A_TIME, len(needed)))))
        if self._whole and self._problems.passing is not None:
            raise self._problems.passing
        history = replace(
            self._history,
            defects=(*self._history.defects, *self._problems.sentences()),
            decoded=self._history.decoded or self._changed,
            undecoded=self._problems.count,
        )
        if not any(field.decoded is not None for field in needed):
            return history
        results: Iterator[_Field] = iter(fields)

        def decoded(_payloads: Sequence[PayloadMessage], _place: Place) -> Sequence[PayloadMessage] | None:
            return next(results).decoded

        return replace(
            history,
            events=tuple(replaced(event, decoded) for event in history.events),
            pending=tuple(replaced_pending(pending, decoded) for pending in history.pending),
        )

    def _fields(self) -> list[_Field]:
        """Fields in the order in which they are found again."""
        contexts = Contexts(self._history)
        fields: list[_Field] = []

        def noting(event_id: int, context: SerializationContext, summary: SerializationContext) -> Replace:
            def note(payloads: Sequence[PayloadMessage], place: Place) -> None:
                fields.append(
                    _Field(event_id, summary if place == "summary" else context, payloads, one=place != "list")
                )

            return note

        for event in self._history.events:
            replaced(event, noting(event.id, contexts.of(event), contexts.of_summary(event)))
        for pending in self._history.pending:
            event_id, context = contexts.of_pending(pending.activity_id)
            replaced_pending(pending, noting(event_id, context, context))
        return fields

    def _concerns(self, payload: PayloadMessage) -> bool:
        """Whether what was handed over may change it."""
        if is_reference(payload):
            return self._storage is not None
        return self._codec is not None and is_encoded(payload)

    async def _fill_all(self, waiting: Iterator[_Field]) -> None:
        """Decode one field after the other, as long as there are any; others do so at the same time."""
        for field in waiting:
            try:
                field.decoded = await self._decoded(field)
            except DecodingError as error:
                for _ in filter(self._concerns, field.payloads):
                    self._problems.add(field.event_id, error)

    async def _decoded(self, field: _Field) -> Sequence[PayloadMessage]:
        if self._bytes > MAX_HISTORY_BYTES:
            raise DecodingError(f"the payloads of its history decode to more than {MAX_HISTORY_BYTES >> 20} MiB")
        payloads = [await self._fetched(field, _proto(payload)) for payload in field.payloads]
        if self._codec is not None and any(is_encoded(each) and not is_reference(each) for each in payloads):
            decoded = await self._all_decoded(self._codec, field, payloads)
            self._changed = self._changed or decoded != payloads
            payloads = decoded
        self._check_size(payloads)
        return payloads

    async def _all_decoded(
        self, codec: GuardedCodec, field: _Field, payloads: Sequence[PayloadProto]
    ) -> list[PayloadProto]:
        """Decode a field as the SDK does, all payloads at once; where that fails, each alone."""
        try:
            return await codec.decode(field.context, payloads, one=field.one)
        except EndpointError:
            raise
        except DecodingError:
            if len(payloads) == 1:
                raise
            parts = [await self._alone(codec, field, payload) for payload in payloads]
            return [payload for part in parts for payload in part]

    async def _alone(self, codec: GuardedCodec, field: _Field, payload: PayloadProto) -> Sequence[PayloadProto]:
        if not is_encoded(payload) or is_reference(payload):
            return [payload]
        try:
            return await codec.decode(field.context, [payload], one=False)
        except DecodingError as error:
            self._problems.add(field.event_id, error)
            return [payload]

    async def _fetched(self, field: _Field, payload: PayloadProto) -> PayloadProto:
        if self._storage is None or not is_reference(payload):
            return payload
        try:
            return await self._retrieved(self._storage, field, payload)
        except DecodingError as error:
            self._problems.add(field.event_id, error)
            return payload

    async def _retrieved(self, storage: Storage, field: _Field, payload: PayloadProto) -> PayloadProto:
        if payload.metadata.get(REFERENCE_MARKER) == b"true" and is_encoded(payload):
            payload = await self._reference(field.context, payload)
        async with self._fetches_left:
            return await in_time(storage.fetch(payload), "external storage")

    async def _reference(self, context: SerializationContext, marked: PayloadProto) -> PayloadProto:
        """A reference that a codec encoded."""
        if self._codec is None:
            raise DecodingError("a codec encoded the reference to external storage, and none is given")
        encoded = PayloadProto(metadata=marked.metadata, data=marked.data)
        del encoded.metadata[REFERENCE_MARKER]
        decoded = await self._codec.decode(context, [encoded], one=True)
        if not is_reference(decoded[0]):
            raise DecodingError("the codec gave something else than a reference to external storage")
        reference = PayloadProto(metadata=decoded[0].metadata, data=decoded[0].data)
        reference.external_payloads.extend(decoded[0].external_payloads or marked.external_payloads)
        return reference

    def _check_size(self, payloads: Sequence[PayloadProto]) -> None:
        sizes = [payload.ByteSize() for payload in payloads]
        if any(size > MAX_PAYLOAD_BYTES for size in sizes):
            raise DecodingError(f"it decodes to more than {MAX_PAYLOAD_BYTES >> 20} MiB")
        self._bytes += sum(sizes)


def _proto(payload: PayloadMessage) -> PayloadProto:
    if isinstance(payload, PayloadProto):
        return payload
    proto = PayloadProto(metadata=payload.metadata, data=payload.data)
    size = getattr(payload, "stored_bytes", 0)
    if size:
        proto.external_payloads.add().size_bytes = size
    return proto
