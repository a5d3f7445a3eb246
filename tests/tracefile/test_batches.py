"""Dividing spans into requests."""

from __future__ import annotations

import gzip

from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tracing.spans.model import Span, SpanKind
from tracing.tracefile.batches import Batch, batches, halves


def span(number: int, *, service: str = "agent", scope: str = "temporal", name: str = "") -> Span:
    return Span(
        trace_id=0xA1,
        span_id=number,
        parent_id=None,
        name=name or f"span {number}",
        kind=SpanKind.INTERNAL,
        start=1,
        end=2,
        attributes={},
        resource={"service.name": service},
        scope=scope,
    )


def held(batch: Batch) -> list[tuple[str, str, str]]:
    """Service, scope and name of each span of a batch."""
    body = gzip.decompress(batch.body) if batch.encoding == "gzip" else batch.body
    request = ExportTraceServiceRequest.FromString(body)
    return [
        (resource.resource.attributes[0].value.string_value, scope.scope.name, span.name)
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def test_nothing_is_no_batch() -> None:
    assert list(batches([])) == []


def test_batches_are_bounded_by_spans_and_by_bytes() -> None:
    small = [span(number) for number in range(1, 6)]
    assert [batch.spans for batch in batches(small, batch_spans=2)] == [2, 2, 1]
    large = [span(1, name="1" * 900), span(2, name="2" * 400), span(3, name="3" * 300)]
    assert [batch.spans for batch in batches(large, batch_bytes=900)] == [1, 2]


def test_the_same_spans_give_the_same_bytes() -> None:
    spans = [span(number) for number in range(1, 6)]
    assert list(batches(spans, "gzip")) == list(batches(spans, "gzip"))


def test_halves_hold_what_the_whole_held_under_its_resources_and_scopes() -> None:
    spans = [span(1), span(2, scope="openai"), span(3, service="search"), span(4), span(5, scope="openai")]
    [whole] = batches(spans, "gzip")
    first, second = halves(whole)
    assert (first.encoding, first.spans, second.spans) == ("gzip", 2, 3)
    assert held(first) == [("agent", "temporal", "span 1"), ("agent", "temporal", "span 4")]
    assert held(second) == [
        ("agent", "openai", "span 2"),
        ("agent", "openai", "span 5"),
        ("search", "temporal", "span 3"),
    ]


@given(
    st.lists(st.tuples(st.sampled_from(["agent", "search"]), st.sampled_from(["a", "b"])), min_size=2, max_size=40),
    st.booleans(),
)
def test_halving_loses_and_repeats_nothing(kinds: list[tuple[str, str]], zipped: bool) -> None:  # noqa: FBT001 - Hypothesis gives it
    [whole] = batches(
        [span(n, service=service, scope=scope) for n, (service, scope) in enumerate(kinds, 1)],
        "gzip" if zipped else None,
    )
    first, second = halves(whole)
    assert [*held(first), *held(second)] == held(whole)
    assert (len(held(first)), len(held(second))) == (first.spans, second.spans)
