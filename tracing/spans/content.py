"""Inputs, outputs and errors on spans: what the content switch governs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tracing import conventions as c
from tracing.config import TracingConfig
from tracing.failures import Failure
from tracing.payloads import PayloadMessage, content_of
from tracing.runs import Attributes
from tracing.spans.model import Event, Span, StatusCode


def input_output(
    config: TracingConfig,
    given: Sequence[PayloadMessage] | None,
    result: Sequence[PayloadMessage] | None,
) -> Attributes:
    """``input.value`` and ``output.value`` with their media types, always both: Langfuse takes both from one source.

    A result of None (failed, or none yet) shows as ``null``. Nothing where content is off.
    """
    if not config.capture_content:
        return {}
    source, answer = content_of(given or ()), content_of(result or ())
    return {
        c.INPUT_VALUE: config.content(c.INPUT_VALUE, source.text),
        c.INPUT_MIME: source.mime,
        c.OUTPUT_VALUE: config.content(c.OUTPUT_VALUE, answer.text),
        c.OUTPUT_MIME: answer.mime,
    }


def error(
    config: TracingConfig, failure: Failure | None, time: int
) -> tuple[StatusCode, str, Attributes, tuple[Event, ...]]:
    """Status, status message, attributes and exception events of a failure at ``time`` (ns since the epoch).

    Each cause is an exception event of its own, outermost first. A cancellation is no error: its status stays unset.
    Messages and stack traces are content.
    """
    if failure is None:
        return StatusCode.UNSET, "", {}, ()
    failure = failure.root
    attributes: Attributes = {c.ERROR_TYPE: failure.type}
    if failure.timeout_type:
        attributes[c.TIMEOUT_TYPE] = failure.timeout_type
    if failure.canceled:
        return StatusCode.UNSET, "", attributes, ()
    events = tuple(_exception(config, cause, time) for cause in failure.chain())
    message = config.content(c.EXCEPTION_MESSAGE, failure.message) if config.capture_content else ""
    return StatusCode.ERROR, message, attributes, events


def _exception(config: TracingConfig, failure: Failure, time: int) -> Event:
    attributes: Attributes = {c.EXCEPTION_TYPE: failure.type}
    if config.capture_content:
        attributes[c.EXCEPTION_MESSAGE] = config.content(c.EXCEPTION_MESSAGE, failure.message)
        if failure.stack_trace:
            attributes[c.EXCEPTION_STACKTRACE] = config.content(c.EXCEPTION_STACKTRACE, failure.stack_trace)
    return Event(c.EXCEPTION_EVENT, time, attributes)


def shown(config: TracingConfig, span: Span) -> Span:
    """An inner span with its content redacted and cut, or without it where content is off."""
    message = span.status_message if config.capture_content else ""
    return replace(
        span,
        attributes=_contents(config, span.attributes),
        status_message=config.content(c.EXCEPTION_MESSAGE, message) if message else "",
        events=tuple(replace(event, attributes=_contents(config, event.attributes)) for event in span.events),
    )


def _contents(config: TracingConfig, attributes: Attributes) -> Attributes:
    if not config.capture_content:
        return {key: value for key, value in attributes.items() if key not in c.CONTENT_KEYS}
    return {
        key: config.content(key, value) if key in c.CONTENT_KEYS and isinstance(value, str) else value
        for key, value in attributes.items()
    }
