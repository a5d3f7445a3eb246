"""What do the response objects of model clients say of model, usage and answer?

Read by their shape, so no client needs to be installed. Sources: the API references of OpenAI (chat completions,
responses, embeddings), Anthropic (messages), Google (generateContent) and LangChain (AIMessage).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tracing import conventions as c
from tracing.live.fields import field_of, list_of
from tracing.live.messages import Part, encoded, message_parts


def response_attributes(response: Any, *, content: bool) -> dict[str, Any]:
    """GenAI attributes of a response object or its JSON as a dict; empty where its shape is not known."""
    usage = field_of(response, "usage") or field_of(response, "usage_metadata", "usageMetadata")
    attributes = {
        c.RESPONSE_ID: field_of(response, "id", "response_id", "responseId"),
        c.RESPONSE_MODEL: field_of(response, "model", "model_version", "modelVersion")
        or field_of(field_of(response, "response_metadata"), "model_name"),
        c.FINISH_REASONS: _finish_reasons(response),
        **_usage(usage),
    }
    if content:
        messages = _answers(response)
        if messages:
            attributes[c.OUTPUT_MESSAGES] = encoded(messages)
    return {key: value for key, value in attributes.items() if value is not None and value != ()}


def _count(value: Any, *names: str) -> int | None:
    found = field_of(value, *names)
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def _usage(usage: Any) -> dict[str, int | None]:
    if usage is None:
        return {}
    given = _count(usage, "prompt_tokens", "input_tokens", "prompt_token_count", "promptTokenCount")
    answered = _count(usage, "completion_tokens", "output_tokens", "candidates_token_count", "candidatesTokenCount")
    details = field_of(usage, "prompt_tokens_details", "input_tokens_details", "input_token_details")
    cached = _count(details, "cached_tokens", "cache_read")
    written = None
    if cached is None:
        cached = _count(usage, "cached_content_token_count", "cachedContentTokenCount")
    reasoning_details = field_of(usage, "completion_tokens_details", "output_tokens_details", "output_token_details")
    reasoning = _count(reasoning_details, "reasoning_tokens", "reasoning")
    thoughts = _count(usage, "thoughts_token_count", "thoughtsTokenCount")
    if thoughts is not None:
        # Google counts thoughts beside the candidates; the conventions count reasoning as part of the output.
        reasoning, answered = thoughts, (answered or 0) + thoughts
    cache_read = _count(usage, "cache_read_input_tokens")
    if cache_read is not None or _count(usage, "cache_creation_input_tokens") is not None:
        # Anthropic counts cached input beside the input; the conventions count it as part of it.
        cached, written = cache_read or 0, _count(usage, "cache_creation_input_tokens") or 0
        given = (given or 0) + cached + written
    return {
        c.USAGE_INPUT: given,
        c.USAGE_OUTPUT: answered if answered is not None or given is None else 0,
        c.USAGE_CACHE_READ: cached,
        c.USAGE_CACHE_WRITE: written,
        c.USAGE_REASONING: reasoning,
    }


def _finish_reasons(response: Any) -> tuple[str, ...]:
    choices = field_of(response, "choices", "candidates")
    if isinstance(choices, Sequence):
        return tuple(_plain(field_of(choice, "finish_reason", "finishReason")) for choice in choices)
    reason = field_of(response, "stop_reason") or field_of(field_of(response, "response_metadata"), "finish_reason")
    return (_plain(reason),) if reason else ()


def _plain(reason: Any) -> str:
    value = getattr(reason, "value", reason)
    return str(value).lower() if value is not None else "unknown"


def _answers(response: Any) -> list[dict[str, Any]]:
    reasons = _finish_reasons(response)
    answers: list[dict[str, Any]] = []
    for parts in _parts(response):
        # Phoenix drops a whole list for one message without a finish reason.
        reason = reasons[len(answers)] if len(reasons) > len(answers) else "stop"
        answers.append({"role": "assistant", "parts": parts, "finish_reason": reason})
    return answers


def _parts(response: Any) -> list[list[Part]]:
    """The parts of each answer."""
    choices = field_of(response, "choices")
    if isinstance(choices, Sequence):  # OpenAI chat completions
        return [message_parts(field_of(choice, "message")) for choice in choices]
    candidates = field_of(response, "candidates")
    if isinstance(candidates, Sequence):  # Google
        return [message_parts(field_of(candidate, "content")) for candidate in candidates]
    output = list_of(field_of(response, "output"))
    if output:  # OpenAI responses: messages, calls and reasoning in turn
        return [[part for item in output for part in message_parts(item)]]
    if field_of(response, "content", "tool_calls") is not None:  # Anthropic, LangChain
        return [message_parts(response)]
    return []
