"""Damage to one event leaves the spans that do not depend on it unchanged."""

from __future__ import annotations

import copy
import json
import random
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from temporalio.api.history.v1 import History as HistoryProto

from tests.history.damage import damage_message, damage_tree
from tests.history.dependence import independent
from tests.history.recording import Recording, payload
from tracing.config import TracingConfig
from tracing.history import History, read, to_spans
from tracing.spans.model import Span

pytestmark = pytest.mark.slow

DATA = Path(__file__).parents[1] / "data"
CONTENT = TracingConfig(capture_content=True)
SEEDS = [range(first, first + 100) for first in range(0, 800, 100)]


def converted(data: bytes) -> tuple[History, list[Span]]:
    """A history and its spans; damage to one event is no reason to refuse it."""
    [history] = read(data, run_id="the-run")
    assert isinstance(history, History), history
    return history, to_spans(history, CONTENT)


@cache
def sources() -> list[tuple[Any, History, list[Span]]]:
    """Real histories of one run: as a tree or as a message, and what they convert to."""
    found: list[tuple[Any, History, list[Span]]] = []
    for path in sorted(DATA.rglob("*")):
        if path.suffix not in {".json", ".bin"} or path.stat().st_size > 200_000:
            continue
        data = path.read_bytes()
        source = HistoryProto.FromString(data) if path.suffix == ".bin" else json.loads(data)
        events = source.get("events", ()) if isinstance(source, dict) else getattr(source, "events", ())
        if len(events) > 2 and isinstance(next(read(data, run_id="the-run")), History):
            found.append((source, *converted(data)))
    return found


def damaged(source: Any, chance: random.Random) -> tuple[bytes, set[int]]:
    """A history with one event damaged, not the first; and the IDs which that event had and has."""
    source = copy.deepcopy(source)
    if isinstance(source, dict):
        event = chance.choice(source["events"][1:])
        ids = {int(event["eventId"])}
        damage_tree(event, chance)
        became = event.get("eventId")
        if isinstance(became, (int, str)) and str(became).isdecimal():
            ids.add(int(became))
        return json.dumps(source).encode(), ids
    event = chance.choice(source.events[1:])
    ids = {event.event_id}
    damage_message(event, chance)
    return source.SerializeToString(), ids | {event.event_id}


@pytest.mark.parametrize("seeds", SEEDS, ids=lambda seeds: f"from {seeds[0]}")
def test_of_real_histories(seeds: range) -> None:
    compared: Counter[bool] = Counter()
    for seed in seeds:
        chance = random.Random(seed)
        source, history, spans = chance.choice(sources())
        data, ids = damaged(source, chance)
        facts = independent((history, spans), converted(data), ids)
        compared[facts is not None] += 1
        if facts is not None:
            assert facts[0] == facts[1], f"seed {seed}, events {ids}"
    assert compared[True] > len(seeds) // 2


def test_what_depends_is_seen_to_change() -> None:
    """The comparison is not blind: of a step that does not depend, it sees a change."""
    recording = Recording()
    task = recording.task()
    for activity_id in ("a", "b"):
        recording.complete_activity(recording.activity(task, activity_id), payload(f'"{activity_id}"'))
    before = converted(recording.proto().SerializeToString())
    recording.events[-1].activity_task_completed_event_attributes.result.payloads[0].data = b'"c"'
    after = converted(recording.proto().SerializeToString())

    [last, first] = [independent(before, after, {number}) for number in (8, 6)]
    assert last is not None
    assert len(last[0]) == 1
    assert last[0] == last[1]
    assert first is not None
    assert first[0] != first[1]
