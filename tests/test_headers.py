"""Our header: what a client gives a run and a run its activities, and what is believed of what comes in."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracing.conventions import HEADER
from tracing.headers import MAX_BYTES, ClientStart, SpanReference, TraceHeader, read_header
from tracing.payloads import Payload

TRACEPARENT = "00-0884fd559f037feb254717f53be6bb10-ba9a8c23fb2921d1-01"


def read(data: bytes) -> TraceHeader | None:
    return read_header({HEADER: Payload(data)})


def test_a_header_with_everything_is_this_json() -> None:
    header = TraceHeader(
        traceparent=TRACEPARENT,
        session="chat-17",
        user="ada",
        tags=("beta", "eu"),
        resource={"service.name": "agents"},
        start=ClientStart(1_763_884_800_000_001, "d1903ea4e88a9181"),
        ledger_left=1_000,
    )
    assert msgspec.json.decode(header.encode()) == {
        "v": 1,
        "traceparent": TRACEPARENT,
        "session": "chat-17",
        "user": "ada",
        "tags": ["beta", "eu"],
        "resource": {"service.name": "agents"},
        "start": {"time_us": 1_763_884_800_000_001, "parent": "d1903ea4e88a9181"},
        "ledger_left": 1_000,
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


def test_a_header_too_large_to_be_read_goes_without_what_the_user_set() -> None:
    header = TraceHeader(traceparent=TRACEPARENT, session="s" * MAX_BYTES, user="ada", tags=("beta",))
    assert read(header.encode()) == TraceHeader(traceparent=TRACEPARENT)


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


@given(trace_id=st.integers(1, (1 << 128) - 1), span_id=st.integers(1, (1 << 64) - 1), sampled=st.booleans())
def test_a_reference_is_read_as_it_is_written(trace_id: int, span_id: int, *, sampled: bool) -> None:
    reference = SpanReference(trace_id, span_id, sampled)
    assert SpanReference.parse(str(reference)) == reference
