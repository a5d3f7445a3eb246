"""Histories are hostile input: whatever is done to one, it is read or refused, never a crash."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.history.damage import damaged, places
from tracing.config import TracingConfig
from tracing.history import History, Unreadable, read, to_spans

pytestmark = pytest.mark.slow

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
            assert "\n" not in history.reason
            continue
        assert isinstance(history, History)
        spans = to_spans(history, CONTENT)
        assert spans
        for span in spans:
            assert span.start >= 0
            assert span.end is None or span.end >= span.start


@settings(max_examples=100)
@given(st.sampled_from(TEXTS), st.data())
def test_values_replaced_and_removed(text: str, data: st.DataObject) -> None:
    document = json.loads(text)
    for _ in range(data.draw(st.integers(1, 4))):
        *parents, last = data.draw(st.sampled_from(places(document)))
        holder = document
        for key in parents:
            holder = holder[key]
        if data.draw(st.booleans()):
            holder[last] = data.draw(json_values)
        else:
            del holder[last]
        if not places(document):
            break
    _check(json.dumps(document).encode())


@settings(max_examples=300)
@given(st.sampled_from(TEXTS), st.integers(0), st.binary(max_size=6), st.integers(0, 50))
def test_bytes_replaced(text: str, position: int, inserted: bytes, removed: int) -> None:
    data = text.encode()
    position %= len(data)
    _check(data[:position] + inserted + data[position + removed :])


@settings(max_examples=300)
@given(st.sampled_from(sorted(DATA.rglob("*.bin"))), st.integers(0), st.binary(max_size=6), st.integers(0, 50))
def test_bytes_of_binary_histories_replaced(path: Path, position: int, inserted: bytes, removed: int) -> None:
    data = path.read_bytes()
    position %= len(data)
    _check(data[:position] + inserted + data[position + removed :])


@given(st.binary())
def test_any_bytes(data: bytes) -> None:
    _check(data)


FILES = sorted(path for path in DATA.rglob("*") if path.suffix in {".json", ".bin"} and path.stat().st_size < 200_000)
SEEDS = [range(first, first + 100) for first in range(0, 800, 100)]


@pytest.mark.parametrize("seeds", SEEDS, ids=lambda seeds: f"from {seeds[0]}")
def test_damage_of_every_kind_to_real_histories(seeds: range) -> None:
    for seed in seeds:
        chance = random.Random(seed)
        path = chance.choice(FILES)
        try:
            _check(damaged(path, chance))
        except Exception as error:
            error.add_note(f"with seed {seed}, of {path.name}")
            raise
