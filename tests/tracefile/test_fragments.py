"""What is remembered of attributes never changes what is written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tracefile.test_otlp import spans
from tracing.runs import AttributeValue
from tracing.spans.model import Span, SpanKind
from tracing.tracefile import fragments
from tracing.tracefile.encode import LineWriter, encode_lines
from tracing.tracefile.fragments import Fragments
from tracing.tracefile.protobuf import RequestWriter, request_bytes


def spelled(key: str, value: AttributeValue) -> bytes:
    return f"{key}={value!r}".encode()


@pytest.fixture
def encoded() -> list[str]:
    """Keys of the attributes that were encoded, in turn."""
    return []


@pytest.fixture
def remembered(encoded: list[str]) -> Fragments:
    def writer(key: str) -> Callable[[AttributeValue], bytes]:
        def write(value: AttributeValue) -> bytes:
            encoded.append(key)
            return spelled(key, value)

        return write

    return Fragments(writer)


def test_what_recurs_is_encoded_once(remembered: Fragments, encoded: list[str]) -> None:
    for event in ("1", "2", "3"):
        written = remembered.joined(b" ", {"run": "r-1", "attempt": 2, "reused": True, "event": event})
        assert written == f"run='r-1' attempt=2 reused=True event='{event}'".encode()
    assert encoded == ["run", "attempt", "reused", "event", "event", "event"]


def test_values_that_python_takes_for_the_same_key_are_told_apart(remembered: Fragments) -> None:
    for value in (1, True, 1.0, 0.0, -0.0, 0, False, "1", ("1",), 1):
        assert remembered.joined(b" ", {"n": value}) == spelled("n", value)


def test_content_is_not_remembered(remembered: Fragments, encoded: list[str]) -> None:
    for _ in range(2):
        remembered.joined(b" ", {"long": "x" * (fragments.LONGEST + 1), "number": 10**fragments.LONGEST, "half": 0.5})
    assert encoded == ["long", "number", "half"] * 2


def test_values_that_do_not_recur_are_forgotten_and_others_stay(
    remembered: Fragments, encoded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fragments, "MOST", 4)
    for number in range(100):
        remembered.joined(b" ", {"run": "r-1", "event": str(number), "count": number})
        assert len(remembered) <= 1 + 4 + 4
    assert encoded.count("event") == encoded.count("count") == 100
    assert encoded.count("run") == 1


def test_keys_that_do_not_recur_are_forgotten(
    remembered: Fragments, encoded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fragments, "MOST", 4)
    for number in range(100):
        written = remembered.joined(b" ", {"run": "r-1", f"key-{number}": "v"})
        assert written == f"run='r-1' key-{number}='v'".encode()
        assert len(remembered) <= 4
    assert encoded.count("run") < 40


def test_a_list_in_the_place_of_a_tuple_is_written_like_one() -> None:
    # `TracingConfig.add_attributes` is the user's, and may give what its type forbids.
    def span(tags: Any) -> Span:
        return Span(1, 2, None, "s", SpanKind.INTERNAL, 1, 2, {"tags": tags})

    as_list, as_tuple = span(["a", "b"]), span(("a", "b"))
    assert list(encode_lines([as_list])) == list(encode_lines([as_tuple]))
    assert request_bytes([as_list]) == request_bytes([as_tuple])


@pytest.mark.slow
@settings(derandomize=True)
@given(st.lists(st.lists(spans, max_size=3), max_size=3))
def test_one_writer_of_many_requests_writes_what_a_new_one_for_each_does(batches: list[list[Span]]) -> None:
    writer = RequestWriter()
    assert [writer.request(batch) for batch in batches] == [request_bytes(batch) for batch in batches]


@pytest.mark.slow
@settings(derandomize=True)
@given(st.lists(st.lists(spans, max_size=3), max_size=3))
def test_one_writer_of_many_traces_writes_what_a_new_one_for_each_does(traces: list[list[Span]]) -> None:
    writer = LineWriter()
    assert [list(writer.lines(trace)) for trace in traces] == [list(encode_lines(trace)) for trace in traces]


@pytest.mark.slow
@settings(derandomize=True)
@given(st.lists(spans, max_size=6))
def test_a_line_depends_on_its_own_spans_only(batch: list[Span]) -> None:
    assert list(encode_lines(batch, line_spans=1)) == [line for span in batch for line in encode_lines([span])]
