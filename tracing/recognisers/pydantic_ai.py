"""Results that are, or contain, a `ModelResponse` of pydantic-ai, such as those of its Temporal agents."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tracing.recognisers.json_values import count_of, object_of, objects_in, text_of
from tracing.recognisers.model import Call, Completed, Tokens

_PROVIDERS: Final = {
    "google": "gcp.gemini",
    "google-gla": "gcp.gemini",
    "google-cloud": "gcp.vertex_ai",
    "google-vertex": "gcp.vertex_ai",
    "bedrock": "aws.bedrock",
    "azure": "azure.ai.openai",
    "mistral": "mistral_ai",
    "xai": "x_ai",
}
"""What pydantic-ai calls the providers, where the GenAI conventions call them otherwise."""


def recognise(completed: Completed) -> Iterator[Call]:
    """Find model responses, wherever they stand in the result."""
    for value in objects_in(completed.result):
        if value.get("kind") != "response" or not isinstance(value.get("parts"), list) or "usage" not in value:
            continue
        usage = object_of(value, "usage")
        provider = text_of(value, "provider_name")
        reason = text_of(value, "finish_reason")
        yield Call(
            provider=_PROVIDERS.get(provider, provider),
            response_model=text_of(value, "model_name"),
            response_id=text_of(value, "provider_response_id", "vendor_id"),
            finish_reasons=(reason,) if reason else (),
            tokens=Tokens(
                input=count_of(usage, "input_tokens", "request_tokens"),
                output=count_of(usage, "output_tokens", "response_tokens"),
                cache_read=count_of(usage, "cache_read_tokens"),
                cache_write=count_of(usage, "cache_write_tokens"),
                reasoning=count_of(usage, "output_reasoning_tokens")
                or count_of(object_of(usage, "details"), "reasoning_tokens"),
            ),
        )
