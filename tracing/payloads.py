"""What does a Temporal payload show as a span's input or output?

Works on decoded payloads and needs no type of the user's, so both readers and other SDKs' payloads give the same text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import msgspec

JSON_MIME: Final = "application/json"
TEXT_MIME: Final = "text/plain"


class PayloadMessage(Protocol):
    """The protobuf message ``temporal.api.common.v1.Payload``, as far as it is read here."""

    @property
    def metadata(self) -> Mapping[str, bytes]: ...  # noqa: D102 - the protobuf field
    @property
    def data(self) -> bytes: ...  # noqa: D102 - the protobuf field


@dataclass(frozen=True, slots=True)
class Payload:
    """A payload: data and what says how to read it."""

    data: bytes = b""
    metadata: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def encoding(self) -> str:
        """Encoding named in the metadata, or ""."""
        return self.metadata.get("encoding", b"").decode("ascii", "replace")


@dataclass(frozen=True, slots=True)
class Content:
    """Text of a span's input or output, with its media type."""

    text: str
    mime: str


def _value(payload: PayloadMessage) -> msgspec.Raw | str | None:
    encoding = payload.metadata.get("encoding", b"")
    if encoding == b"binary/null":
        return None
    if encoding in {b"json/plain", b"json/protobuf"}:
        try:
            msgspec.json.decode(payload.data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return f"<broken {encoding.decode()}: {len(payload.data)} bytes>"
        return msgspec.Raw(payload.data)
    name = encoding.decode("ascii", "replace") or "payload without encoding"
    return f"<{name}: {len(payload.data)} bytes>"


def content_of(payloads: Sequence[PayloadMessage]) -> Content:
    """Text of some payloads: none is ``null``, one is its value, several are a JSON array.

    JSON is kept as it was written; a single JSON string becomes plain text. Encrypted and binary payloads are named
    with their size, never decoded.
    """
    values = [_value(payload) for payload in payloads]
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
