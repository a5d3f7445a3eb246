"""Our header: what a client gives a run and a run its activities, and what is believed of what comes in."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracing import headers
from tracing.conventions import HEADER
from tracing.headers import (
    MAX_BYTES,
    ClientStart,
    SpanReference,
    TraceHeader,
    read_foreign_header,
    read_header,
)
from tracing.payloads import Payload

TRACEPARENT = "00-0884fd559f037feb254717f53be6bb10-ba9a8c23fb2921d1-01"


def read(data: bytes) -> TraceHeader | None:
    return read_header({HEADER: Payload(data)})


def test_a_header_with_everything_is_this_json() -> None:
    header = TraceHeader(
        traceparent=TRACEPARENT,
        session="chat-17",
        user="ada",
        sampled=True,
        tags=("beta", "eu"),
        environment="staging",
        resource={"service.name": "agents"},
        start=ClientStart(1_763_884_800_000_001, "d1903ea4e88a9181", "signal_with_start"),
        previous=TRACEPARENT,
        cancellation="abandon",
        ledger_left=1_000,
        nth=2,
    )
    assert msgspec.json.decode(header.encode()) == {
        "v": 1,
        "traceparent": TRACEPARENT,
        "session": "chat-17",
        "user": "ada",
        "sampled": True,
        "tags": ["beta", "eu"],
        "environment": "staging",
        "resource": {"service.name": "agents"},
        "start": {"time_us": 1_763_884_800_000_001, "parent": "d1903ea4e88a9181", "call": "signal_with_start"},
        "previous": TRACEPARENT,
        "cancellation": "abandon",
        "ledger_left": 1_000,
        "nth": 2,
    }
    assert read(header.encode()) == header


def test_a_header_with_nothing_still_names_its_scheme() -> None:
    assert TraceHeader().encode() == b'{"v":1}'


@given(
    session=st.none() | st.text(),
    user=st.none() | st.text(),
    tags=st.lists(st.text(max_size=20), max_size=5).map(tuple),
    sampled=st.none() | st.booleans(),
    ledger_left=st.none() | st.integers(0, 1 << 40),
)
def test_what_is_written_is_read(
    session: str | None, user: str | None, tags: tuple[str, ...], *, sampled: bool | None, ledger_left: int | None
) -> None:
    header = TraceHeader(session=session, user=user, tags=tags, sampled=sampled, ledger_left=ledger_left)
    assert read(header.encode()) == header


def test_a_header_too_large_to_be_read_goes_without_what_the_user_set_and_says_so_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    headers._say_too_large.cache_clear()
    header = TraceHeader(
        traceparent=TRACEPARENT,
        session="s" * MAX_BYTES,
        user="ada",
        tags=("beta",),
        environment="staging",
        resource={"service.name": "agents"},
        cancellation="wait",
        nth=2,
    )
    for _ in range(2):
        assert read(header.encode()) == TraceHeader(traceparent=TRACEPARENT, cancellation="wait", nth=2)
    assert [record.getMessage() for record in caplog.records] == [
        "session() holds more than 8192 bytes: runs started in it have none of it. Make it shorter."
    ]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"null", id="null"),
        pytest.param(b'{"v":2}', id="a later scheme"),
        pytest.param(b'{"v":"1"}', id="version of another type"),
        pytest.param(b'{"v":1,"tags":"beta"}', id="tags of another type"),
        pytest.param(b'{"v":1,"start":{"time_us":9223372036854775807}}', id="start beyond the calendar"),
        pytest.param(b'{"v":1,"start":{"time_us":-1}}', id="start before 1970"),
        pytest.param(b'{"v":1,"start":{"time_us":1,"call":"terminate"}}', id="a call that starts nothing"),
        pytest.param(b'{"v":1,"cancellation":"never"}', id="a cancellation that there is not"),
        pytest.param(b'{"v":1,"nth":' + b"9" * 5_000 + b"}", id="a number without end"),
        pytest.param(b'{"v":1,"session":"\xff"}', id="not UTF-8"),
        pytest.param(b"[" * 5_000, id="nested without end"),
        pytest.param(b'{"v":1,"session":"' + b"s" * MAX_BYTES + b'"}', id="too large"),
    ],
)
def test_a_broken_header_is_no_header(data: bytes) -> None:
    assert read(data) is None


@given(st.binary(max_size=400))
def test_no_bytes_make_reading_fail(data: bytes) -> None:
    header = read(data)
    assert header is None or isinstance(header, TraceHeader)


def test_fields_of_other_tools_are_not_read() -> None:
    assert read_header({"_tracer-data": Payload(b'{"traceparent":"' + TRACEPARENT.encode() + b'"}')}) is None


@pytest.mark.parametrize(
    ("traceparent", "reference"),
    [
        (TRACEPARENT, SpanReference(0x0884FD559F037FEB254717F53BE6BB10, 0xBA9A8C23FB2921D1, sampled=True)),
        (
            TRACEPARENT[:-2] + "00",
            SpanReference(0x0884FD559F037FEB254717F53BE6BB10, 0xBA9A8C23FB2921D1, sampled=False),
        ),
        (
            "01" + TRACEPARENT[2:] + "-what-may-come",
            SpanReference(0x0884FD559F037FEB254717F53BE6BB10, 0xBA9A8C23FB2921D1, sampled=True),
        ),
        ("", None),
        ("00-0884fd559f037feb254717f53be6bb10-ba9a8c23fb2921d1", None),
        ("ff" + TRACEPARENT[2:], None),
        (TRACEPARENT.upper(), None),
        (f"00-{'0' * 32}-ba9a8c23fb2921d1-01", None),
        (f"00-0884fd559f037feb254717f53be6bb10-{'0' * 16}-01", None),
        (f"00- {'1' * 31}-ba9a8c23fb2921d1-01", None),
        (f"00-{'1_' * 16}-ba9a8c23fb2921d1-01", None),
    ],
)
def test_traceparent(traceparent: str, reference: SpanReference | None) -> None:
    assert SpanReference.parse(traceparent) == reference
    assert TraceHeader(traceparent=traceparent).parent == reference
    assert TraceHeader(previous=traceparent).previous_span == reference


@given(trace_id=st.integers(1, (1 << 128) - 1), span_id=st.integers(1, (1 << 64) - 1), sampled=st.booleans())
def test_a_reference_is_read_as_it_is_written(trace_id: int, span_id: int, *, sampled: bool) -> None:
    reference = SpanReference(trace_id, span_id, sampled)
    assert SpanReference.parse(str(reference)) == reference


class TestHeadersOfTemporalsOwnIntegration:
    FIELD = Payload(b'{"traceparent":"' + TRACEPARENT.encode() + b'","tracestate":"k=v"}')

    def test_one_names_a_span(self) -> None:
        assert read_foreign_header({"_tracer-data": self.FIELD}) == SpanReference.parse(TRACEPARENT)

    def test_beside_ours_it_is_that_of_the_same_call(self) -> None:
        assert read_foreign_header({"_tracer-data": self.FIELD, HEADER: Payload(TraceHeader().encode())}) is None

    def test_where_there_is_none(self) -> None:
        assert read_foreign_header({}) is None

    @pytest.mark.parametrize(
        "data",
        [
            pytest.param(b"", id="empty"),
            pytest.param(b"[]", id="no object"),
            pytest.param(b"{}", id="no traceparent"),
            pytest.param(b'{"traceparent":7}', id="traceparent of another type"),
            pytest.param(b'{"traceparent":"00-0-0-00"}', id="broken traceparent"),
            pytest.param(b'{"traceparent":"\xff"}', id="not UTF-8"),
            pytest.param(b"[" * 5_000, id="nested without end"),
            pytest.param(b'{"traceparent":"' + TRACEPARENT.encode() + b" " * MAX_BYTES + b'"}', id="too large"),
        ],
    )
    def test_a_broken_one_names_none(self, data: bytes) -> None:
        assert read_foreign_header({"_tracer-data": Payload(data)}) is None

    @given(st.binary(max_size=200))
    def test_no_bytes_make_reading_fail(self, data: bytes) -> None:
        read_foreign_header({"_tracer-data": Payload(data)})
