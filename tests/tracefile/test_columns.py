"""Attributes that are written key by key are those that would be written span by span."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tracefile.test_fragments import spelled
from tests.tracefile.test_otlp import spans
from tracing.runs import Attributes, AttributeValue
from tracing.spans.model import Span, SpanKind
from tracing.tracefile import columns
from tracing.tracefile.columns import joined_each
from tracing.tracefile.encode import encode_lines
from tracing.tracefile.fragments import Fragments
from tracing.tracefile.protobuf import request_bytes


@pytest.fixture(autouse=True, scope="module")
def few() -> Iterator[None]:
    """Also few spans are written key by key."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(columns, "FEW", 0)
        yield


@pytest.fixture
def encoded() -> list[str]:
    """Attributes that were encoded, in turn."""
    return []


@pytest.fixture
def fragments(encoded: list[str]) -> Fragments:
    def writer(key: str) -> Callable[[AttributeValue], bytes]:
        def write(value: AttributeValue) -> bytes:
            written = spelled(key, value)
            encoded.append(written.decode())
            return written

        return write

    return Fragments(writer)


def test_what_all_have_is_encoded_once_and_what_differs_for_each(fragments: Fragments, encoded: list[str]) -> None:
    rows: list[Attributes] = [{"run": "r", "attempt": 2, "event": event, "reused": True} for event in ("1", "2", "3")]
    assert joined_each(fragments, b" ", rows) == [
        b"run='r' attempt=2 event='1' reused=True",
        b"run='r' attempt=2 event='2' reused=True",
        b"run='r' attempt=2 event='3' reused=True",
    ]
    assert sorted(encoded) == ["attempt=2", "event='1'", "event='2'", "event='3'", "reused=True", "run='r'"]


def test_a_text_that_some_have_is_encoded_once(fragments: Fragments, encoded: list[str]) -> None:
    rows: list[Attributes] = [{"type": type_} for type_ in ("ask", "search", "ask", "search")]
    assert joined_each(fragments, b" ", rows) == [b"type='ask'", b"type='search'", b"type='ask'", b"type='search'"]
    assert sorted(encoded) == ["type='ask'", "type='search'"]


def test_spans_of_several_kinds_are_written_in_their_order(fragments: Fragments) -> None:
    rows: list[Attributes] = [{"a": 1, "b": "x"}, {}, {"b": "x", "a": 1}, {"a": 1, "b": "y"}, {"b": "x"}, {}]
    assert joined_each(fragments, b", ", rows) == [b"a=1, b='x'", b"", b"b='x', a=1", b"a=1, b='y'", b"b='x'", b""]


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([{"a": "1", "b": "1"}, {"a": "1", "b": "1"}], id="all have all"),
        pytest.param([{"a": "1", "b": "1"}, {"a": "1", "b": "2"}], id="the last differs"),
        pytest.param([{"a": "1", "b": "1"}, {"a": "2", "b": "1"}], id="the first differs"),
        pytest.param([{"a": "1", "b": "1"}, {"a": "2", "b": "2"}], id="neighbours differ"),
        pytest.param([{"a": "", "b": ""}], id="one alone"),
        pytest.param([], id="none"),
    ],
)
@pytest.mark.parametrize("separator", [b",", b"1'", b""])
def test_the_separator_stands_between_two_and_nowhere_else(rows: list[Attributes], separator: bytes) -> None:
    fragments = Fragments(lambda key: lambda value: spelled(key, value))
    assert joined_each(fragments, separator, rows) == [
        separator.join(spelled(key, value) for key, value in row.items()) for row in rows
    ]


def test_values_that_python_takes_for_the_same_are_told_apart(fragments: Fragments) -> None:
    values = [1, True, 1.0, 0.0, -0.0, 0, False, "1", ("1",), 1]
    assert joined_each(fragments, b" ", [{"n": value} for value in values]) == [spelled("n", value) for value in values]
    for pair in ([1, True], [False, 0], [0.0, -0.0], [1.0, 1], [("1",), ("1",)]):
        assert joined_each(fragments, b" ", [{"n": value} for value in pair]) == [spelled("n", value) for value in pair]


def test_few_are_written_one_by_one_and_many_key_by_key(fragments: Fragments, monkeypatch: pytest.MonkeyPatch) -> None:
    def attributes(many: int) -> list[Attributes]:
        return [{"run": "r", "event": str(number % 3), "n": number % 2} for number in range(many)]

    monkeypatch.setattr(columns, "FEW", 4)
    for many in (3, 4, 5, 9):
        assert joined_each(fragments, b",", attributes(many)) == [
            f"run='r',event='{number % 3}',n={number % 2}".encode() for number in range(many)
        ]


def test_a_list_in_the_place_of_a_tuple_is_written_like_one() -> None:
    # `TracingConfig.add_attributes` is the user's, and may give what its type forbids.
    def span(tags: Any) -> Span:
        return Span(1, 2, None, "s", SpanKind.INTERNAL, 1, 2, {"tags": tags})

    as_list, as_tuple = span(["a", "b"]), span(("a", "b"))
    for others in ([], [span("a"), span(["c"])]):
        assert list(encode_lines([as_list, *others])) == list(encode_lines([as_tuple, *others]))
        assert request_bytes([as_list, *others]) == request_bytes([as_tuple, *others])


@pytest.mark.slow
@settings(derandomize=True)
@given(st.lists(spans, max_size=6))
def test_spans_are_written_alike_one_by_one_and_key_by_key(batch: list[Span]) -> None:
    def written(few: int) -> tuple[list[bytes], bytes]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(columns, "FEW", few)
            return list(encode_lines(batch)), request_bytes(batch)

    assert written(few=0) == written(few=len(batch))
