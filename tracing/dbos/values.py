"""What does a stored value say? Only portable JSON is decoded; everything else is data that nobody may run."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from tracing.dbos.records import Value
from tracing.failures import Failure
from tracing.payloads import Payload

PORTABLE: Final = "portable_json"
"""Name of DBOS's serialiser whose text is JSON (``DBOSPortableJSONSerializer``)."""
UNKNOWN_ERROR: Final = "_OTHER"
"""Class of an error that is not decoded, as OpenTelemetry has it for ``error.type``."""
_MAX_TYPE: Final = 256
_ENCODING: Final = "encoding"


def is_decoded(value: Value | None) -> bool:
    """Whether what a value says is known; where nothing is stored, that is known."""
    return value is None or (value.serialization == PORTABLE and value.text is not None)


def payload_of(value: Value) -> Payload:
    """A value as the builders of spans take it; one that is not decoded shows only that."""
    if value.serialization == PORTABLE and value.text is not None:
        return Payload(value.text.encode("utf-8", "replace"), {_ENCODING: b"json/plain"})
    return Payload(b"", {_ENCODING: (value.serialization or "unknown").encode("utf-8", "replace")})


def payloads_of(value: Value | None) -> list[Payload]:
    """The value as a list of payloads: none where nothing is stored."""
    return [] if value is None else [payload_of(value)]


def failure_of(value: Value | None) -> Failure | None:
    """An error: of portable JSON its class and message, of anything else that there was one."""
    if value is None:
        return None
    said: Any = None
    if value.serialization == PORTABLE and value.text is not None:
        try:
            said = msgspec.json.decode(value.text)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            said = None
    told = said if isinstance(said, dict) else {}
    name, message = told.get("name"), told.get("message")
    known = isinstance(name, str) and 0 < len(name) <= _MAX_TYPE
    return Failure(
        kind="application",
        type=str(name) if known else UNKNOWN_ERROR,
        message=message if isinstance(message, str) else "",
    )
