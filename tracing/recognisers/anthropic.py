"""Results that are, or contain, a message of Anthropic's API.

Anthropic counts cached input beside the input; the GenAI conventions count it as part of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tracing.recognisers.json_values import count_of, object_of, objects_in, text_of
from tracing.recognisers.model import Call, Completed, Tokens

PROVIDER: Final = "anthropic"


def recognise(completed: Completed) -> Iterator[Call]:
    """Find messages from the model, wherever they stand in the result."""
    for value in objects_in(completed.result):
        usage = object_of(value, "usage")
        if value.get("type") != "message" or value.get("role") != "assistant" or "input_tokens" not in usage:
            continue
        read, written = count_of(usage, "cache_read_input_tokens"), count_of(usage, "cache_creation_input_tokens")
        given = count_of(usage, "input_tokens")
        reason = text_of(value, "stop_reason")
        yield Call(
            provider=PROVIDER,
            response_model=text_of(value, "model"),
            response_id=text_of(value, "id"),
            finish_reasons=(reason,) if reason else (),
            tokens=Tokens(
                input=None if given is None else given + (read or 0) + (written or 0),
                output=count_of(usage, "output_tokens"),
                cache_read=read,
                cache_write=written,
            ),
        )
