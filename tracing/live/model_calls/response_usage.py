"""What does the usage of a response say in the words of the GenAI conventions?

Input includes what was read from and written to caches, output includes reasoning. Providers differ: Anthropic and
Bedrock count cached input beside the input, Google counts thoughts beside the answer. Parts by modality (audio, images)
are set where there are any.
"""

from __future__ import annotations

from typing import Any, Final

from tracing import conventions as c
from tracing.live.model_calls.fields import count_of, field_of, list_of

_INPUT: Final = ("prompt_tokens", "input_tokens", "prompt_token_count", "promptTokenCount", "inputTokens")
_OUTPUT: Final = (
    "completion_tokens",
    "output_tokens",
    "candidates_token_count",
    "candidatesTokenCount",
    "outputTokens",
)
_INPUT_PARTS: Final = ("prompt_tokens_details", "input_tokens_details", "input_token_details", "promptTokensDetails")
_OUTPUT_PARTS: Final = (
    "completion_tokens_details",
    "output_tokens_details",
    "output_token_details",
    "candidates_tokens_details",
    "candidatesTokensDetails",
)
_CACHED_PARTS: Final = ("cache_tokens_details", "cacheTokensDetails")
_CACHE_READ: Final = ("cache_read_input_tokens", "cacheReadInputTokens")
_CACHE_WRITE: Final = ("cache_creation_input_tokens", "cacheWriteInputTokens")

_MODALITIES: Final = {
    "input": {"audio": c.USAGE_AUDIO_INPUT, "image": c.USAGE_IMAGE_INPUT},
    "output": {"audio": c.USAGE_AUDIO_OUTPUT, "image": c.USAGE_IMAGE_OUTPUT},
    "cached": {"audio": c.USAGE_AUDIO_CACHE_READ, "image": c.USAGE_IMAGE_CACHE_READ},
}


def usage_attributes(usage: Any) -> dict[str, int]:
    """Usage attributes of a response's usage object; empty where there is none."""
    if usage is None:
        return {}
    given, answered = count_of(usage, *_INPUT), count_of(usage, *_OUTPUT)
    input_parts, output_parts = field_of(usage, *_INPUT_PARTS), field_of(usage, *_OUTPUT_PARTS)
    cached = count_of(input_parts, "cached_tokens", "cache_read")
    written = count_of(input_parts, "cache_write_tokens", "cache_creation")
    if cached is None:
        cached = count_of(usage, "cached_content_token_count", "cachedContentTokenCount")
    reasoning = count_of(output_parts, "reasoning_tokens", "reasoning")
    thoughts = count_of(usage, "thoughts_token_count", "thoughtsTokenCount")
    if thoughts is not None:
        reasoning, answered = thoughts, (answered or 0) + thoughts
    tool_use = count_of(usage, "tool_use_prompt_token_count", "toolUsePromptTokenCount")
    if tool_use:
        given = (given or 0) + tool_use
    if count_of(usage, *_CACHE_READ, *_CACHE_WRITE) is not None:
        cached, written = count_of(usage, *_CACHE_READ) or 0, count_of(usage, *_CACHE_WRITE) or 0
        given = (given or 0) + cached + written
    attributes = {
        c.USAGE_INPUT: given,
        c.USAGE_OUTPUT: answered if answered is not None or given is None else 0,
        c.USAGE_CACHE_READ: cached,
        c.USAGE_CACHE_WRITE: written or None if input_parts is not None else written,
        c.USAGE_REASONING: reasoning,
        **_modalities("input", input_parts),
        **_modalities("output", output_parts),
        **_modalities("cached", field_of(input_parts, "cached_tokens_details") or field_of(usage, *_CACHED_PARTS)),
    }
    return {key: value for key, value in attributes.items() if value is not None}


def _modalities(side: str, parts: Any) -> dict[str, int]:
    """Parts by modality: OpenAI's fields, LangChain's, or Google's list."""
    found: dict[str, int] = {}
    for modality, key in _MODALITIES[side].items():
        count = count_of(parts, f"{modality}_tokens", modality)
        if count is None:
            count = sum(_google_part(part, modality) for part in list_of(parts))
        if count:
            found[key] = count
    return found


def _google_part(part: Any, modality: str) -> int:
    named = field_of(part, "modality")
    if str(getattr(named, "value", named)).lower() != modality:
        return 0
    return count_of(part, "token_count", "tokenCount") or 0
