"""Ways out of the process that do not pass the end of a span inside an attempt: they are redacted as well."""

from __future__ import annotations

import json
import logging

import pytest
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tracing import llm_call
from tracing.config import TracingConfig
from tracing.live.delivery.destinations import redacted_resource
from tracing.live.delivery.sdk_spans import told_attributes
from tracing.live.delivery.spool.starts import as_begun
from tracing.live.failopen import fail_open
from tracing.redaction import redactors

REDACTED = TracingConfig(redact=redactors("all"))


@pytest.fixture
def exported(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """What the application's own provider exports."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    return exporter


def test_a_model_call_outside_of_attempts_obeys_the_environment(
    exported: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "SPAN_ONLY")
    monkeypatch.setenv("DURABLE_TRACE_REDACT", "email")
    monkeypatch.setenv("DURABLE_TRACE_MAX_CONTENT_LENGTH", "200")
    messages = [{"role": "user", "content": "write to ada@example.com " * 20}]
    with (
        pytest.raises(ValueError, match="ada@"),
        llm_call(model="gpt-4o", provider="openai", messages=messages, stop=["ada@example.com"]),
    ):
        raise ValueError("no answer for ada@example.com")
    [span] = exported.get_finished_spans()
    assert "ada@" not in span.to_json()
    assert span.status.description == "no answer for [redacted: email address]"
    assert span.attributes is not None
    [message] = json.loads(str(span.attributes["gen_ai.input.messages"]))
    assert message["parts"][0]["content"].endswith("… [cut: 700 characters]")


def test_a_resource_may_hold_a_command_line() -> None:
    described = Resource({"process.command_args": ["worker", "--password=hunter2"], "process.pid": 7, "host.name": "a"})
    assert dict(redacted_resource(REDACTED, described).attributes) == {
        "process.command_args": ("worker", "--password=[redacted: password]"),
        "process.pid": 7,
        "host.name": "a",
    }
    assert redacted_resource(TracingConfig(), described) is described


def test_a_span_that_has_begun_is_noted_redacted(exported: InMemorySpanExporter) -> None:
    tracer = trace.get_tracer_provider().get_tracer("http")
    attributes = {"url.full": "https://ada:pw@api.local/?token=0123456789abcdef", "sizes": (1, 2)}
    with tracer.start_as_current_span("GET ada@example.com", attributes=attributes) as span:
        begun = as_begun(REDACTED, span)  # type: ignore[arg-type] # the SDK's
    assert begun.name == "GET [redacted: email address]"
    assert dict(begun.attributes or {}) == {"url.full": "https://api.local/", "sizes": (1, 2)}
    assert len(exported.get_finished_spans()) == 1


def test_what_is_no_text_stays_as_its_instrumentation_typed_it() -> None:
    given = {"sizes": (1, 2), "ok": True, "to": ("a", "b"), "gone": "x"}
    assert told_attributes(given, {"sizes": ("1", "2"), "ok": True, "to": ("c", "d")}) == {
        "sizes": (1, 2),
        "ok": True,
        "to": ("c", "d"),
    }


def test_a_failure_of_ours_is_logged_without_its_text(caplog: pytest.LogCaptureFixture, tracing_log: list[str]) -> None:
    with caplog.at_level(logging.DEBUG), fail_open("a test"):
        raise KeyError("secret prompt")
    assert len(tracing_log) == 1
    assert "secret prompt" not in caplog.text.replace('raise KeyError("secret prompt")', "")
    assert "tracing.live.failopen.Failed: KeyError" in caplog.text
