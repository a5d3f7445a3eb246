"""Codecs and drivers as users have them, and histories as these leave them."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from google.protobuf.json_format import MessageToJson
from google.protobuf.message import Message
from temporalio.api.common.v1 import Payload
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.sdk.v1 import ExternalStorageReference
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.converter import (
    DataConverter,
    ExternalStorage,
    PayloadCodec,
    SerializationContext,
    StorageDriver,
    StorageDriverClaim,
    StorageDriverRetrieveContext,
    StorageDriverStoreContext,
    WithSerializationContext,
)

from tests.history.recording import Recording


class Turning(PayloadCodec):
    """Turns payloads around, metadata and all: nothing of them can be read in the history."""

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [turned(payload) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [Payload.FromString(payload.data[::-1]) for payload in payloads]


def turned(payload: Payload) -> Payload:
    return Payload(metadata={"encoding": b"binary/encrypted"}, data=payload.SerializeToString()[::-1])


class Zipping(PayloadCodec):
    """Compresses, and passes on what it did not: as the compressing codec of Temporal's samples."""

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [
            Payload(metadata={"encoding": b"binary/zlib"}, data=zlib.compress(payload.SerializeToString()))
            for payload in payloads
        ]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [
            Payload.FromString(zlib.decompress(payload.data))
            if payload.metadata.get("encoding") == b"binary/zlib"
            else payload
            for payload in payloads
        ]


class Failing(PayloadCodec):
    """Has the wrong key, for some payloads."""

    def __init__(self, *, failing: Callable[[Payload], bool] = lambda _payload: True) -> None:
        self.failing = failing

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return list(payloads)

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        if any(self.failing(payload) for payload in payloads):
            raise KeyError("key of 2024")
        return await Turning().decode(payloads)


@dataclass
class Away(Turning):
    """Asks a vault for its key, which may be away."""

    times: int = 1

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        if self.times:
            self.times -= 1
            raise ConnectionRefusedError("vault:8200")
        return await super().decode(payloads)


@dataclass
class Answering(PayloadCodec):
    """Answers whatever it is told to."""

    answer: Callable[[Sequence[Payload]], Any]

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return list(payloads)

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        answer: list[Payload] = self.answer(payloads)
        return answer


@dataclass
class Contextual(Turning, WithSerializationContext):
    """Notes whose payloads it is given."""

    seen: dict[str, SerializationContext] = field(default_factory=dict)
    context: SerializationContext | None = None

    def with_context(self, context: SerializationContext) -> Contextual:
        return replace(self, context=context)

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        decoded = await super().decode(payloads)
        assert self.context is not None
        for payload in decoded:
            self.seen[payload.data.decode().strip('"')] = self.context
        return decoded


@dataclass
class Shelf(StorageDriver):
    """Keeps payloads in memory; with a bucket, as the drivers of object stores do."""

    shelf: dict[str, bytes] = field(default_factory=dict, repr=False)
    named: str = "shelf"
    _bucket: str = ""
    asked: list[dict[str, str]] = field(default_factory=list, repr=False)

    def name(self) -> str:
        return self.named

    async def store(self, _context: StorageDriverStoreContext, payloads: Sequence[Payload]) -> list[StorageDriverClaim]:
        return [StorageDriverClaim(claim_data=self.put(payload)) for payload in payloads]

    def put(self, payload: Payload) -> dict[str, str]:
        key = f"payload-{len(self.shelf)}"
        self.shelf[key] = payload.SerializeToString()
        return {"key": key, **({"bucket": self._bucket} if self._bucket else {})}

    async def retrieve(
        self, _context: StorageDriverRetrieveContext, claims: Sequence[StorageDriverClaim]
    ) -> list[Payload]:
        self.asked += [dict(claim.claim_data) for claim in claims]
        return [Payload.FromString(self.shelf[claim.claim_data["key"]]) for claim in claims]


def reference(claim: Mapping[str, str], *, size: int = 0, driver: str = "shelf") -> Payload:
    """A reference to external storage, as the SDK writes it."""
    message = ExternalStorageReference(driver_name=driver, claim_data=claim)
    payload = Payload(
        metadata={"encoding": b"json/protobuf", "messageType": message.DESCRIPTOR.full_name.encode()},
        data=MessageToJson(message, indent=None).encode(),
    )
    if size:
        payload.external_payloads.add().size_bytes = size
    return payload


Encode = Callable[[Payload], Payload]


def encoded(recording: Recording, encode: Encode = turned, *, headers: bool = False) -> Recording:
    """A recording as it is with a codec: every payload but search attributes, and headers where asked, encoded."""
    changed = Recording(run_id=recording.run_id, workflow_id=recording.workflow_id)
    changed.events = encoded_events(recording.events, encode, headers=headers)
    return changed


def encoded_events(
    events: Iterable[HistoryEvent], encode: Encode = turned, *, headers: bool = False
) -> list[HistoryEvent]:
    """Events as they are with a codec."""
    changed = []
    for event in events:
        copy = HistoryEvent()
        copy.CopyFrom(event)
        _encode(copy, encode, headers=headers)
        changed.append(copy)
    return changed


def encoded_pending(pending: PendingActivityInfo, encode: Encode = turned) -> PendingActivityInfo:
    """A pending activity as a server tells of it where there is a codec."""
    copy = PendingActivityInfo()
    copy.CopyFrom(pending)
    _encode(copy, encode, headers=False)
    return copy


def _encode(message: Message, encode: Encode, *, headers: bool) -> None:
    for descriptor, value in message.ListFields():
        if descriptor.name == "search_attributes" or (descriptor.name == "header" and not headers):
            continue
        if descriptor.message_type is None:
            continue
        if descriptor.message_type.GetOptions().map_entry:
            # What the SDK's core notes by itself (a local activity's time, a patch's name) passes no codec.
            core = getattr(message, "marker_name", "").startswith("core_")
            for key in list(value):
                if not core or key == "result":
                    _put(value[key], encode, headers=headers)
        elif descriptor.is_repeated:
            for each in value:
                _put(each, encode, headers=headers)
        else:
            _put(value, encode, headers=headers)


def _put(value: Any, encode: Encode, *, headers: bool) -> None:
    if isinstance(value, Payload):
        value.CopyFrom(encode(value))
    elif isinstance(value, Message):
        _encode(value, encode, headers=headers)


codec = Turning()
converter = replace(DataConverter.default, payload_codec=Turning())
driver = Shelf()
whole = replace(converter, external_storage=ExternalStorage(drivers=[driver], payload_size_threshold=100))
plain = DataConverter.default
SEVEN = 7


def made() -> PayloadCodec:
    return Turning()


async def made_later() -> PayloadCodec:
    return Turning()


closed: list[str] = []


@asynccontextmanager
async def while_open() -> AsyncIterator[StorageDriver]:
    """As drivers need it whose clients hold connections."""
    yield driver
    closed.append("driver")


def needs_a_key(key: str) -> PayloadCodec:
    raise AssertionError(key)


def breaks() -> Awaitable[PayloadCodec]:
    raise RuntimeError("no key in the vault")
