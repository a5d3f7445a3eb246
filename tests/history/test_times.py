from __future__ import annotations

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from tracing.history.times import duration_ns, timestamp_ns


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2026-11-23T07:19:26.709122100Z", 1_795_418_366_709_122_100),
        ("2026-11-23T07:19:26.7Z", 1_795_418_366_700_000_000),
        ("2026-11-23T07:19:26.7091221009Z", 1_795_418_366_709_122_100),
        ("2026-11-23T08:19:26+01:00", 1_795_418_366_000_000_000),
        ("2026-11-23T01:49:26.5-05:30", 1_795_418_366_500_000_000),
        ("2026-11-23t07:19:26z", 1_795_418_366_000_000_000),
        ("2016-12-31T23:59:60Z", 1_483_228_800_000_000_000),
    ],
)
def test_a_time_is_read_to_the_nanosecond(text: str, ns: int) -> None:
    assert timestamp_ns(text) == ns


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2026-11-23",
        "2026-11-23T07:19:26",
        "2026-11-23T07:19:26.Z",
        "2026-13-23T07:19:26Z",
        "2026-11-23T07:19:26+1",
        "\u0662\u0660\u0662\u0666-11-23T07:19:26Z",
        "1969-12-31T23:59:59Z",
        "2263-01-01T00:00:00Z",
    ],
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not|must be"):
        timestamp_ns(text)


@given(st.integers(min_value=0, max_value=(1 << 63) - 1))
def test_every_time_that_protobuf_writes_is_read_back(ns: int) -> None:
    timestamp = Timestamp()
    timestamp.FromNanoseconds(ns)
    assert timestamp_ns(timestamp.ToJsonString()) == ns


@pytest.mark.parametrize(
    ("text", "ns"),
    [("10s", 10_000_000_000), ("0.5s", 500_000_000), ("-1.250s", -1_250_000_000), ("0s", 0), ("0.0000000019s", 1)],
)
def test_a_duration_is_read_to_the_nanosecond(text: str, ns: int) -> None:
    assert duration_ns(text) == ns


@pytest.mark.parametrize(
    "text", ["", "s", "10", "10m", "1e3s", "1.s", ".5s", "--1s", "+1s", "\u0663s", "9" * 5000 + "s"]
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        duration_ns(text)


def test_a_duration_beyond_protobufs_limit_is_refused() -> None:
    with pytest.raises(ValueError, match="longer than 10,000 years"):
        duration_ns("999999999999s")


@given(st.integers(min_value=-(10**18), max_value=10**18))
def test_every_duration_that_protobuf_writes_is_read_back(ns: int) -> None:
    duration = Duration()
    duration.FromNanoseconds(ns)
    assert duration_ns(duration.ToJsonString()) == ns


@given(st.text())
def test_any_other_text_is_refused_in_one_way(text: str) -> None:
    for read in (timestamp_ns, duration_ns):
        try:
            assert isinstance(read(text), int)
        except ValueError:
            continue


@pytest.mark.parametrize("time", ["07:19:61", "07:60:00", "24:00:01", "07:19"])
def test_a_time_outside_of_the_clock_is_refused(time: str) -> None:
    with pytest.raises(ValueError, match=r"is not|must be"):
        timestamp_ns(f"2026-11-23T{time}Z")
