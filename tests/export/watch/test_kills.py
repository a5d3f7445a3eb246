"""A kill at any moment: every state that the checkpoint's folder goes through is opened as the next watcher finds it.

Whatever the process asks of the disk (write, sync, rename, remove) makes a state before and one after.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tracing.export.watch.checkpoint import Checkpoint
from tracing.export.watch.closed_runs import ClosedRun
from tracing.export.watch.state import Scope
from tracing.spans.model import Span, SpanKind
from tracing.tracefile.batches import Batch, batches, halves

SCOPE = Scope("default", "", "test")


@dataclass
class Truth:
    """What has been promised so far, whatever happens next.

    Attributes:
        kept: Runs whose `keep` has returned.
        sent: Bodies that were given to the backend, which has not answered.
        answered: Bodies that it has taken, of which that is being noted.
        acknowledged: Bodies whose acknowledgement has returned.
    """

    kept: set[str] = field(default_factory=set)
    sent: list[bytes] = field(default_factory=list)
    answered: list[bytes] = field(default_factory=list)
    acknowledged: list[bytes] = field(default_factory=list)


@dataclass
class Killer:
    """Copies the folder at every moment at which a kill would leave another state."""

    folder: Path
    copies: Path
    truth: Truth = field(default_factory=Truth)
    states: list[tuple[Path, Truth]] = field(default_factory=list)

    def look(self) -> None:
        copy = self.copies / str(len(self.states))
        shutil.copytree(self.folder, copy)
        self.states.append((copy, deepcopy(self.truth)))

    def around(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def looked(*args: Any, **named: Any) -> Any:
            self.look()
            result = function(*args, **named)
            self.look()
            return result

        return looked


@pytest.fixture
def killer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Killer:
    folder = tmp_path / "checkpoint"
    folder.mkdir(mode=0o700)
    killer = Killer(folder, tmp_path / "copies")
    for name in ("write", "fsync", "ftruncate"):
        monkeypatch.setattr(os, name, killer.around(getattr(os, name)))
    for name in ("replace", "unlink", "rename"):
        monkeypatch.setattr(Path, name, killer.around(getattr(Path, name)))
    return killer


def spans(first: int, count: int) -> list[Span]:
    return [Span(0xA1, n, None, f"span {n}", SpanKind.INTERNAL, 1, 2, {}) for n in range(first, first + count)]


def deliver(killer: Killer, checkpoint: Checkpoint) -> None:
    """Send the oldest batch, and note what its acknowledgement promises."""
    waiting = checkpoint.oldest()
    assert waiting
    number, kept = waiting
    killer.truth.sent.append(kept.batch.body)
    killer.look()
    killer.truth.sent.remove(kept.batch.body)
    killer.truth.answered.append(kept.batch.body)
    checkpoint.acknowledged(number)
    killer.truth.answered.remove(kept.batch.body)
    killer.truth.acknowledged.append(kept.batch.body)


def life(killer: Killer) -> dict[str, list[bytes]]:
    """All that a watcher does; the bodies of each run in the end."""
    large, small = next(batches(spans(1, 5))), Batch(b"small", 1)
    checkpoint = Checkpoint.open(killer.folder, SCOPE, begin=1_000)
    checkpoint.keep(ClosedRun(2_000, "run-1", "research"), [large, small])
    killer.truth.kept.add("run-1")
    waiting = checkpoint.oldest()
    assert waiting
    checkpoint.split(*waiting)
    deliver(killer, checkpoint)
    checkpoint.keep(ClosedRun(3_000, "run-2", "research"), [Batch(b"two", 1)])
    killer.truth.kept.add("run-2")
    checkpoint.reach(3_000, remember=0)
    while checkpoint.pending:
        deliver(killer, checkpoint)
    checkpoint.keep(ClosedRun(4_000, "run-3", "research"), [])
    killer.truth.kept.add("run-3")
    checkpoint.reach(4_000, remember=0)
    checkpoint.close()
    return {"run-1": [half.body for half in halves(large)] + [b"small"], "run-2": [b"two"], "run-3": []}


@pytest.mark.slow
def test_after_a_kill_at_any_moment_nothing_that_was_promised_is_broken(
    killer: Killer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tracing.export.watch.checkpoint._COMPACT_AFTER", 2)  # the journal is written anew as well
    bodies = life(killer)
    whole_of_first = next(batches(spans(1, 5))).body
    states, killer.states = killer.states, []
    monkeypatch.undo()
    assert len(states) > 80
    for folder, truth in states:
        after = Checkpoint.open(folder, SCOPE, begin=1_000)
        pending = []
        while (waiting := after.oldest()) is not None:
            number, kept = waiting
            pending.append(kept.batch.body)
            after.acknowledged(number)
        done = {run_id for run_id in bodies if after.is_done(run_id)}
        since = after.since
        after.close()

        assert truth.kept <= done, "a run that was handled is handled"
        assert set(truth.sent) <= set(pending), "what was sent and not acknowledged is there, byte by byte"
        assert not set(truth.acknowledged) & set(pending), "what was acknowledged is not sent again"
        assert len(set(pending)) == len(pending), "nothing is there twice"
        unsplit = {whole_of_first} & set(pending)
        expected = {body for run_id in done for body in bodies[run_id]} - set(truth.acknowledged)
        if unsplit:  # killed before its halves counted
            expected = expected - set(bodies["run-1"][:2]) | unsplit
        # What was being noted may or may not have come to be.
        assert expected - set(truth.answered) <= set(pending) <= expected, "whatever is left of handled runs is there"
        assert since <= max([1_000, *({"run-1": 2_000, "run-2": 3_000, "run-3": 4_000}[run] for run in done)])
