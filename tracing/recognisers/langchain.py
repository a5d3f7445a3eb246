"""Results that are, or contain, a LangChain `AIMessage`: nodes of LangGraph, ``deepagents.invoke_model``, and others.

A message is written by its fields, or as LangChain serialises it, with its fields under ``kwargs``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tracing.recognisers.json_values import count_of, object_of, objects_in, text_of
from tracing.recognisers.model import Call, Completed, Tokens

_KINDS: Final = frozenset({"ai", "AIMessageChunk"})
_PROVIDERS: Final = {
    "google_genai": "gcp.gemini",
    "google_vertexai": "gcp.vertex_ai",
    "bedrock": "aws.bedrock",
    "bedrock_converse": "aws.bedrock",
    "azure": "azure.ai.openai",
    "azure_openai": "azure.ai.openai",
    "mistralai": "mistral_ai",
    "xai": "x_ai",
}
"""What LangChain calls the providers, where the GenAI conventions call them otherwise."""


def recognise(completed: Completed) -> Iterator[Call]:
    """Find AI messages that say what they used, wherever they stand in the result."""
    for message in objects_in(completed.result):
        usage = object_of(message, "usage_metadata")
        if message.get("type") not in _KINDS or not usage:
            continue
        about = object_of(message, "response_metadata")
        provider = text_of(about, "model_provider")
        reason = text_of(about, "finish_reason", "stop_reason", "stopReason")
        yield Call(
            provider=_PROVIDERS.get(provider, provider),
            response_model=text_of(about, "model_name", "model"),
            response_id=text_of(about, "id") or text_of(message, "id"),
            finish_reasons=(reason,) if reason else (),
            tokens=Tokens(
                input=count_of(usage, "input_tokens"),
                output=count_of(usage, "output_tokens"),
                cache_read=count_of(object_of(usage, "input_token_details"), "cache_read"),
                cache_write=count_of(object_of(usage, "input_token_details"), "cache_creation"),
                reasoning=count_of(object_of(usage, "output_token_details"), "reasoning"),
            ),
        )
