"""How much of what a step returns is encoded to be looked through for model calls."""

from __future__ import annotations

import tracemalloc
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.dbos.conftest import answer
from tracing.dbos_live.encoding import is_longer, json_payload
from tracing.payloads import Payload
from tracing.recognisers import MAX_BYTES, recognised_calls

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 53), 1 << 53) | st.floats() | st.text() | st.binary(),
    lambda inside: st.lists(inside) | st.dictionaries(st.text(), inside) | st.tuples(inside, inside),
)


@dataclass
class Record:
    text: str
    _kept: str = ""


class Row(msgspec.Struct):
    text: str


def calls(result: Payload) -> list[str]:
    found = recognised_calls("ask", attempt_span_id=1, start=0, end=1, given=list, result=[result])
    return [call.name for call in found]


@given(VALUES)
def test_no_value_that_fits_is_taken_for_longer(value: object) -> None:
    assert not is_longer(value, len(msgspec.json.encode(value)))


@pytest.mark.parametrize("value", [Record("tides", _kept="x" * 1_000), Row("tides"), {"rows": [Row("tides")] * 3}])
def test_objects_count_as_they_are_written(value: object) -> None:
    assert not is_longer(value, len(msgspec.json.encode(value)))


def test_an_answer_is_recognised_up_to_the_longest_that_recognisers_read() -> None:
    completion = msgspec.json.decode(answer()) | {"note": ""}
    room = MAX_BYTES - len(msgspec.json.encode(completion))
    longest, longer = (completion | {"note": "x" * length} for length in (room, room + 1))
    # Both readers: the exporter reads what DBOS has stored.
    for value, names in ((longest, ["chat gpt-4o-2024-08-06"]), (longer, [])):
        assert calls(json_payload(value, longest=MAX_BYTES)) == names
        assert calls(json_payload(value)) == names


@pytest.mark.parametrize(
    "value",
    [
        ["x" * 1_000] * 5_000,
        {"text": "x" * 5_000_000},
        [0] * 2_000_000,
        Row("x" * 5_000_000),
        dict.fromkeys(range(400_000)),
    ],
    ids=["texts", "text", "numbers", "object", "keys"],
)
def test_what_is_longer_is_not_encoded(value: Any) -> None:
    tracemalloc.start()
    try:
        assert json_payload(value, longest=MAX_BYTES).data == b""
        assert tracemalloc.get_traced_memory()[1] < 8 * MAX_BYTES  # a list of parts may be as long
    finally:
        tracemalloc.stop()


def test_a_value_that_holds_itself_ends() -> None:
    value: list[Any] = []
    value.append(value)
    assert json_payload(value, longest=MAX_BYTES).data == b""
