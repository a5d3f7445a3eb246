"""Histories are hostile input: whatever is done to one, it is read or refused, never a crash."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tracing.config import TracingConfig
from tracing.history import History, Unreadable, read, to_spans

DATA = Path(__file__).parents[1] / "data"
TEXTS = [
    (DATA / name).read_text()
    for name in (
        "live/reset-run.json",
        "sdk-go/update-reset-accepted.json",
        "sdk-python/test_replayer_event_tracing_double_sig_at_start.json",
    )
]
CONTENT = TracingConfig(capture_content=True)

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.sampled_from(["1", "5", "-1", "99999999999999999999", "1s", "2026-11-23T07:19:26Z", "e30="]),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=8), children, max_size=3),
    max_leaves=5,
)


def _check(data: bytes) -> None:
    for history in read(data):
        if isinstance(history, Unreadable):
            assert history.reason.endswith(".")
            continue
        assert isinstance(history, History)
        spans = to_spans(history, CONTENT)
        assert spans
        for span in spans:
            assert span.start >= 0
            assert span.end is None or span.end >= span.start


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        found += _places(child, (*path, key))
    return found


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(TEXTS), st.data())
def test_values_replaced_and_removed(text: str, data: st.DataObject) -> None:
    document = json.loads(text)
    for _ in range(data.draw(st.integers(1, 4))):
        *parents, last = data.draw(st.sampled_from(_places(document)))
        holder = document
        for key in parents:
            holder = holder[key]
        if data.draw(st.booleans()):
            holder[last] = data.draw(json_values)
        else:
            del holder[last]
        if not _places(document):
            break
    _check(json.dumps(document).encode())


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(TEXTS), st.integers(0), st.binary(max_size=6), st.integers(0, 50))
def test_bytes_replaced(text: str, position: int, inserted: bytes, removed: int) -> None:
    data = text.encode()
    position %= len(data)
    _check(data[:position] + inserted + data[position + removed :])


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(DATA.rglob("*.bin"))), st.integers(0), st.binary(max_size=6), st.integers(0, 50))
def test_bytes_of_binary_histories_replaced(path: Path, position: int, inserted: bytes, removed: int) -> None:
    data = path.read_bytes()
    position %= len(data)
    _check(data[:position] + inserted + data[position + removed :])


@given(st.binary())
def test_any_bytes(data: bytes) -> None:
    _check(data)
