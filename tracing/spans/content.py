"""Inputs, outputs and errors on spans: what the content switch governs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec.structs import replace

from tracing import conventions as c
from tracing.config import TracingConfig
from tracing.failures import Failure
from tracing.payloads import JSON_MIME, TEXT_MIME, Content, PayloadMessage, content_of
from tracing.runs import Attributes, AttributeValue
from tracing.spans.model import Event, Span, StatusCode

_JSON_KEYS: Final = frozenset(
    {
        c.INPUT_MESSAGES,
        c.OUTPUT_MESSAGES,
        c.SYSTEM_INSTRUCTIONS,
        c.TOOL_DEFINITIONS,
        c.TOOL_ARGUMENTS,
        c.TOOL_RESULT,
    }
)
"""Content that backends read as JSON."""

_IDENTITY: Final = frozenset(key for key, attribute in c.REFERENCE.items() if attribute.on == "every span")
"""What every span of a run repeats; it tells runs, sessions and users apart."""

_MAX_SCHEME: Final = 32


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
    encoded = config.encoded_payloads
    source = limited(config, c.INPUT_VALUE, content_of(given or (), encoded=encoded))
    answer = limited(config, c.OUTPUT_VALUE, content_of(result or (), encoded=encoded))
    return {
        c.INPUT_VALUE: source.text,
        c.INPUT_MIME: source.mime,
        c.OUTPUT_VALUE: answer.text,
        c.OUTPUT_MIME: answer.mime,
    }


def limited(config: TracingConfig, key: str, content: Content) -> Content:
    """Content as it may leave the process; what is no JSON any longer is called text."""
    text = config.content(key, content.text, json=content.mime == JSON_MIME)
    unchanged = text == content.text or content.mime != JSON_MIME
    return Content(text, content.mime if unchanged else mime_of(text))


def mime_of(text: str) -> str:
    """Media type of what was JSON before it was cut."""
    try:
        msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return TEXT_MIME
    return JSON_MIME


def summary_of(config: TracingConfig, summary: PayloadMessage | None) -> Attributes:
    """The summary that a workflow's code gave to a step; it is content, for it may quote a prompt."""
    if summary is None or not config.capture_content:
        return {}
    text = content_of([summary], encoded=config.encoded_payloads).text
    return {c.SUMMARY: config.content(c.SUMMARY, text)}


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
    message, _ = _words(config, failure)
    return StatusCode.ERROR, message, attributes, events


def _exception(config: TracingConfig, failure: Failure, time: int) -> Event:
    attributes: Attributes = {c.EXCEPTION_TYPE: failure.type}
    message, stack_trace = _words(config, failure)
    if message:
        attributes[c.EXCEPTION_MESSAGE] = message
    if stack_trace:
        attributes[c.EXCEPTION_STACKTRACE] = stack_trace
    return Event(c.EXCEPTION_EVENT, time, attributes)


def failure_words(config: TracingConfig, failure: Failure) -> tuple[str, str]:
    """Message and stack trace that may be shown, still to be redacted and cut: none where content is off."""
    if not config.capture_content:
        return "", ""
    if config.encoded_payloads and failure.outer is not None:
        return failure.outer
    return failure.message, failure.stack_trace


def _words(config: TracingConfig, failure: Failure) -> tuple[str, str]:
    """Message and stack trace as they may leave the process."""
    message, stack_trace = failure_words(config, failure)
    return (
        config.content(c.EXCEPTION_MESSAGE, message) if message else "",
        config.content(c.EXCEPTION_STACKTRACE, stack_trace) if stack_trace else "",
    )


def shown(config: TracingConfig, span: Span) -> Span:
    """An inner span as it may leave the process: content redacted and cut, or left out where content is off.

    Instrumentations of others put addresses, statements and headers on spans. So a redactor sees all text, but the
    identity of the run, which the user chose; and where content is off, addresses are shown without user and query.
    """
    message = span.status_message if config.capture_content else ""
    return replace(
        span,
        name=config.redacted("name", span.name),
        attributes=_contents(config, span.attributes),
        status_message=config.content(c.EXCEPTION_MESSAGE, message) if message else "",
        events=tuple(_event(config, event) for event in span.events),
        links=tuple(replace(link, attributes=_contents(config, link.attributes)) for link in span.links),
    )


def _event(config: TracingConfig, event: Event) -> Event:
    name = config.redacted("name", event.name)
    if not event.name.startswith(c.MESSAGE_EVENTS):
        return Event(name, event.time, _contents(config, event.attributes))
    # A message, whatever its attributes are called.
    if not config.capture_content:
        return Event(name, event.time)
    attributes = {
        key: config.content(key, value) if isinstance(value, str) else value for key, value in event.attributes.items()
    }
    return Event(name, event.time, attributes)


def _contents(config: TracingConfig, attributes: Attributes) -> Attributes:
    contents = {}
    for key, value in attributes.items():
        if key in _IDENTITY:
            contents[key] = value
        elif config.capture_content or not c.is_content(key):
            contents[key] = _value(config, key, value)
    return contents


def _value(config: TracingConfig, key: str, value: AttributeValue) -> AttributeValue:
    if isinstance(value, str):
        if c.is_content(key):
            return config.content(key, value, json=key in _JSON_KEYS)
        if key in c.URL_KEYS and not config.capture_content:
            value = _place(value)
        return config.redacted(key, value)
    if isinstance(value, tuple):
        return tuple(config.content(key, item) if c.is_content(key) else config.redacted(key, item) for item in value)
    return value


def _place(address: str) -> str:
    """An address without user, query and fragment."""
    scheme, separator, rest = address.partition("://") if "://" in address[:_MAX_SCHEME] else ("", "", address)
    rest = rest.partition("#")[0].partition("?")[0]
    host, slash, path = rest.partition("/")
    return f"{scheme}{separator}{host.rpartition('@')[2]}{slash}{path}"
