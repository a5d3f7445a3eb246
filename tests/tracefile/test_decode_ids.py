"""IDs of closed spans, without reading the spans: the same as who reads them finds, or none."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracing.spans.model import Span, SpanKind
from tracing.tracefile.decode import UnreadableError, decode_request
from tracing.tracefile.decode_ids import closed_ids
from tracing.tracefile.encode import encode_request

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


def line(**span: object) -> bytes:
    whole = {"traceId": TRACE, "spanId": SPAN, "startTimeUnixNano": "1", "endTimeUnixNano": "2", **span}
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [whole]}]}]}).encode()


def test_closed_spans_are_found_and_open_ones_are_not() -> None:
    spans = [
        Span(0xA1, 1, None, "closed", SpanKind.INTERNAL, 1, 2, {"text": "é", "number": 1.5}),
        Span(0xA1, 2, 1, "open", SpanKind.INTERNAL, 1, None, {}),
        Span(2**128 - 1, 2**64 - 1, 1, "large", SpanKind.INTERNAL, 1, 2**64 - 1, {}, resource={"service.name": "x"}),
    ]
    assert closed_ids(encode_request(spans)) == [
        ((0xA1).to_bytes(16, "big"), (1).to_bytes(8, "big")),
        (b"\xff" * 16, b"\xff" * 8),
    ]


@pytest.mark.parametrize("end", [2, "2", 18446744073709551615, "18446744073709551615"])
def test_times_may_be_text_or_numbers(end: object) -> None:
    assert closed_ids(line(endTimeUnixNano=end)) == [(bytes.fromhex(TRACE), bytes.fromhex(SPAN))]


@pytest.mark.parametrize(
    "odd",
    [
        {"traceId": "0" * 32},
        {"spanId": ""},
        {"spanId": "b7ad6b716920333"},
        {"spanId": "b7ad6b71692033 1"},
        {"spanId": " b7ad6b7169203331 "},
        {"spanId": "t61rcWkgMzE="},
        {"traceId": 7},
        {"endTimeUnixNano": -1},
        {"endTimeUnixNano": 2**64},
        {"endTimeUnixNano": "soon"},
    ],
)
def test_what_is_unusual_is_left_to_who_reads_spans(odd: dict[str, object]) -> None:
    assert closed_ids(line(**odd)) is None


@pytest.mark.parametrize("text", [b"", b"{", b"broken", b"[]", b'{"resourceLogs":[]}', b"\xff", b"[" * 100_000])
def test_what_is_no_request_is_left_to_who_names_the_defect(text: bytes) -> None:
    assert closed_ids(text) is None


@given(
    st.text(alphabet="0123456789abcdefABCDEF -=g", max_size=34), st.text(alphabet="0123456789abcdefAg ", max_size=18)
)
def test_an_id_is_taken_only_where_the_span_can_be_read(trace: str, span: str) -> None:
    content = line(traceId=trace, spanId=span)
    ids = closed_ids(content)
    try:
        read = [(found.trace_id, found.span_id) for found in decode_request(content).spans]
    except UnreadableError:
        read = []
    if ids is not None:
        assert [(int.from_bytes(a, "big"), int.from_bytes(b, "big")) for a, b in ids] == read
