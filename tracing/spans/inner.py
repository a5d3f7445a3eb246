"""Spans inside an attempt: model calls, tools, agents. What both readers add to what their instrumentation recorded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec

from tracing import conventions as c
from tracing.config import TracingConfig
from tracing.ledger import Ledger, LedgerSpan, inner_span_fields
from tracing.payloads import JSON_MIME
from tracing.runs import Attributes, AttributeValue, Run
from tracing.spans.content import shown
from tracing.spans.model import Span, SpanKind, StatusCode, not_before
from tracing.usage import Usage, is_model_call, total, usage_of_call

_DECLARED_KINDS = {"execute_tool": "TOOL", "invoke_agent": "AGENT", "invoke_workflow": "CHAIN"}


def inner_common_attributes(run: Run, activity_id: str) -> Attributes:
    """What every inner span repeats of its run and activity."""
    return {**run.common_attributes(), c.ACTIVITY_ID: activity_id}


def derived_attributes(config: TracingConfig, attributes: Mapping[str, AttributeValue]) -> Attributes:
    """What backends need beside the GenAI attributes of an inner span; a pure function of these.

    Model calls get OpenAI-shaped ``input.value``/``output.value`` from their messages, reasoning tokens by Phoenix's
    name and usage details for Langfuse 3. Tools and agents get their OpenInference kind.
    """
    derived: Attributes = {}
    operation = attributes.get(c.OPERATION)
    if isinstance(operation, str) and operation in _DECLARED_KINDS:
        derived[c.OPENINFERENCE_KIND] = _DECLARED_KINDS[operation]
    if operation == "execute_tool" and config.capture_content:
        derived |= _tool_content(attributes)
    if not is_model_call(attributes):
        return derived
    usage = usage_of_call(attributes)
    if usage.reasoning_tokens:
        derived[c.PHOENIX_REASONING_TOKENS] = usage.reasoning_tokens
    if c.USAGE_INPUT in attributes:
        derived[c.LANGFUSE_USAGE] = _langfuse_usage(usage)
    if config.capture_content:
        derived |= _messages_content(config, attributes)
    return derived


def inner_span(
    config: TracingConfig, run: Run, ledger: Ledger, recorded: LedgerSpan, attempt_span_id: int
) -> Span | None:
    """An inner span from the ledger, as it was live; None where the record is broken."""
    values = inner_span_fields(recorded, attempt_span_id)
    if values is None or recorded.kind not in {kind.value for kind in SpanKind} or recorded.status not in {0, 1, 2}:
        return None
    span_id, parent_id, attributes, events = values
    # Recorded content was redacted and cut by the worker's settings; it obeys this reader's as well.
    span = shown(
        config,
        Span(
            trace_id=run.trace_id,
            span_id=span_id,
            parent_id=parent_id,
            name=recorded.name,
            kind=SpanKind(recorded.kind),
            start=recorded.start,
            end=not_before(recorded.start, recorded.end),
            attributes=attributes,
            status=StatusCode(recorded.status),
            status_message=recorded.status_message,
            events=events,
            resource=dict(ledger.resource) or run.resource,
            scope=recorded.scope,
        ),
    )
    own = span.attributes
    common = inner_common_attributes(run, ledger.activity)
    return replace(span, attributes={**common, **own, **derived_attributes(config, own)})


def ledger_usage(ledger: Ledger | None) -> Usage:
    """Sum over the model calls that a ledger recorded."""
    if ledger is None:
        return Usage()
    return total(usage_of_call(span.attributes) for span in ledger.spans)  # type: ignore[arg-type] # lists are not read


def _langfuse_usage(usage: Usage) -> str:
    # Langfuse 3 adds all details up, so each token stands in one of them only.
    details = {
        "input": usage.input_tokens - usage.cached_tokens,
        "input_cached_tokens": usage.cached_tokens,
        "output": usage.output_tokens - usage.reasoning_tokens,
        "output_reasoning_tokens": usage.reasoning_tokens,
        "total": usage.input_tokens + usage.output_tokens,
    }
    return msgspec.json.encode({key: value for key, value in details.items() if value}).decode()


def _tool_content(attributes: Mapping[str, AttributeValue]) -> Attributes:
    given, result = attributes.get(c.TOOL_ARGUMENTS), attributes.get(c.TOOL_RESULT)
    if given is None and result is None:
        return {}
    return {
        c.INPUT_VALUE: str(given) if given is not None else "null",
        c.INPUT_MIME: JSON_MIME,
        c.OUTPUT_VALUE: str(result) if result is not None else "null",
        c.OUTPUT_MIME: JSON_MIME,
    }


def _messages_content(config: TracingConfig, attributes: Mapping[str, AttributeValue]) -> Attributes:
    given = _parsed(attributes.get(c.INPUT_MESSAGES))
    answer = _parsed(attributes.get(c.OUTPUT_MESSAGES))
    if given is None and answer is None:
        return {}
    system = _parsed(attributes.get(c.SYSTEM_INSTRUCTIONS))
    messages = [{"role": "system", "content": _text(system)}] if system else []
    messages += [_openai_message(message) for message in given or []]
    request: dict[str, Any] = {"messages": messages}
    tools = _parsed(attributes.get(c.TOOL_DEFINITIONS))
    if tools:
        request["tools"] = tools
    answers = [_openai_message(message) for message in answer or []]
    response: Any = answers[0] if len(answers) == 1 else answers
    return {
        c.INPUT_VALUE: config.content(c.INPUT_VALUE, msgspec.json.encode(request).decode()),
        c.INPUT_MIME: JSON_MIME,
        c.OUTPUT_VALUE: config.content(c.OUTPUT_VALUE, msgspec.json.encode(response or None).decode()),
        c.OUTPUT_MIME: JSON_MIME,
    }


def _parsed(value: AttributeValue | None) -> list[Any] | None:
    if not isinstance(value, str):
        return None
    try:
        parsed = msgspec.json.decode(value)
    except (msgspec.DecodeError, RecursionError):
        return None
    return parsed if isinstance(parsed, list) else None


def _text(parts: list[Any]) -> str:
    texts = [str(part["content"]) for part in parts if isinstance(part, dict) and "content" in part]
    return "\n".join(texts)


def _openai_message(message: Any) -> dict[str, Any]:
    """A GenAI message (role, parts) as an OpenAI chat message (role, content, tool_calls)."""
    if not isinstance(message, dict):
        return {"role": "unknown", "content": str(message)}
    parts = [part for part in message.get("parts") or [] if isinstance(part, dict)]
    shaped: dict[str, Any] = {"role": message.get("role", "unknown")}
    texts = [part for part in parts if part.get("type") == "text"]
    answers = [part for part in parts if part.get("type") == "tool_call_response"]
    calls = [part for part in parts if part.get("type") == "tool_call"]
    shaped["content"] = _text(texts) if texts else None
    if answers:
        shaped["content"] = "\n".join(_string(part.get("response", part.get("result"))) for part in answers)
        shaped["tool_call_id"] = answers[0].get("id")
    if calls:
        shaped["tool_calls"] = [
            {
                "id": part.get("id"),
                "type": "function",
                "function": {"name": part.get("name"), "arguments": _string(part.get("arguments"))},
            }
            for part in calls
        ]
    return shaped


def _string(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
