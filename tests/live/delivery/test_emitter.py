"""How our spans reach the application's exporters: as they are, by the provider's sampler and resource."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import (
    ALWAYS_OFF,
    ALWAYS_ON,
    DEFAULT_OFF,
    DEFAULT_ON,
    ParentBased,
    Sampler,
    TraceIdRatioBased,
)

from tracing.live.delivery.emitter import Emitter
from tracing.live.delivery.sdk_spans import from_sdk_span
from tracing.spans.model import Event, Link, Span, SpanKind, StatusCode

SPAN = Span(
    trace_id=0x0884FD559F037FEB254717F53BE6BB10,
    span_id=0xD1903EA4E88A9181,
    parent_id=0xBA9A8C23FB2921D1,
    name="StartActivity:call_llm",
    kind=SpanKind.CLIENT,
    start=1_763_884_800_123_456_000,
    end=1_763_884_801_123_456_000,
    attributes={"temporal.attempts": 3, "temporal.queue_time": 0.5, "durable.reused": True, "tag.tags": ("beta",)},
    status=StatusCode.ERROR,
    status_message="boom",
    events=(Event("exception", 1_763_884_801_123_456_000, {"exception.type": "ValueError"}),),
    links=(Link(1, 2, {"temporalRunID": "run-0"}),),
    resource={"service.name": "agents"},
)


def provider_of(sampler: Sampler = ALWAYS_ON) -> tuple[TracerProvider, InMemorySpanExporter]:
    provider = TracerProvider(
        sampler=sampler,
        resource=Resource({"service.name": "agents", "service.version": "7", "host.name": "node-1"}),
        shutdown_on_exit=False,
    )
    exporter = InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return provider, exporter


def test_a_span_is_exported_as_it_is() -> None:
    provider, exporter = provider_of()
    Emitter(provider).emit(SPAN)
    [exported] = exporter.get_finished_spans()
    assert from_sdk_span(exported) == replace(
        SPAN, resource={"service.name": "agents", "service.version": "7", "host.name": "node-1"}
    )


@pytest.mark.parametrize("kind", SpanKind)
@pytest.mark.parametrize("status", StatusCode)
def test_kinds_and_statuses_are_told_by_name(kind: SpanKind, status: StatusCode) -> None:
    provider, exporter = provider_of()
    Emitter(provider).emit(replace(SPAN, kind=kind, status=status, status_message=""))
    [exported] = exporter.get_finished_spans()
    assert (exported.kind.name, exported.status.status_code.name) == (kind.name, status.name)


def test_a_root_has_no_parent() -> None:
    provider, exporter = provider_of()
    Emitter(provider).emit(replace(SPAN, parent_id=None))
    [exported] = exporter.get_finished_spans()
    assert exported.parent is None


def test_what_travels_of_the_resource_is_the_services_identity() -> None:
    assert Emitter(provider_of()[0]).resource() == {"service.name": "agents", "service.version": "7"}


@pytest.mark.parametrize(
    ("sampler", "sampled"),
    [
        (ALWAYS_ON, True),
        (ALWAYS_OFF, False),
        (DEFAULT_ON, True),
        (DEFAULT_OFF, False),
        (ParentBased(TraceIdRatioBased(0.5)), False),
    ],
)
def test_the_sampler_decides_for_a_trace_that_begins(sampler: Sampler, *, sampled: bool) -> None:
    # The low 64 bits of this trace ID are above the ratio's bound.
    trace_id = 0xFFFFFFFFFFFFFFFF
    assert Emitter(provider_of(sampler)[0]).samples(trace_id, "RunWorkflow:Research") is sampled


@pytest.mark.parametrize(("sampler", "sampled"), [(DEFAULT_ON, True), (DEFAULT_OFF, False)])
def test_the_span_that_a_worker_was_started_under_decides_nothing(sampler: Sampler, *, sampled: bool) -> None:
    flags = trace.TraceFlags(0 if sampled else 1)
    around = trace.NonRecordingSpan(trace.SpanContext(1, 2, is_remote=False, trace_flags=flags))
    token = otel_context.attach(trace.set_span_in_context(around))
    try:
        assert Emitter(provider_of(sampler)[0]).samples(5, "RunWorkflow:Research") is sampled
    finally:
        otel_context.detach(token)


def test_without_a_provider_it_says_once_what_to_do(tracing_log: list[str]) -> None:
    emitter = Emitter(trace.NoOpTracerProvider())
    for _ in range(3):
        emitter.emit(SPAN)
    assert (emitter.resource(), emitter.samples(5, "RunWorkflow:Research"), emitter.flush()) == ({}, True, True)
    assert tracing_log == [
        (
            "No OpenTelemetry tracer provider is set, so no span is exported: call tracing.configure() first, "
            "or set one with opentelemetry.trace.set_tracer_provider()."
        )
    ]
