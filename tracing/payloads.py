"""What does a Temporal payload show as a span's input or output?

Works on decoded payloads and needs no type of the user's, so both readers and other SDKs' payloads give the same text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import msgspec

JSON_MIME: Final = "application/json"
TEXT_MIME: Final = "text/plain"

ENCODED: Final = "<encoded>"
"""What a payload shows that a codec encoded (encrypted, compressed). Workers see it decoded: its size is not told."""

_JSON: Final = frozenset({b"json/plain", b"json/protobuf"})
_PLAIN: Final = frozenset({b"binary/plain", b"binary/protobuf"})
"""Encodings that need no codec, but are no text."""

REFERENCE_MARKER: Final = "__temporal_external_storage_reference"
"""Metadata key of a payload that is a reference to external storage, whatever encodes the reference."""
_OLD_REFERENCE: Final = b"json/external-storage-reference"
_REFERENCE_TYPE: Final = b"temporal.api.sdk.v1.ExternalStorageReference"


class PayloadMessage(Protocol):
    """The protobuf message ``temporal.api.common.v1.Payload``, as far as it is read here."""

    @property
    def metadata(self) -> Mapping[str, bytes]: ...  # noqa: D102 - the protobuf field
    @property
    def data(self) -> bytes: ...  # noqa: D102 - the protobuf field


class Payload(msgspec.Struct, frozen=True, gc=False):  # in no cycle
    """A payload: data and what says how to read it.

    Attributes:
        data: The data.
        metadata: What says how to read it.
        stored_bytes: Of a reference to external storage, the size of what is stored there; 0 where it does not say.
    """

    data: bytes = b""
    metadata: Mapping[str, bytes] = {}
    stored_bytes: int = 0

    @property
    def encoding(self) -> str:
        """Encoding named in the metadata, or ""."""
        return self.metadata.get("encoding", b"").decode("ascii", "replace")


@dataclass(frozen=True, slots=True)
class Content:
    """Text of a span's input or output, with its media type."""

    text: str
    mime: str


def is_reference(payload: PayloadMessage) -> bool:
    """Whether it only says where in external storage the payload is."""
    metadata = payload.metadata
    encoding = metadata.get("encoding", b"")
    return (
        encoding == _OLD_REFERENCE
        or (encoding == b"json/protobuf" and metadata.get("messageType") == _REFERENCE_TYPE)
        or metadata.get(REFERENCE_MARKER) == b"true"
    )


def is_encoded(payload: PayloadMessage) -> bool:
    """Whether its encoding is none of Temporal's own: a codec encoded it, or a converter of the user's."""
    encoding = payload.metadata.get("encoding", b"")
    plain = encoding in _JSON or encoding in _PLAIN or encoding in {b"", b"binary/null"}
    return not plain and encoding != _OLD_REFERENCE


def is_unread(payload: PayloadMessage) -> bool:
    """Whether what it holds is not known here: it is encoded, or stored elsewhere."""
    metadata = payload.metadata
    if metadata.get("encoding") == b"json/plain":  # as nearly all
        return metadata.get(REFERENCE_MARKER) == b"true"
    return is_encoded(payload) or is_reference(payload)


def stored_bytes(payload: PayloadMessage) -> int:
    """Size of what a reference to external storage stands for, as it says itself; 0 where it does not."""
    if isinstance(payload, Payload):
        return payload.stored_bytes
    return sum(each.size_bytes for each in getattr(payload, "external_payloads", ()))


def _value(payload: PayloadMessage) -> msgspec.Raw | str | None:
    encoding = payload.metadata.get("encoding", b"")
    if encoding == b"binary/null":
        return None
    if is_reference(payload):
        size = stored_bytes(payload)
        return f"<external payload: {size} bytes>" if size else "<external payload>"
    if encoding in _JSON:
        try:
            msgspec.json.decode(payload.data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return f"<broken {encoding.decode()}: {len(payload.data)} bytes>"
        return msgspec.Raw(payload.data)
    if encoding in _PLAIN:
        return f"<{encoding.decode('ascii')}: {len(payload.data)} bytes>"
    return ENCODED if encoding else f"<payload without encoding: {len(payload.data)} bytes>"


def content_of(payloads: Sequence[PayloadMessage], *, encoded: bool = False) -> Content:
    """Text of some payloads: none is ``null``, one is its value, several are a JSON array.

    JSON is kept as it was written; a single JSON string becomes plain text. Binary payloads are named with their size,
    those in external storage with the size of what is stored; of what a codec encoded, both readers say only that.

    Args:
        payloads: The payloads.
        encoded: Whether they are decoded here and encoded in the history: they show what history shows.
    """
    values = [ENCODED if encoded else _value(payload) for payload in payloads]
    if not values:
        return Content("null", JSON_MIME)
    value: object = values[0] if len(values) == 1 else values
    if isinstance(value, msgspec.Raw):
        decoded = msgspec.json.decode(value) if bytes(value).lstrip().startswith(b'"') else None
        if isinstance(decoded, str):
            return Content(decoded, TEXT_MIME)
    if isinstance(value, str):
        return Content(value, TEXT_MIME)
    return Content(msgspec.json.encode(value).decode("utf-8", "replace"), JSON_MIME)
