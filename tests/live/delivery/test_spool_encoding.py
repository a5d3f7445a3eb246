"""A span from the spool is exported, byte for byte, as it would have been exported at once."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, Status, StatusCode, TraceFlags, TraceState

from tests.live.delivery.test_emitter import SPAN
from tracing.live.delivery.sdk_spans import to_sdk_span
from tracing.live.delivery.spool.decoding import decode_span
from tracing.live.delivery.spool.encoding import encode_span, key_of

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
scalars = texts | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.binary(max_size=4)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3).map(tuple) | st.dictionaries(texts, inner, max_size=3)
)
attributes = st.dictionaries(texts, values, max_size=4)
times = st.integers(1, 2**63)
contexts = st.builds(
    SpanContext, st.integers(1, 2**128 - 1), st.integers(1, 2**64 - 1), st.booleans(), st.just(TraceFlags(1))
)


@st.composite
def sdk_spans(draw: st.DrawFn) -> ReadableSpan:
    context = draw(contexts)
    trace_id = context.trace_id
    states = st.none() | st.just(TraceState([("vendor", "a"), ("other", "b:1")]))
    return ReadableSpan(
        name=draw(texts),
        context=SpanContext(trace_id, context.span_id, is_remote=False, trace_state=draw(states)),
        parent=draw(st.none() | st.builds(SpanContext, st.just(trace_id), st.integers(1, 2**64 - 1), st.booleans())),
        resource=Resource(draw(st.dictionaries(texts.filter(bool), texts, max_size=3)), draw(texts)),
        attributes=draw(attributes),
        events=draw(st.lists(st.builds(Event, texts, attributes, times), max_size=2)),
        links=draw(st.lists(st.builds(Link, contexts, attributes), max_size=2)),
        kind=draw(st.sampled_from(trace.SpanKind)),
        status=draw(
            st.just(Status(StatusCode.UNSET))
            | st.just(Status(StatusCode.OK))
            | texts.map(lambda d: Status(StatusCode.ERROR, d))
        ),
        start_time=draw(times),
        end_time=draw(times),
        instrumentation_scope=draw(
            st.none() | st.builds(InstrumentationScope, texts, texts, texts, st.dictionaries(texts, texts, max_size=2))
        ),
    )


def exported(span: ReadableSpan) -> bytes:
    return encode_spans([span]).SerializeToString(deterministic=True)


@pytest.mark.slow
@given(sdk_spans())
def test_any_span_is_exported_the_same(span: ReadableSpan) -> None:
    again = decode_span(encode_span(span))
    assert exported(again) == exported(span)
    assert key_of(again) == key_of(span)
    assert again.context is not None
    assert again.context.trace_flags.sampled


def test_so_is_a_span_of_ours() -> None:
    span = to_sdk_span(SPAN, Resource({"service.name": "agents"}))
    assert exported(decode_span(encode_span(span))) == exported(span)


def test_so_is_one_whose_limits_dropped_some_of_it() -> None:
    exporter = InMemorySpanExporter()
    limits = SpanLimits(max_attributes=1, max_events=1, max_links=1, max_event_attributes=1, max_link_attributes=1)
    provider = TracerProvider(span_limits=limits, shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    two: dict[str, Any] = {"a": 1, "b": 2}
    link = Link(SpanContext(1, 2, is_remote=True), two)
    with provider.get_tracer("test").start_as_current_span("chat", attributes=two, links=[link, link]) as started:
        started.add_event("first", two)
        started.add_event("second", two)
    [span] = exporter.get_finished_spans()
    assert (span.dropped_attributes, span.dropped_events, span.dropped_links) == (1, 1, 1)
    assert exported(decode_span(encode_span(span))) == exported(span)


def test_what_no_exporter_can_encode_is_left_out() -> None:
    odd: Any = {"object": object(), "huge": 2**64, "lone": "\ud800", "kept": 1}
    span = ReadableSpan(
        "chat", SpanContext(1, 2, is_remote=False), attributes=odd, resource=Resource({}), start_time=1, end_time=2
    )
    assert decode_span(encode_span(span)).attributes == {"kept": 1}


@pytest.mark.parametrize("data", [b"", b"\xff" * 10, b"\x0a\x00"])
def test_anything_else_is_no_span(data: bytes) -> None:
    with pytest.raises(ValueError, match="not a span of the spool"):
        decode_span(data)


@given(st.binary(max_size=200))
def test_whatever_it_is(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        decode_span(data)
