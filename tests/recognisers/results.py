"""Results as activities left them in real histories, shortened; and what of them is recognised."""

from __future__ import annotations

from typing import Any

import msgspec

from tracing.payloads import Payload, PayloadMessage
from tracing.recognisers.model import Call
from tracing.recognisers.recognise import _calls


def payload(value: object, encoding: bytes = b"json/plain") -> Payload:
    """A value as Temporal's JSON converters write it."""
    return Payload(msgspec.json.encode(value), {"encoding": encoding})


def recognised(activity_type: str, result: object, given: object = None) -> list[tuple[str, Call]]:
    """The calls in a result, each with the name of who recognised it."""

    def inputs() -> list[PayloadMessage]:
        return [payload(given)] if given is not None else []

    return _calls(activity_type, inputs, [payload(result)])


def adk_response(**fields: Any) -> dict[str, Any]:
    """A response as Google's ADK writes it."""
    return {"modelVersion": None, "partial": None, "turnComplete": None, "usageMetadata": None, **fields}
