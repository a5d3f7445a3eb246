"""Gemini: raw (``temporalio-google-genai``), in Google's ADK (``temporalio-google-adk``), or anywhere in a result.

Google counts thoughts beside the candidates; the GenAI conventions count reasoning as part of the output.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from tracing.recognisers.json_values import count_of, decoded, list_of, object_of, objects_in, text_of
from tracing.recognisers.model import Call, Completed, Tokens

PROVIDER: Final = "gcp.gemini"
_OPERATION: Final = "generate_content"
_RAW: Final = frozenset({"gemini_api_client_async_request", "gemini_api_client_async_request_streamed"})
_INTERACTIONS: Final = "gemini_interactions_create"
_ADK: Final = frozenset({"invoke_model", "invoke_model_streaming"})
_USAGE: Final = ("usageMetadata", "usage_metadata")
_OF_ADK: Final = frozenset({"turnComplete", "turn_complete", "interrupted", "partial"})


def recognise_raw(completed: Completed) -> Iterator[Call]:
    """Find the call of an activity that sends requests of the Gemini client: its response body is JSON in a text."""
    result = completed.result
    if completed.activity_type in _RAW and isinstance(result, dict):
        # Of a stream, each chunk counts all tokens until then.
        bodies = [decoded(text_of(part, "body")) for part in list_of(result, "chunks") or [result]]
        answers = [body for body in bodies if isinstance(body, dict) and ("candidates" in body or _usage(body))]
        if answers:
            answer = next((body for body in reversed(answers) if _usage(body)), answers[-1])
            yield _call(answer, completed.asked_model, PROVIDER)
    elif completed.activity_type == _INTERACTIONS and isinstance(result, dict) and "usage" in result:
        usage = object_of(result, "usage")
        yield Call(
            operation=_OPERATION,
            provider=PROVIDER,
            response_model=text_of(result, "model"),
            response_id=text_of(result, "id"),
            tokens=_with_thoughts(
                count_of(usage, "total_input_tokens"),
                count_of(usage, "total_output_tokens"),
                count_of(usage, "total_cached_tokens"),
                count_of(usage, "total_thought_tokens"),
            ),
        )


def recognise_adk(completed: Completed) -> Iterator[Call]:
    """Find the call of an ADK model activity: its result is the list of the model's (partial) responses."""
    result = completed.result
    if completed.activity_type not in _ADK or not isinstance(result, list):
        return
    answers = [item for item in result if isinstance(item, dict) and _is_adk(item)]
    if answers:
        yield _call(next((item for item in reversed(answers) if _usage(item)), answers[-1]), completed.asked_model)


def recognise_anywhere(completed: Completed) -> Iterator[Call]:
    """Find responses of ``generate_content``, wherever they stand in the result."""
    for value in objects_in(completed.result):
        if isinstance(value.get("candidates"), list) and _usage(value):
            yield _call(value)


def _call(response: dict[str, Any], request_model: str = "", provider: str = "") -> Call:
    usage = _usage(response)
    model = text_of(response, "modelVersion", "model_version")
    candidates = list_of(response, "candidates") or [response]
    reasons = [text_of(candidate, "finishReason", "finish_reason") for candidate in candidates]
    if not provider and (not request_model or "gemini" in request_model):
        provider = PROVIDER  # ADK also talks to others' models, which it names with their provider
    return Call(
        operation=_OPERATION,
        provider=provider,
        request_model=request_model,
        response_model=model,
        response_id=text_of(response, "responseId", "response_id"),
        finish_reasons=tuple(filter(None, reasons)),
        tokens=_with_thoughts(
            count_of(usage, "promptTokenCount", "prompt_token_count"),
            count_of(usage, "candidatesTokenCount", "candidates_token_count"),
            count_of(usage, "cachedContentTokenCount", "cached_content_token_count"),
            count_of(usage, "thoughtsTokenCount", "thoughts_token_count"),
        ),
    )


def _is_adk(item: dict[str, Any]) -> bool:
    # Written with all its fields, or with those that are set.
    return bool(item.keys() & _OF_ADK or _usage(item) or list_of(object_of(item, "content"), "parts"))


def _usage(response: dict[str, Any]) -> dict[str, Any]:
    return object_of(response, *_USAGE)


def _with_thoughts(given: int | None, answered: int | None, cached: int | None, thoughts: int | None) -> Tokens:
    if thoughts is not None:
        answered = (answered or 0) + thoughts
    return Tokens(input=given, output=answered, cache_read=cached, reasoning=thoughts)
