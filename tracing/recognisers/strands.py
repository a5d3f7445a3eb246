"""Strands (``temporalio-strands-agents``): ``invoke_model`` gives the events of the model's stream.

Usage is in the event ``metadata``. The model is not named: the activity's input names a factory of the worker's.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from tracing.recognisers.json_values import count_of, object_of, text_of
from tracing.recognisers.model import Call, Completed, Tokens

_TYPES: Final = frozenset({"invoke_model", "invoke_model_streaming"})
_EVENTS: Final = frozenset({"messageStart", "contentBlockDelta", "messageStop", "metadata"})


def recognise(completed: Completed) -> Iterator[Call]:
    """Find the one call of a model activity."""
    if completed.activity_type not in _TYPES or not isinstance(completed.result, list):
        return
    events = [event for event in completed.result if isinstance(event, dict) and event.keys() & _EVENTS]
    if events:
        reasons = [text_of(object_of(event, "messageStop"), "stopReason") for event in events]
        metadata = [object_of(object_of(event, "metadata"), "usage") for event in events]
        yield Call(
            finish_reasons=tuple(filter(None, reasons)),
            tokens=_tokens(next((usage for usage in reversed(metadata) if usage), {})),
        )


def _tokens(usage: dict[str, Any]) -> Tokens:
    given, answered = count_of(usage, "inputTokens"), count_of(usage, "outputTokens")
    read, written = count_of(usage, "cacheReadInputTokens"), count_of(usage, "cacheWriteInputTokens")
    cached = (read or 0) + (written or 0)
    if given is not None and (count_of(usage, "totalTokens") or 0) >= given + (answered or 0) + cached:
        # Bedrock counts cached input beside the input, the conventions as part of it.
        given += cached
    return Tokens(input=given, output=answered, cache_read=read, cache_write=written)
