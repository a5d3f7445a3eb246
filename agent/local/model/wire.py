"""What do the model server's endpoints have in common on the wire?"""

from __future__ import annotations

import re
from typing import Any

import msgspec

# 2026-01-01T00:00:00Z: the same request is answered in the same words at any time.
CREATED = 1_767_225_600
EVENT_STREAM = "text/event-stream"
JSON = "application/json"

_TOKEN = re.compile(r"\s*\S+\s*")


def tokens(text: str) -> list[str]:
    """Part a text into the pieces in which it is streamed: words with the white space around them."""
    return _TOKEN.findall(text) or [text]


def data_event(value: dict[str, Any], *, name: str = "") -> bytes:
    """Encode a server-sent event with a JSON value, with or without an event name."""
    head = f"event: {name}\n".encode() if name else b""
    return head + b"data: " + msgspec.json.encode(value) + b"\n\n"


def error_body(status: int, message: str) -> dict[str, Any]:
    """Spell an error as OpenAI's API does."""
    kinds = {
        400: ("invalid_request_error", None),
        401: ("invalid_request_error", "invalid_api_key"),
        403: ("invalid_request_error", "unsupported_country_region_territory"),
        404: ("invalid_request_error", "model_not_found"),
        429: ("requests", "rate_limit_exceeded"),
    }
    kind, code = kinds.get(status, ("server_error" if status >= 500 else "invalid_request_error", None))  # noqa: PLR2004 - HTTP's class 5xx
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}
