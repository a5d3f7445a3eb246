"""What becomes of the instrumented call that a model call of ours has inside?

`llm_call` around a client that is instrumented as well would be two spans of one call, and its tokens and cost be
counted twice. Instrumentations that are built on OpenTelemetry's GenAI utilities make no span inside another one of
theirs, and hand over what they know to it; `llm_call` presents itself as such.
"""

from __future__ import annotations

import sys
from typing import Any, Final

from opentelemetry import context as otel_context
from opentelemetry.context import Context

from tracing import conventions as c
from tracing.live.model_calls.fields import field_of
from tracing.runs import AttributeValue

_PACKAGE: Final = "opentelemetry.util.genai"
_KNOWN: Final = {
    "response_id": c.RESPONSE_ID,
    "response_model": c.RESPONSE_MODEL,
    "response_finish_reasons": c.FINISH_REASONS,
    "response_time_to_first_chunk": c.TIME_TO_FIRST_CHUNK,
    "request_stream": c.REQUEST_STREAM,
    "request_temperature": c.REQUEST_TEMPERATURE,
    "request_max_tokens": c.REQUEST_MAX_TOKENS,
    "request_top_p": c.REQUEST_TOP_P,
    "request_top_k": c.REQUEST_TOP_K,
    "request_seed": c.REQUEST_SEED,
    "server_address": c.SERVER_ADDRESS,
    "server_port": c.SERVER_PORT,
    "usage_input_tokens": c.USAGE_INPUT,
    "usage_output_tokens": c.USAGE_OUTPUT,
    "usage_cache_read_input_tokens": c.USAGE_CACHE_READ,
    "usage_cache_write_input_tokens": c.USAGE_CACHE_WRITE,
    "usage_reasoning_output_tokens": c.USAGE_REASONING,
    "usage_audio_input_tokens": c.USAGE_AUDIO_INPUT,
    "usage_audio_output_tokens": c.USAGE_AUDIO_OUTPUT,
    "usage_image_input_tokens": c.USAGE_IMAGE_INPUT,
    "usage_image_output_tokens": c.USAGE_IMAGE_OUTPUT,
}

_ONLY_WHERE_ANY: Final = {c.USAGE_AUDIO_INPUT, c.USAGE_AUDIO_OUTPUT, c.USAGE_IMAGE_INPUT, c.USAGE_IMAGE_OUTPUT}


class NestedCall:
    """What an instrumented call inside tells.

    Args:
        operation: Operation of the call around it.
    """

    def __init__(self, operation: str) -> None:
        module, key, data = (
            ("_embedding_invocation", "CLIENT_EMBEDDING_CONTEXT_KEY", "EmbeddingData")
            if operation == "embeddings"
            else ("_inference_invocation", "CLIENT_INFERENCE_CONTEXT_KEY", "InferenceData")
        )
        # Where no instrumentation has loaded it there is none to be nested.
        loaded = sys.modules.get(f"{_PACKAGE}.{module}")
        self._key: str | None = getattr(loaded, key, None)
        self._data: Any = getattr(loaded, data, lambda: None)()

    def context(self, context: Context) -> Context:
        """A context in which instrumented calls make no span of their own."""
        return context if self._key is None else otel_context.set_value(self._key, self._data, context)

    def attributes(self) -> dict[str, AttributeValue]:
        """What they told."""
        told: dict[str, AttributeValue] = {}
        for name, key in _KNOWN.items():
            value = field_of(self._data, name)
            if value is None or (value == 0 and key in _ONLY_WHERE_ANY):
                continue
            told[key] = tuple(value) if isinstance(value, list) else value
        return told
