"""How are payloads and durations written in a history, and what of them is kept?

Types that JSON and protobuf spell differently, with their JSON reading. The Web UI's download can have plain values in
the place of payloads: these are kept as JSON.
"""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as Base64Error
from functools import lru_cache
from typing import Any, Final

import msgspec

from tracing.history.times import duration_ns
from tracing.payloads import Payload, PayloadMessage

_JSON_ENCODING: Final = {"encoding": b"json/plain"}
_CACHED_LENGTH: Final = 64


class Duration(int):
    """A duration in ns."""


class Payloads(tuple[PayloadMessage, ...]):
    """``temporal.api.common.v1.Payloads``."""

    __slots__ = ()


class PayloadMap(dict[str, PayloadMessage]):
    """A map of payloads: header fields, search attributes, a memo's fields."""

    __slots__ = ()


class PayloadsMap(dict[str, Payloads]):
    """A map of payload lists: a marker's details."""

    __slots__ = ()


class StoredPayload:
    """One payload that stands alone, such as a failure's encoded attributes."""

    __slots__ = ("payload",)

    def __init__(self, payload: PayloadMessage) -> None:
        self.payload = payload


class JsonValues:
    """Reads these types from JSON: a ``dec_hook`` of msgspec.

    Attributes:
        plain: Whether a plain value stood in the place of a payload.
    """

    def __init__(self) -> None:
        self.plain = False

    def __call__(self, type_: type, value: Any) -> Any:
        """Read ``value``, already decoded JSON, as ``type_``.

        Raises:
            ValueError: It cannot be read so.
        """
        if type_ is Payloads:
            written = _as_written(value)
            return Payloads(self._payload(item) for item in _items(value)) if written is None else written
        if type_ is PayloadMap:
            fields = value if isinstance(value, dict) else {}
            return PayloadMap((key, self._payload(item)) for key, item in fields.items())
        if type_ is PayloadsMap:
            details = value if isinstance(value, dict) else {}
            return PayloadsMap((key, Payloads(self._payload(i) for i in _items(item))) for key, item in details.items())
        if type_ is StoredPayload:
            return StoredPayload(self._payload(value))
        if type_ is Duration and isinstance(value, str):
            return Duration(duration_ns(value))
        raise ValueError(f"{value!r} is not a {type_.__name__.lower()}")

    def _payload(self, value: Any) -> Payload:
        if isinstance(value, dict) and ("metadata" in value or "data" in value):
            metadata, data = value.get("metadata") or {}, value.get("data")
            if isinstance(metadata, dict):
                kept = {str(key): _metadata(item) for key, item in metadata.items()}
                try:
                    decoded = b64decode("" if data is None else data, validate=True)
                except (Base64Error, TypeError, ValueError):
                    if kept:  # the data alone was replaced
                        self.plain = True
                        return Payload(msgspec.json.encode(data), kept)
                else:
                    stored = value.get("externalPayloads")
                    return Payload(decoded, kept, _stored_bytes(stored)) if stored else Payload(decoded, kept)
        self.plain = self.plain or value != {}  # which an empty payload is, too
        return Payload(msgspec.json.encode(value), _JSON_ENCODING)


def _stored_bytes(stored: Any) -> int:
    try:
        return max(0, sum(int(each["sizeBytes"]) for each in stored))
    except (TypeError, KeyError, ValueError):
        return 0


class _WrittenPayload(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    metadata: dict[str, bytes]
    data: bytes


class _WrittenPayloads(msgspec.Struct, gc=False):
    payloads: list[_WrittenPayload]


def _as_written(value: Any) -> Payloads | None:
    """Payloads just as servers write them, with metadata and data in base64: read in one go, as nearly all are.

    None where one is otherwise, and must be looked at in detail.
    """
    try:
        return Payloads(Payload(it.data, it.metadata) for it in msgspec.convert(value, _WrittenPayloads).payloads)
    except msgspec.ValidationError:
        return None


def _items(value: Any) -> list[Any]:
    if isinstance(value, dict) and "payloads" in value:
        value = value["payloads"]
    elif value == {}:
        return []
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _metadata(value: Any) -> bytes:
    if not isinstance(value, str):
        return msgspec.json.encode(value)
    # "json/plain" and the like stand in nearly every payload; ledgers, which are larger, in few.
    return _base64_or_text(value) if len(value) <= _CACHED_LENGTH else _decode(value)


@lru_cache(maxsize=1024)
def _base64_or_text(text: str) -> bytes:
    return _decode(text)


def _decode(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except (Base64Error, ValueError):
        return text.encode("utf-8", "replace")
