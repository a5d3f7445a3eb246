"""Spans inside attempts are priced, named and stripped of content whatever the provider's processors are."""

from __future__ import annotations

import pytest
from opentelemetry import context as otel_context
from opentelemetry.sdk.trace import ConcurrentMultiSpanProcessor, SynchronousMultiSpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.live.attempts.attempts import INNER
from tests.live.delivery.spooling_attempt import attempt_in
from tracing.live.attempts.recorder import prepare_provider
from tracing.live.delivery.sdk_spans import from_sdk_span

CALL = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.usage.input_tokens": 1000,
    "gen_ai.usage.output_tokens": 200,
}


@pytest.mark.parametrize("multi", [SynchronousMultiSpanProcessor, ConcurrentMultiSpanProcessor])
@pytest.mark.parametrize("tracer_first", [True, False])
def test_a_call_inside_an_attempt_is_complete(
    multi: type[SynchronousMultiSpanProcessor | ConcurrentMultiSpanProcessor], *, tracer_first: bool
) -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(active_span_processor=multi(), shutdown_on_exit=False)
    tracer = provider.get_tracer("openai") if tracer_first else None
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    prepare_provider(provider)
    tracer = tracer or provider.get_tracer("openai")

    attempt = attempt_in(provider)
    token = otel_context.attach(attempt.context())
    tracer.start_span("chat gpt-4o", attributes={**CALL, "gen_ai.input.messages": "[]"}).end()
    otel_context.detach(token)
    provider.shutdown()

    [call] = [from_sdk_span(span) for span in exporter.get_finished_spans()]
    assert {key: call.attributes.get(key) for key in INNER} == INNER
    assert call.attributes["durable.cost.usd"] == 0.0045
    assert "gen_ai.input.messages" not in call.attributes
    assert [span.name for span in attempt.recorder.spans()[0]] == ["chat gpt-4o"]


def test_processors_that_are_added_later_see_spans_as_they_are_sent() -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(active_span_processor=ConcurrentMultiSpanProcessor(), shutdown_on_exit=False)
    prepare_provider(provider)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    token = otel_context.attach(attempt_in(provider).context())
    provider.get_tracer("openai").start_span("chat gpt-4o", attributes=CALL).end()
    otel_context.detach(token)
    assert provider.force_flush()
    provider.shutdown()
    [call] = exporter.get_finished_spans()
    assert (call.attributes or {})["durable.cost.usd"] == 0.0045
