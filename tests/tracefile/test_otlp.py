"""A span as OTLP/JSON and as OTLP protobuf, and back."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from google.protobuf import json_format
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event as SdkEvent
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link as SdkLink
from opentelemetry.trace import SpanContext, Status, TraceFlags
from opentelemetry.trace import SpanKind as SdkSpanKind
from opentelemetry.trace import StatusCode as SdkStatusCode

from tracing.runs import Attributes
from tracing.spans.model import Event, Link, Span, SpanKind, StatusCode
from tracing.tracefile.decode import Problem, UnreadableError, decode_request
from tracing.tracefile.encode import encode_lines, encode_request
from tracing.tracefile.protobuf import request_bytes

START = 1_790_000_000_000_000_000

ATTEMPT = Span(
    trace_id=0x0AF7651916CD43DD8448EB211C80319C,
    span_id=0xB7AD6B7169203331,
    parent_id=0x00F067AA0BA902B7,
    name="RunActivity:call_llm",
    kind=SpanKind.SERVER,
    start=START,
    end=START + 2_500_000_000,
    attributes={
        "temporalActivityID": "3",
        "temporal.attempt": 2,
        "temporal.queue_time": 0.25,
        "durable.reused": False,
        "tag.tags": ("research", "nightly"),
    },
    status=StatusCode.ERROR,
    status_message="rate limited",
    events=(Event("exception", START + 2_000_000_000, {"exception.type": "RateLimitError"}),),
    links=(Link(0xD1, 0xE2, {"temporalRunID": "base"}),),
    resource={"service.name": "research-agent"},
    scope="durable-trace",
)

ATTEMPT_JSON = {
    "resourceSpans": [
        {
            "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "research-agent"}}]},
            "scopeSpans": [
                {
                    "scope": {"name": "durable-trace"},
                    "spans": [
                        {
                            "traceId": "0af7651916cd43dd8448eb211c80319c",
                            "spanId": "b7ad6b7169203331",
                            "parentSpanId": "00f067aa0ba902b7",
                            "name": "RunActivity:call_llm",
                            "kind": 2,
                            "startTimeUnixNano": "1790000000000000000",
                            "endTimeUnixNano": "1790000002500000000",
                            "attributes": [
                                {"key": "temporalActivityID", "value": {"stringValue": "3"}},
                                {"key": "temporal.attempt", "value": {"intValue": "2"}},
                                {"key": "temporal.queue_time", "value": {"doubleValue": 0.25}},
                                {"key": "durable.reused", "value": {"boolValue": False}},
                                {
                                    "key": "tag.tags",
                                    "value": {
                                        "arrayValue": {
                                            "values": [{"stringValue": "research"}, {"stringValue": "nightly"}]
                                        }
                                    },
                                },
                            ],
                            "events": [
                                {
                                    "timeUnixNano": "1790000002000000000",
                                    "name": "exception",
                                    "attributes": [
                                        {"key": "exception.type", "value": {"stringValue": "RateLimitError"}}
                                    ],
                                }
                            ],
                            "links": [
                                {
                                    "traceId": "000000000000000000000000000000d1",
                                    "spanId": "00000000000000e2",
                                    "attributes": [{"key": "temporalRunID", "value": {"stringValue": "base"}}],
                                }
                            ],
                            "status": {"message": "rate limited", "code": 2},
                        }
                    ],
                }
            ],
        }
    ]
}

ROOT = Span(0xA1, 0xB1, None, "RunWorkflow:Research", SpanKind.SERVER, START, None, {})


def test_a_span_is_written_by_the_otlp_json_mapping() -> None:
    assert json.loads(encode_request([ATTEMPT])) == ATTEMPT_JSON


def test_a_written_span_is_read_back() -> None:
    decoded = decode_request(json.dumps(ATTEMPT_JSON).encode())
    assert (decoded.spans, decoded.problems) == ([ATTEMPT], [])


def test_an_open_root_has_neither_parent_nor_end() -> None:
    [resource_spans] = json.loads(encode_request([ROOT]))["resourceSpans"]
    assert resource_spans == {
        "resource": {"attributes": []},
        "scopeSpans": [
            {
                "scope": {"name": "durable-trace"},
                "spans": [
                    {
                        "traceId": "000000000000000000000000000000a1",
                        "spanId": "00000000000000b1",
                        "name": "RunWorkflow:Research",
                        "kind": 2,
                        "startTimeUnixNano": "1790000000000000000",
                        "attributes": [],
                        "status": {},
                    }
                ],
            }
        ],
    }
    assert decode_request(encode_request([ROOT])).spans == [ROOT]


def test_spans_are_grouped_by_resource_and_scope() -> None:
    def span(name: str, resource: Attributes, scope: str) -> Span:
        return Span(1, 2, None, name, SpanKind.INTERNAL, 1, 2, {}, resource=resource, scope=scope)

    spans = [
        span("a", {"service.name": "x", "replicas": 1}, "openai"),
        span("b", {"service.name": "x", "replicas": True}, "openai"),
        span("c", {"replicas": 1, "service.name": "x"}, "durable-trace"),
        span("d", {"replicas": 1, "service.name": "x"}, "openai"),
    ]
    groups = [
        [
            (scope_spans["scope"]["name"], [span["name"] for span in scope_spans["spans"]])
            for scope_spans in r["scopeSpans"]
        ]
        for r in json.loads(encode_request(spans))["resourceSpans"]
    ]
    assert groups == [[("openai", ["a", "d"]), ("durable-trace", ["c"])], [("openai", ["b"])]]


def test_lines_are_bounded_by_spans_and_by_bytes() -> None:
    small = [Span(1, n, None, "s", SpanKind.INTERNAL, 1, 2, {}) for n in range(1, 8)]
    large = [Span(1, n, None, "x" * 5_000, SpanKind.INTERNAL, 1, 2, {}) for n in range(1, 4)]
    assert [len(decode_request(line).spans) for line in encode_lines(small, line_spans=3)] == [3, 3, 1]
    assert [len(decode_request(line).spans) for line in encode_lines(large, line_bytes=11_000)] == [1, 2]
    assert [len(decode_request(line).spans) for line in encode_lines(large, line_bytes=10)] == [1, 1, 1]


def test_what_otlp_cannot_hold_is_written_all_the_same() -> None:
    span = Span(
        1,
        2,
        None,
        "lone \ud800 surrogate",
        SpanKind.INTERNAL,
        -1,
        2**64,
        {"big": 2**63, "nan": float("nan"), "inf": float("inf"), "\udfff": ("\ud83d\ude00",)},
        resource={"host": "\ud800"},
    )
    attributes = {
        "big": "9223372036854775808",
        "nan": pytest.approx(float("nan"), nan_ok=True),
        "inf": float("inf"),
        "\ufffd": ("\U0001f600",),
    }
    [read] = decode_request(encode_request([span])).spans
    assert (read.name, read.start, read.end, read.attributes, read.resource) == (
        "lone \ufffd surrogate",
        0,
        None,
        attributes,
        {"host": "\ufffd"},
    )
    assert request_bytes([span]) == _through_protobuf_json(encode_request([span])).SerializeToString()


# --- against protobuf's own mapping and the SDK's exporter ---

steady = settings(derandomize=True)

_texts = st.text(max_size=12)
_int64 = st.integers(-(2**63), 2**63 - 1)
_values = st.one_of(_texts, st.booleans(), _int64, st.floats(allow_nan=False), st.lists(_texts, max_size=3).map(tuple))
_attributes = st.dictionaries(_texts, _values, max_size=4)
_trace_ids = st.integers(1, 2**128 - 1)
_span_ids = st.integers(1, 2**64 - 1)
_times = st.integers(1, 2**63)

spans = st.builds(
    Span,
    trace_id=_trace_ids,
    span_id=_span_ids,
    parent_id=st.none() | _span_ids,
    name=_texts,
    kind=st.sampled_from(SpanKind),
    start=_times,
    end=st.none() | _times,
    attributes=_attributes,
    status=st.sampled_from(StatusCode),
    status_message=_texts,
    events=st.lists(st.builds(Event, _texts, _times, _attributes), max_size=2).map(tuple),
    links=st.lists(st.builds(Link, _trace_ids, _span_ids, _attributes), max_size=2).map(tuple),
    resource=_attributes,
    scope=_texts,
)


def _as_the_sdk_has_it(span: Span) -> Span:
    """The SDK takes a description for errors only, and drops a resource's attributes without a key."""
    return replace(
        span,
        status_message=span.status_message if span.status is StatusCode.ERROR else "",
        resource={key: value for key, value in span.resource.items() if key},
    )


@pytest.mark.slow
@steady
@given(spans)
def test_every_span_comes_back_as_it_was(span: Span) -> None:
    assert decode_request(encode_request([span])).spans == [span]


@pytest.mark.slow
@steady
@given(st.lists(spans, max_size=4))
def test_json_and_protobuf_say_the_same(batch: list[Span]) -> None:
    assert request_bytes(batch) == _through_protobuf_json(encode_request(batch)).SerializeToString()


@pytest.mark.slow
@steady
@given(spans.map(_as_the_sdk_has_it))
def test_protobuf_is_what_the_sdks_exporter_encodes(span: Span) -> None:
    expected = encode_spans([_sdk_span(span)])
    for sent in (s for r in expected.resource_spans for scope in r.scope_spans for s in scope.spans):
        # The SDK says in flags whether a parent is remote. We do not know, and 0 says that.
        sent.flags = 0
        for link in sent.links:
            link.flags = 0
    assert request_bytes([span]) == expected.SerializeToString()


def _through_protobuf_json(line: bytes) -> ExportTraceServiceRequest:
    """Read by protobuf's own JSON mapping, which differs from OTLP's in one thing: it wants IDs in base64."""

    def in_base64(content: dict[str, Any]) -> dict[str, Any]:
        for key in {"traceId", "spanId", "parentSpanId"} & content.keys():
            content[key] = base64.b64encode(bytes.fromhex(content[key])).decode()
        return content

    return json_format.ParseDict(json.loads(line, object_hook=in_base64), ExportTraceServiceRequest())


def _sdk_span(span: Span) -> ReadableSpan:
    def context(trace_id: int, span_id: int) -> SpanContext:
        return SpanContext(trace_id, span_id, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))

    return ReadableSpan(
        name=span.name,
        context=context(span.trace_id, span.span_id),
        parent=None if span.parent_id is None else context(span.trace_id, span.parent_id),
        resource=Resource(span.resource),
        attributes=span.attributes,
        events=[SdkEvent(event.name, event.attributes, event.time) for event in span.events],
        links=[SdkLink(context(link.trace_id, link.span_id), link.attributes) for link in span.links],
        kind=SdkSpanKind[span.kind.name],
        status=Status(
            SdkStatusCode[span.status.name], span.status_message if span.status is StatusCode.ERROR else None
        ),
        start_time=span.start,
        end_time=span.end,
        instrumentation_scope=InstrumentationScope(span.scope),
    )


# --- what others write ---


def _line(*spans: dict[str, Any]) -> bytes:
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": list(spans)}]}]}).encode()


IDS = {"traceId": "000000000000000000000000000000a1", "spanId": "00000000000000b1"}
WHERE = "resourceSpans[0].scopeSpans[0].spans[0]"
AS_OTLP = "Write it by the OTLP JSON mapping, as the Collector's file exporter does."
AS_HEX = "Write IDs in hex, as the OTLP JSON mapping says; protobuf's own JSON mapping writes base64."


def test_the_collectors_file_exporter_is_understood() -> None:
    line = (
        b'{"resourceSpans":[{"resource":{},"scopeSpans":[{"scope":{},"spans":[{"traceId":"000000000000000000000000000000A1",'
        b'"spanId":"00000000000000B1","parentSpanId":"","flags":256,"name":"chat gpt-4o","kind":3,'
        b'"startTimeUnixNano":"5","endTimeUnixNano":"7","attributes":[{"key":"gen_ai.usage.input_tokens",'
        b'"value":{"intValue":"17"}},{"key":"empty","value":{}}],"droppedAttributesCount":1,"status":{}}]}],'
        b'"schemaUrl":"https://opentelemetry.io/schemas/1.42.0"}]}\n'
    )
    assert decode_request(line).spans == [
        Span(0xA1, 0xB1, None, "chat gpt-4o", SpanKind.CLIENT, 5, 7, {"gen_ai.usage.input_tokens": 17}, scope="")
    ]


def test_absent_fields_have_their_zero_values_and_other_forms_of_numbers_are_taken() -> None:
    line = _line(
        IDS, {**IDS, "kind": "SPAN_KIND_CLIENT", "status": {"code": "STATUS_CODE_ERROR"}, "endTimeUnixNano": 7}
    )
    assert decode_request(line).spans == [
        Span(0xA1, 0xB1, None, "", SpanKind.INTERNAL, 0, None, {}, scope=""),
        Span(0xA1, 0xB1, None, "", SpanKind.CLIENT, 0, 7, {}, status=StatusCode.ERROR, scope=""),
    ]


def test_values_that_spans_cannot_hold_become_text() -> None:
    values = {
        "ints": {"arrayValue": {"values": [{"intValue": "1"}, {"intValue": 2}]}},
        "none": {"arrayValue": {}},
        "map": {"kvlistValue": {"values": [{"key": "a", "value": {"boolValue": True}}]}},
        "bytes": {"bytesValue": "3q0="},
        "nan": {"doubleValue": "NaN"},
    }
    line = _line({**IDS, "attributes": [{"key": key, "value": value} for key, value in values.items()]})
    assert decode_request(line).spans[0].attributes == {
        "ints": "[1,2]",
        "none": (),
        "map": '{"a":true}',
        "bytes": "3q0=",
        "nan": pytest.approx(float("nan"), nan_ok=True),
    }


@pytest.mark.parametrize(
    ("span", "reason", "mend"),
    [
        ({**IDS, "traceId": "AAAAAAAAAAAAAAAAAAAAoQ=="}, "traceId 'AAAAAAAAAAAAAAAAAAAAoQ==' is base64", AS_HEX),
        ({**IDS, "spanId": "AAAAAAAAALE="}, "spanId 'AAAAAAAAALE=' is base64", AS_HEX),
        ({**IDS, "spanId": "12\x1b[2J"}, "spanId '12\\x1b[2J' is not 16 hex digits", AS_HEX),
        ({**IDS, "spanId": "  000000000000b1"}, "spanId '  000000000000b1' is not 16 hex digits", AS_HEX),
        ({**IDS, "parentSpanId": "xyz"}, "parentSpanId 'xyz' is not 16 hex digits", AS_HEX),
        ({"traceId": IDS["traceId"]}, "spanId is missing", AS_OTLP),
        ({**IDS, "spanId": "0000000000000000"}, "spanId is missing", AS_OTLP),
        ({**IDS, "startTimeUnixNano": "-1"}, "startTimeUnixNano -1 is not a time in ns since the epoch", AS_OTLP),
        ({**IDS, "startTimeUnixNano": "noon"}, "Expected `int`, got `str` - at `$.startTimeUnixNano`", AS_OTLP),
        ({**IDS, "kind": 9}, "kind '9' is unknown", AS_OTLP),
        ({**IDS, "attributes": [{"key": 1}]}, "Expected `str`, got `int` - at `$.attributes[0].key`", AS_OTLP),
        ({**IDS, "links": [{"spanId": "00000000000000b2"}]}, "links[].traceId is missing", AS_OTLP),
    ],
)  # fmt: skip
def test_a_span_that_cannot_be_read_is_named_and_the_others_are_kept(
    span: dict[str, Any], reason: str, mend: str
) -> None:
    decoded = decode_request(_line(span, {**IDS, "name": "good"}))
    assert decoded.problems == [Problem(f"{WHERE}: {reason}", mend)]
    assert [span.name for span in decoded.spans] == ["good"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"resourceSpans":[{"scopeSpa', "is not JSON: Input data was truncated"),
        (b"\xff\xfe", "is not JSON: JSON is malformed: invalid character (byte 0)"),
        (b"[1]", "is not an ExportTraceServiceRequest: Expected `object`, got `array`"),
        (b'{"resourceLogs":[]}', "has no resourceSpans"),
        (b'{"resource_spans":[]}', "has no resourceSpans"),
        (b'{"resourceSpans":[{"scopeSpans":[{"spans":[' + b"[" * 100_000, "is nested too deeply"),
    ],
)
def test_a_line_that_is_no_request_of_spans_is_named(line: bytes, reason: str) -> None:
    with pytest.raises(UnreadableError) as caught:
        decode_request(line)
    assert caught.value.problem.reason == reason


def test_deep_values_of_one_span_leave_the_others() -> None:
    depth = 100
    value = b'{"arrayValue":{"values":[' * depth + b"{}" + b"]}}" * depth
    line = _line({**IDS, "attributes": []}, {**IDS, "name": "good"}).replace(
        b'"attributes": []', b'"attributes": [{"key":"deep","value":' + value + b"}]"
    )
    decoded = decode_request(line)
    assert [span.name for span in decoded.spans] == ["good"]
    assert decoded.problems == [Problem(f"{WHERE}: is nested too deeply", AS_OTLP)]


def test_only_the_first_problems_of_a_line_are_named() -> None:
    decoded = decode_request(_line(*[{}] * 50))
    assert (decoded.skipped, len(decoded.problems)) == (50, 20)
