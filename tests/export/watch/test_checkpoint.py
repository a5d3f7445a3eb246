"""A watcher's state: what is kept, what is acknowledged, and what a kill leaves."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from tracing.export.watch.batch_files import KeptBatch
from tracing.export.watch.checkpoint import Checkpoint
from tracing.export.watch.closed_runs import ClosedRun
from tracing.export.watch.state import CheckpointError, Scope
from tracing.spans.model import Span, SpanKind
from tracing.tracefile.batches import Batch, batches

SCOPE = Scope("default", "", "Phoenix at http://127.0.0.1:6006/v1/traces")
RUN = ClosedRun(2_000, "run-1", "research-1")
OTHER = ClosedRun(2_500, "run-2", "research-2")


def opened(folder: Path, scope: Scope = SCOPE, *, begin: int = 1_000) -> Checkpoint:
    return Checkpoint.open(folder, scope, begin=begin)


def left(checkpoint: Checkpoint) -> list[tuple[int, bytes]]:
    """Numbers and bodies of what waits; takes all of it."""
    found = []
    while (waiting := checkpoint.oldest()) is not None:
        number, kept = waiting
        found.append((number, kept.batch.body))
        checkpoint.acknowledged(number)
    return found


def test_a_new_checkpoint_begins_where_it_is_told(tmp_path: Path) -> None:
    checkpoint = opened(tmp_path / "new", begin=7_000)
    assert (checkpoint.begin, checkpoint.since, checkpoint.pending, checkpoint.oldest()) == (7_000, 7_000, 0, None)
    checkpoint.close()


def test_the_next_watcher_finds_what_this_one_kept(tmp_path: Path) -> None:
    checkpoint = opened(tmp_path)
    checkpoint.keep(RUN, [Batch(b"one", 1), Batch(b"two", 2, "gzip")])
    checkpoint.keep(OTHER, [])
    checkpoint.reach(2_500, remember=0)
    checkpoint.close()

    after = opened(tmp_path, begin=9_000)
    assert (after.begin, after.since, after.pending) == (1_000, 2_500, 2)
    assert (after.is_done("run-1"), after.is_done("run-2"), after.is_done("run-3")) == (True, True, False)
    assert after.oldest() == (1, KeptBatch("research-1", "run-1", Batch(b"one", 1)))
    after.acknowledged(1)
    assert after.oldest() == (2, KeptBatch("research-1", "run-1", Batch(b"two", 2, "gzip")))
    after.close()


def test_what_is_acknowledged_is_gone(tmp_path: Path) -> None:
    checkpoint = opened(tmp_path)
    checkpoint.keep(RUN, [Batch(b"one", 1), Batch(b"two", 2)])
    checkpoint.acknowledged(1)
    checkpoint.close()
    after = opened(tmp_path)
    assert left(after) == [(2, b"two")]
    after.close()


def test_numbers_are_never_used_again(tmp_path: Path) -> None:
    """So that no file of one batch can be taken for another's."""
    checkpoint = opened(tmp_path)
    checkpoint.keep(RUN, [Batch(b"one", 1)])
    assert left(checkpoint) == [(1, b"one")]
    checkpoint.close()
    after = opened(tmp_path)
    after.keep(OTHER, [Batch(b"other", 1)])
    assert left(after) == [(2, b"other")]
    after.close()


def test_batches_whose_run_was_not_recorded_were_never_sent_and_are_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint = opened(tmp_path)
    monkeypatch.setattr("tracing.export.watch.journal.Journal.add", no_space)
    with pytest.raises(OSError, match="No space"):
        checkpoint.keep(RUN, [Batch(b"one", 1)])
    checkpoint.close()
    assert (tmp_path / "0000000001.batch").exists()

    after = opened(tmp_path)
    assert (after.is_done("run-1"), after.pending) == (False, 0)
    assert not (tmp_path / "0000000001.batch").exists()
    after.close()


def no_space(*_: object) -> None:
    raise OSError(28, "No space left on device")


def test_a_run_whose_record_failed_can_be_kept_again_in_the_same_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint = opened(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr("tracing.export.watch.journal.Journal.add", no_space)
        with pytest.raises(OSError, match="No space"):
            checkpoint.keep(RUN, [Batch(b"first try", 1), Batch(b"second", 1)])
    checkpoint.keep(RUN, [Batch(b"one", 1)])
    checkpoint.close()
    after = opened(tmp_path)
    assert left(after) == [(1, b"one")]
    after.close()


def test_halves_stand_for_a_batch_that_was_too_large(tmp_path: Path) -> None:
    spans = [Span(0xA1, number, None, f"span {number}", SpanKind.INTERNAL, 1, 2, {}) for number in range(1, 6)]
    [whole] = batches(spans, "gzip")
    checkpoint = opened(tmp_path)
    checkpoint.keep(RUN, [whole, Batch(b"after", 1)])
    waiting = checkpoint.oldest()
    assert waiting is not None
    checkpoint.split(*waiting)
    checkpoint.close()

    after = opened(tmp_path)
    assert after.oldest() == (2, KeptBatch("research-1", "run-1", Batch(b"after", 1)))
    assert left(after)[1:] == [(3, next(batches(spans[:2], "gzip")).body), (4, next(batches(spans[2:], "gzip")).body)]
    after.close()


def test_a_batch_that_halves_stand_for_is_not_sent_though_a_kill_left_its_file(tmp_path: Path) -> None:
    spans = [Span(0xA1, number, None, f"span {number}", SpanKind.INTERNAL, 1, 2, {}) for number in (1, 2)]
    checkpoint = opened(tmp_path)
    checkpoint.keep(RUN, list(batches(spans)))
    file = tmp_path / "0000000001.batch"
    content = file.read_bytes()
    waiting = checkpoint.oldest()
    assert waiting is not None
    checkpoint.split(*waiting)
    checkpoint.close()
    file.write_bytes(content)

    after = opened(tmp_path)
    assert [number for number, _ in left(after)] == [2, 3]
    after.close()


def test_runs_are_remembered_for_the_overlap_only_and_the_journal_stays_small(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tracing.export.watch.checkpoint._COMPACT_AFTER", 10)
    checkpoint = opened(tmp_path)
    for number in range(100):
        checkpoint.keep(ClosedRun(2_000 + number, f"run-{number}", "research"), [])
        checkpoint.reach(2_000 + number, remember=2_000 + number - 5)
    assert [n for n in range(100) if checkpoint.is_done(f"run-{n}")] == [94, 95, 96, 97, 98, 99]
    assert len((tmp_path / "journal").read_bytes().splitlines()) < 30
    checkpoint.keep(RUN, [Batch(b"one", 1)])
    checkpoint.close()
    after = opened(tmp_path)
    assert (after.since, after.is_done("run-99"), left(after)) == (2_099, True, [(1, b"one")])
    after.close()


def test_time_does_not_go_back(tmp_path: Path) -> None:
    checkpoint = opened(tmp_path)
    checkpoint.reach(5_000, remember=0)
    checkpoint.reach(4_000, remember=0)
    assert checkpoint.since == 5_000
    checkpoint.close()


def test_two_watchers_do_not_share_a_checkpoint(tmp_path: Path) -> None:
    first = opened(tmp_path)
    with pytest.raises(CheckpointError) as caught:
        opened(tmp_path)
    assert str(caught.value) == (
        f"Another watcher uses the checkpoint folder {tmp_path}: stop it, or give this one a folder of its own."
    )
    first.close()
    opened(tmp_path).close()


@pytest.mark.parametrize(
    ("scope", "words"),
    [
        (Scope("other", "", SCOPE.target), "is for namespace 'default', not 'other'"),
        (Scope("default", "A = 1", SCOPE.target), "is for query '', not 'A = 1'"),
        (Scope("default", "", "OTLP"), "is for target 'Phoenix at http://127.0.0.1:6006/v1/traces', not 'OTLP'"),
    ],
)
def test_a_checkpoint_serves_what_it_was_made_for(tmp_path: Path, scope: Scope, words: str) -> None:
    opened(tmp_path).close()
    with pytest.raises(CheckpointError) as caught:
        opened(tmp_path, scope)
    assert str(caught.value) == f"The checkpoint {tmp_path} {words}: give another folder for that."
    opened(tmp_path).close()


def test_a_checkpoint_of_a_later_version_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("tracing.export.watch.checkpoint.VERSION", 2)
        opened(tmp_path).close()
    with pytest.raises(CheckpointError, match="has version 2, and this durable-trace knows 1"):
        opened(tmp_path)


def test_a_damaged_journal_says_how_to_begin_anew(tmp_path: Path) -> None:
    checkpoint = opened(tmp_path)
    checkpoint.keep(RUN, [])
    checkpoint.keep(OTHER, [])
    checkpoint.close()
    journal = tmp_path / "journal"
    journal.write_bytes(journal.read_bytes().replace(b"run-1", b"run-7"))
    with pytest.raises(CheckpointError) as caught:
        opened(tmp_path)
    assert str(caught.value).startswith(
        f"{journal} is damaged (line 2 is damaged). Remove it to begin anew, with --since"
    )


def test_a_damaged_batch_is_put_aside_and_the_others_go_on(tmp_path: Path) -> None:
    checkpoint = opened(tmp_path)
    checkpoint.keep(RUN, [Batch(b"one", 1), Batch(b"two", 1)])
    file = tmp_path / "0000000001.batch"
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(CheckpointError, match=r"its body is damaged\); it was put aside as 0000000001.damaged"):
        checkpoint.oldest()
    assert left(checkpoint) == [(2, b"two")]
    assert (tmp_path / "0000000001.damaged").exists()
    checkpoint.close()


def test_files_are_private(tmp_path: Path) -> None:
    checkpoint = opened(tmp_path / "checkpoint")
    checkpoint.keep(RUN, [Batch(b"one", 1)])
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "checkpoint").iterdir()}
    assert modes == {"lock": 0o600, "journal": 0o600, "0000000001.batch": 0o600}
    assert stat.S_IMODE((tmp_path / "checkpoint").stat().st_mode) == 0o700
    checkpoint.close()


def test_a_folder_that_others_may_write_is_not_used(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    with pytest.raises(CheckpointError, match="others may write there: give a folder of this user's own"):
        opened(tmp_path)


def test_leavings_of_a_kill_while_a_file_was_written_are_removed(tmp_path: Path) -> None:
    opened(tmp_path).close()
    leaving = tmp_path / f".{os.urandom(8).hex()}.part"
    leaving.write_bytes(b"half")
    opened(tmp_path).close()
    assert not leaving.exists()
