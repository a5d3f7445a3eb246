"""Results that are, or contain, a response of OpenAI's API: chat completions, responses, embeddings.

Source: OpenAI's API reference. Compatible servers answer alike, so the provider is the API's.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from tracing.recognisers.json_values import count_of, list_of, object_of, objects_in, text_of
from tracing.recognisers.model import Call, Completed, Tokens

PROVIDER: Final = "openai"


def recognise(completed: Completed) -> Iterator[Call]:
    """Find responses of OpenAI's API, wherever they stand in the result."""
    for value in objects_in(completed.result):
        kind = value.get("object")
        if kind == "chat.completion" and isinstance(value.get("choices"), list):
            reasons = [text_of(choice, "finish_reason") for choice in value["choices"]]
            yield _call(value, finish_reasons=tuple(filter(None, reasons)))
        elif kind == "response" and isinstance(value.get("output"), list):
            yield response_call(value)
        elif kind == "list" and _is_embedding(value):
            yield _call(value, operation="embeddings")


def response_call(response: dict[str, Any], request_model: str = "") -> Call:
    """A response of the Responses API."""
    return _call(response, request_model=request_model)


def openai_tokens(usage: dict[str, Any]) -> Tokens:
    """Usage as OpenAI counts it, in either API: so do the conventions."""
    given = object_of(usage, "input_tokens_details", "prompt_tokens_details")
    answered = object_of(usage, "output_tokens_details", "completion_tokens_details")
    return Tokens(
        input=count_of(usage, "input_tokens", "prompt_tokens"),
        output=count_of(usage, "output_tokens", "completion_tokens"),
        cache_read=count_of(given, "cached_tokens"),
        reasoning=count_of(answered, "reasoning_tokens"),
    )


def _call(
    value: dict[str, Any], operation: str = "chat", request_model: str = "", finish_reasons: tuple[str, ...] = ()
) -> Call:
    return Call(
        operation=operation,
        provider=PROVIDER,
        request_model=request_model,
        response_model=text_of(value, "model"),
        response_id=text_of(value, "id"),
        finish_reasons=finish_reasons,
        tokens=openai_tokens(object_of(value, "usage")),
    )


def _is_embedding(value: dict[str, Any]) -> bool:
    first = next(iter(list_of(value, "data")), None)
    return text_of(first, "object") == "embedding"
