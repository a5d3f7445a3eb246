"""How are spans divided into the requests that they are sent in?

As OTLP/HTTP with protobuf, which every backend takes. A batch is the very bytes of a request's body: kept, it can be
sent again as it was.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tracing.spans.model import Span
from tracing.tracefile.protobuf import RequestWriter

BATCH_SPANS: Final = 512
"""Most spans of one request."""
BATCH_BYTES: Final = 4 * 1024 * 1024
"""Largest request of more than one span, before compression."""

Encoding = Literal["gzip"]


@dataclass(frozen=True, slots=True)
class Batch:
    """One request's body.

    Attributes:
        body: The bytes as they are posted.
        spans: How many spans it holds.
        encoding: How the body is compressed; None where it is not.
    """

    body: bytes
    spans: int
    encoding: Encoding | None = None


def batches(
    spans: Sequence[Span],
    encoding: Encoding | None = None,
    *,
    batch_spans: int = BATCH_SPANS,
    batch_bytes: int = BATCH_BYTES,
) -> Iterator[Batch]:
    """Divide spans into batches; the same spans give the same bytes.

    Args:
        spans: Closed spans.
        encoding: How to compress each body.
        batch_spans: Most spans of one batch.
        batch_bytes: Most bytes of a batch of more than one span, before compression.
    """
    writer = RequestWriter()
    for first in range(0, len(spans), batch_spans):
        yield from _within(writer, spans[first : first + batch_spans], encoding, batch_bytes)


def halves(batch: Batch) -> tuple[Batch, Batch]:
    """Two batches that hold what one of several spans holds, for a target to which it is too large."""
    body = gzip.decompress(batch.body) if batch.encoding == "gzip" else batch.body
    whole = ExportTraceServiceRequest.FromString(body)
    half = batch.spans // 2
    first, second = _part(whole, range(half)), _part(whole, range(half, batch.spans))
    return _batch(first, half, batch.encoding), _batch(second, batch.spans - half, batch.encoding)


def _within(
    writer: RequestWriter, spans: Sequence[Span], encoding: Encoding | None, batch_bytes: int
) -> Iterator[Batch]:
    body = writer.request(spans)
    if len(body) <= batch_bytes or len(spans) == 1:
        yield _batch(body, len(spans), encoding)
        return
    half = len(spans) // 2
    yield from _within(writer, spans[:half], encoding, batch_bytes)
    yield from _within(writer, spans[half:], encoding, batch_bytes)


def _batch(body: bytes, spans: int, encoding: Encoding | None) -> Batch:
    # Without a time in it, so that the same spans give the same bytes.
    return Batch(gzip.compress(body, mtime=0) if encoding == "gzip" else body, spans, encoding)


def _part(whole: ExportTraceServiceRequest, numbers: range) -> bytes:
    """The request with only those of its spans that have these numbers."""
    part = ExportTraceServiceRequest()
    number = 0
    for resource_spans in whole.resource_spans:
        for scope_spans in resource_spans.scope_spans:
            kept = [span for n, span in enumerate(scope_spans.spans, number) if n in numbers]
            number += len(scope_spans.spans)
            if kept:
                added = part.resource_spans.add(resource=resource_spans.resource)
                added.scope_spans.add(scope=scope_spans.scope, spans=kept)
    return part.SerializeToString()
