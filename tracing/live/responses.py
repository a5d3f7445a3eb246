"""What do the response objects of model clients say of model, usage and answer?

Read by their shape, so no client needs to be installed. Sources: the API references of OpenAI (chat completions,
responses, embeddings), Anthropic (messages), Google (generateContent) and LangChain (AIMessage).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from tracing import conventions as c


def response_attributes(response: Any, *, content: bool) -> dict[str, Any]:
    """GenAI attributes of a response object or its JSON as a dict; empty where its shape is not known."""
    usage = _get(response, "usage") or _get(response, "usage_metadata", "usageMetadata")
    attributes = {
        c.RESPONSE_ID: _get(response, "id", "response_id"),
        c.RESPONSE_MODEL: _get(response, "model", "model_version", "modelVersion")
        or _get(_get(response, "response_metadata"), "model_name"),
        c.FINISH_REASONS: _finish_reasons(response),
        **_usage(usage),
    }
    if content:
        messages = _answers(response)
        if messages:
            attributes[c.OUTPUT_MESSAGES] = msgspec.json.encode(messages).decode()
    return {key: value for key, value in attributes.items() if value not in {None, ()}}


def _get(value: Any, *names: str) -> Any:
    for name in names:
        found = value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)
        if found is not None:
            return found
    return None


def _count(value: Any, *names: str) -> int | None:
    found = _get(value, *names)
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def _usage(usage: Any) -> dict[str, int | None]:
    if usage is None:
        return {}
    given = _count(usage, "prompt_tokens", "input_tokens", "prompt_token_count", "promptTokenCount")
    answered = _count(usage, "completion_tokens", "output_tokens", "candidates_token_count", "candidatesTokenCount")
    details = _get(usage, "prompt_tokens_details", "input_tokens_details", "input_token_details")
    cached = _count(details, "cached_tokens", "cache_read")
    written = None
    if cached is None:
        cached = _count(usage, "cached_content_token_count", "cachedContentTokenCount")
    reasoning_details = _get(usage, "completion_tokens_details", "output_tokens_details", "output_token_details")
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
    choices = _get(response, "choices", "candidates")
    if isinstance(choices, Sequence):
        return tuple(_plain(_get(choice, "finish_reason", "finishReason")) for choice in choices)
    reason = _get(response, "stop_reason") or _get(_get(response, "response_metadata"), "finish_reason")
    return (_plain(reason),) if reason else ()


def _plain(reason: Any) -> str:
    value = getattr(reason, "value", reason)
    return str(value).lower() if value is not None else "unknown"


def _answers(response: Any) -> list[dict[str, Any]]:
    reasons = _finish_reasons(response)
    answers: list[dict[str, Any]] = []
    for texts in _texts(response):
        # Phoenix drops a whole list for one message without a finish reason.
        reason = reasons[len(answers)] if len(reasons) > len(answers) else "stop"
        parts = [{"type": "text", "content": text} for text in texts]
        answers.append({"role": "assistant", "parts": parts, "finish_reason": reason})
    return answers


def _texts(response: Any) -> list[list[str]]:
    """The texts of each answer."""
    choices = _get(response, "choices")
    if isinstance(choices, Sequence):  # OpenAI chat completions
        return [_strings([_get(_get(choice, "message"), "content")]) for choice in choices]
    candidates = _get(response, "candidates")
    if isinstance(candidates, Sequence):  # Google
        return [
            _strings(_get(part, "text") for part in _list(_get(_get(item, "content"), "parts"))) for item in candidates
        ]
    output = _get(response, "output")
    if isinstance(output, Sequence) and not isinstance(output, str):  # OpenAI responses
        return [_strings(_get(part, "text") for item in output for part in _list(_get(item, "content")))]
    body = _get(response, "content")
    if isinstance(body, str):  # LangChain
        return [[body]]
    if isinstance(body, Sequence):  # Anthropic, and LangChain's lists of blocks
        return [_strings(_get(block, "text") for block in body)]
    return []


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else []


def _strings(values: Any) -> list[str]:
    return [value for value in values if isinstance(value, str)]
