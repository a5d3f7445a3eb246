"""What do the response objects of model clients say of model, usage and answer?

Read by their shape, so no client needs to be installed. Sources: the API references of OpenAI (chat completions,
responses, embeddings), Anthropic (messages), Google (generateContent), Amazon (Bedrock's converse) and LangChain
(AIMessage).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from tracing import conventions as c
from tracing.live.model_calls.fields import field_of, list_of
from tracing.live.model_calls.messages import Part, encoded, message_parts
from tracing.live.model_calls.response_usage import usage_attributes

_UNKNOWN: Final = "unknown"


def response_attributes(response: Any, *, content: bool) -> dict[str, Any]:
    """GenAI attributes of a response object or its JSON as a dict; empty where its shape is not known."""
    usage = field_of(response, "usage") or field_of(response, "usage_metadata", "usageMetadata")
    reasons = _finish_reasons(response)
    attributes = {
        c.RESPONSE_ID: field_of(response, "id", "response_id", "responseId"),
        c.RESPONSE_MODEL: field_of(response, "model", "model_version", "modelVersion")
        or field_of(field_of(response, "response_metadata"), "model_name"),
        c.FINISH_REASONS: reasons if set(reasons) != {_UNKNOWN} else None,
        **usage_attributes(usage),
    }
    if content:
        messages = _answers(response)
        if messages:
            attributes[c.OUTPUT_MESSAGES] = encoded(messages)
    return {key: value for key, value in attributes.items() if value is not None and value != ()}


def _finish_reasons(response: Any) -> tuple[str, ...]:
    choices = field_of(response, "choices", "candidates")
    if isinstance(choices, Sequence):
        return tuple(_plain(field_of(choice, "finish_reason", "finishReason")) for choice in choices)
    reason = field_of(response, "stop_reason", "stopReason") or field_of(
        field_of(response, "response_metadata"), "finish_reason"
    )
    return (_plain(reason),) if reason else ()


def _plain(reason: Any) -> str:
    value = getattr(reason, "value", reason)
    return str(value).lower() if value is not None else _UNKNOWN


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
    message = field_of(field_of(response, "output"), "message")
    if message is not None:  # Bedrock
        return [message_parts(message)]
    output = list_of(field_of(response, "output"))
    if output:  # OpenAI responses: messages, calls and reasoning in turn
        return [[part for item in output for part in message_parts(item)]]
    if field_of(response, "content", "tool_calls") is not None:  # Anthropic, LangChain
        return [message_parts(response)]
    return []
