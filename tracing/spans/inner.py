"""Spans inside an attempt: model calls, tools, agents. What both readers add to what their instrumentation recorded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from tracing import conventions as c
from tracing.config import TracingConfig
from tracing.ledger import Ledger, LedgerSpan
from tracing.ledger_spans import inner_span_fields
from tracing.pricing import price_of_call
from tracing.runs import Attributes, AttributeValue, Run
from tracing.spans.content import mime_of, shown
from tracing.spans.langfuse import langfuse_call
from tracing.spans.model import Span, SpanKind, StatusCode, not_before
from tracing.usage import NO_USAGE, Usage, is_model_call, total, usage_of_call, usage_of_sums

_KINDS = frozenset(kind.value for kind in SpanKind)
_STATUSES = frozenset(code.value for code in StatusCode)
_DECLARED_KINDS = {"execute_tool": "TOOL", "invoke_agent": "AGENT", "invoke_workflow": "CHAIN"}


def resource_of(ledger: Ledger, run: Run) -> Mapping[str, AttributeValue]:
    """Resource of the worker that a ledger names; where that is none, or equal to the run's, the run's own mapping.

    So most spans of a run share one, and are written without comparing it again.
    """
    return dict(ledger.resource) if ledger.resource and ledger.resource != run.resource else run.resource


def inner_common_attributes(run: Run, activity_id: str) -> Attributes:
    """What every inner span repeats of its run and activity."""
    return {**run.common_attributes(), c.ACTIVITY_ID: activity_id}


def derived_attributes(config: TracingConfig, attributes: Mapping[str, AttributeValue], start: int = 0) -> Attributes:
    """What backends need beside the GenAI attributes of an inner span; a pure function of these.

    Model calls get OpenAI-shaped ``input.value``/``output.value`` from their messages, reasoning tokens by Phoenix's
    name and what Langfuse reads. Tools and agents get their OpenInference kind. ``start`` is the span's, in ns.
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
    derived |= langfuse_call(attributes, usage, start)
    if config.capture_content:
        derived |= _messages_content(config, attributes)
    return derived


def inner_span(
    config: TracingConfig, run: Run, ledger: Ledger, recorded: LedgerSpan, attempt_span_id: int
) -> Span | None:
    """An inner span from the ledger, as it was live; None where the record is broken."""
    values = inner_span_fields(recorded, attempt_span_id)
    if values is None or recorded.kind not in _KINDS or recorded.status not in _STATUSES:
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
            resource=resource_of(ledger, run),
            scope=recorded.scope,
        ),
    )
    own = _priced(span.attributes, span.start, config.prices)
    common = inner_common_attributes(run, ledger.activity)
    return replace(span, attributes={**common, **own, **derived_attributes(config, own, span.start)})


def ledger_usage(ledger: Ledger | None, prices: str = "") -> Usage:
    """Sum over the model calls that a ledger recorded, those too whose spans it had no room for.

    Args:
        ledger: The ledger.
        prices: The user's own prices (`TracingConfig.prices`), for calls whose price their worker did not know.
    """
    if ledger is None:
        return NO_USAGE
    calls = total(
        usage_of_call(_priced(span.attributes, span.start, prices))  # type: ignore[arg-type] # lists are not read
        for span in ledger.spans
    )
    return calls + usage_of_sums(ledger.rest) if ledger.rest else calls


def _priced(attributes: Attributes, start: int, prices: str) -> Attributes:
    """A recorded call with its cost: the worker's, else by the user's own prices, where this reader is given some."""
    if not prices or c.COST in attributes or not is_model_call(attributes):
        return attributes
    price = price_of_call(attributes, start, prices)
    return attributes if price is None else attributes | price.attributes()


def _tool_content(attributes: Mapping[str, AttributeValue]) -> Attributes:
    given, result = attributes.get(c.TOOL_ARGUMENTS), attributes.get(c.TOOL_RESULT)
    if given is None and result is None:
        return {}
    return _both(str(given) if given is not None else "null", str(result) if result is not None else "null")


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
    return _both(
        config.content(c.INPUT_VALUE, msgspec.json.encode(request).decode(), json=True),
        config.content(c.OUTPUT_VALUE, msgspec.json.encode(response or None).decode(), json=True),
    )


def _both(given: str, answer: str) -> Attributes:
    return {
        c.INPUT_VALUE: given,
        c.INPUT_MIME: mime_of(given),
        c.OUTPUT_VALUE: answer,
        c.OUTPUT_MIME: mime_of(answer),
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
