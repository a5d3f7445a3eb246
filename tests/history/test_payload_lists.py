"""Lists of payloads in JSON: read in one go where they are as servers write them, with the same result."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tracing.history.values import JsonValues, Payloads, StoredPayload
from tracing.payloads import Payload

_base64 = st.binary(max_size=6).map(lambda data: b64encode(data).decode())
_texts = _base64 | st.sampled_from(["json/plain", "YQ", "Y Q==", "YR==", "==", "é"]) | st.text(max_size=5)
_values = _texts | st.none() | st.integers() | st.lists(st.integers(), max_size=1)
_payload = st.dictionaries(st.sampled_from(["metadata", "data", "other"]), _values, max_size=3)
_written = st.fixed_dictionaries(
    {"metadata": st.dictionaries(st.text(max_size=3), _values, max_size=2), "data": _values},
    optional={"externalPayloads": _values},
)
_plain = st.fixed_dictionaries(
    {"metadata": st.dictionaries(st.sampled_from(["encoding", "durable-trace"]), _base64), "data": _base64}
)


def test_what_servers_write() -> None:
    payload = {"metadata": {"encoding": "anNvbi9wbGFpbg=="}, "data": "MQ=="}
    expected = Payload(b"1", {"encoding": b"json/plain"})
    assert JsonValues()(Payloads, {"payloads": [payload, payload]}) == (expected, expected)


@settings(derandomize=True)
@given(st.lists(_plain | _written | _payload | _values, max_size=3))
@example([{"metadata": {"encoding": "anNvbi9wbGFpbg=="}}])
@example([{}])
def test_one_by_one_they_are_the_same(items: list[Any]) -> None:
    together, one_by_one = JsonValues(), JsonValues()
    payloads = together(Payloads, {"payloads": items})
    assert payloads == tuple(one_by_one(StoredPayload, item).payload for item in items)
    assert together.plain == one_by_one.plain
