"""Following a namespace: which runs are taken when, what is sent, and what an outage changes.

Runs, histories and the clock are the tests' own; spans go to a real receiver.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from msgspec import structs
from temporalio.service import RPCError, RPCStatusCode

from tests.history.recording import Recording
from tests.tracefile.conftest import Answer
from tracing import conventions as c
from tracing.backends.target import SpanIndex, Target, TargetError
from tracing.decoding.problems import DecodingError
from tracing.export.watch.batch_files import KeptBatch, write_batch
from tracing.export.watch.checkpoint import Checkpoint
from tracing.export.watch.closed_runs import ClosedRun
from tracing.export.watch.delivery import Delivered, Delivery
from tracing.export.watch.pace import Pace
from tracing.export.watch.preparing import Preparation, Prepared, Write
from tracing.export.watch.state import Scope
from tracing.export.watch.taking import QueryError
from tracing.export.watch.watcher import Watcher
from tracing.history import History
from tracing.history.documents import UnreadableError
from tracing.identity import run_span_id
from tracing.spans.model import Span, SpanKind
from tracing.tracefile.folder import FolderIndex
from tracing.tracefile.write import write_trace

if TYPE_CHECKING:
    from tests.tracefile.conftest import Receiver

S = 1_000_000
NOW = 1_800_000_000 * S
SCOPE = Scope("default", "", "test")
HISTORY = Recording().read()


def run(number: int, *, ago: float) -> ClosedRun:
    """A run that closed some seconds ago."""
    return ClosedRun(NOW - int(ago * S), f"run-{number}", f"research-{number}")


@dataclass
class Source:
    """Closed runs as visibility shows them; what is asked of it is noted."""

    runs: list[ClosedRun] = field(default_factory=list)
    failures: list[RPCError] = field(default_factory=list)
    lost: set[str] = field(default_factory=set)
    unreadable: set[str] = field(default_factory=set)
    listed: list[tuple[int, int | None]] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)

    async def closed(self, since: int, until: int | None) -> AsyncGenerator[ClosedRun]:
        if self.failures:
            raise self.failures.pop(0)
        self.listed.append((since, until))
        for each in reversed(self.runs):  # the latest first, as servers list them
            if since <= each.closed and (until is None or each.closed < until):
                yield each

    async def history(self, run: ClosedRun) -> History:
        self.fetched.append(run.run_id)
        if run.run_id in self.lost:
            raise RPCError("workflow execution not found", RPCStatusCode.NOT_FOUND, b"")
        if run.run_id in self.unreadable:
            raise UnreadableError("It does not begin with the start of a run.")
        return replace(HISTORY, run_id=run.run_id)


@dataclass
class Index:
    """What the backend has; it may be away."""

    known: set[int] = field(default_factory=set)
    away: int = 0

    def span_ids(self, trace_id: int) -> set[int]:
        del trace_id
        if self.away:
            self.away -= 1
            raise TargetError("http://backend cannot be reached. Start it.")
        return self.known


@dataclass
class Heard:
    """All that the user is told."""

    runs: list[tuple[str, int, int]] = field(default_factory=list)
    sent: int = 0
    failures: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def handled(self, run: ClosedRun, prepared: Prepared) -> None:
        self.runs.append((run.run_id, prepared.spans, prepared.known))

    def delivered(self, delivered: Delivered) -> None:
        self.sent += delivered.sent

    def failed(self, sentence: str) -> None:
        self.failures.append(sentence)

    def note(self, sentence: str) -> None:
        self.notes.append(sentence)


def convert(history: History) -> list[Span]:
    """The run's span and an activity's; the run is in a trace of its own."""
    run_span = run_span_id(history.run_id)
    trace = run_span << 8 | 1

    def span(span_id: int, parent: int | None, name: str) -> Span:
        return Span(trace, span_id, parent, f"{name} {history.run_id}", SpanKind.INTERNAL, 1, 2, {})

    return [span(run_span, 0xC1, "run"), span(run_span + 1, run_span, "activity")]


@dataclass
class Stage:
    """A watcher's surroundings, and what it is told."""

    folder: Path
    receiver: Receiver
    source: Source = field(default_factory=Source)
    index: Index | None = field(default_factory=Index)
    heard: Heard = field(default_factory=Heard)
    now: int = NOW
    begin: int = NOW - 86_400 * S
    pace: Pace = field(default_factory=lambda: Pace(settle=60, overlap=300, interval=0.01))
    have: FolderIndex | None = None
    write: Write | None = None
    convert: Callable[[History], list[Span]] = convert
    decode: Callable[[History], History] | None = None

    @asynccontextmanager
    async def watcher(self) -> AsyncIterator[Watcher]:
        target = Target("test", f"{self.receiver.url}/v1/traces", index=self.index)
        checkpoint = Checkpoint.open(self.folder / "checkpoint", SCOPE, begin=self.begin)
        delivery = Delivery(target, checkpoint)
        try:
            yield Watcher(
                self.source,
                Preparation(self.convert, target, decode=self.decode, have=self.have, write=self.write),
                checkpoint,
                delivery,
                self.heard,
                pace=self.pace,
                now=lambda: self.now,
            )
        finally:
            delivery.close()
            checkpoint.close()

    async def once(self) -> None:
        async with self.watcher() as watcher:
            await watcher.once()

    async def run_until(self, condition: Callable[[], bool]) -> None:
        """Let a watcher run until something is so; then it must end when it is told to."""
        async with self.watcher() as watcher, asyncio.timeout(60):
            running = asyncio.create_task(watcher.run())
            while not condition() and not running.done():  # noqa: ASYNC110 - the condition is no event
                await asyncio.sleep(0.005)
            watcher.stop()
            await running


@pytest.fixture
def stage(tmp_path: Path, receiver: Receiver) -> Stage:
    return Stage(tmp_path, receiver)


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracing.export.watch.troubles.FIRST_SECONDS", 0.01)
    monkeypatch.setattr("tracing.export.watch.troubles.LONGEST_SECONDS", 0.02)


def names(stage: Stage) -> list[str]:
    return [name for batch in stage.receiver.batches for name in batch]


async def test_what_a_backend_lacks_of_closed_runs_is_sent_in_the_order_of_their_ends(stage: Stage) -> None:
    stage.source.runs = [run(1, ago=500), run(2, ago=400)]
    assert stage.index
    stage.index.known = {run_span_id("run-2")}
    await stage.once()
    assert stage.receiver.batches == [["run run-1", "activity run-1"], ["activity run-2"]]
    assert stage.heard == Heard(runs=[("run-1", 2, 0), ("run-2", 1, 1)], sent=3)


async def test_each_run_is_handled_once_whoever_watches(stage: Stage) -> None:
    stage.source.runs = [run(1, ago=500), run(2, ago=400)]
    await stage.once()
    await stage.once()
    stage.source.runs.append(run(3, ago=300))
    await stage.once()
    assert stage.source.fetched == ["run-1", "run-2", "run-3"]


async def test_a_run_is_left_alone_until_its_live_spans_had_their_time(stage: Stage) -> None:
    stage.source.runs = [run(1, ago=61), run(2, ago=59)]
    await stage.once()
    assert stage.source.fetched == ["run-1"]
    stage.now += 2 * S
    await stage.once()
    assert stage.source.fetched == ["run-1", "run-2"]


async def test_a_run_that_visibility_shows_late_is_found_within_the_overlap(stage: Stage) -> None:
    stage.source.runs = [run(2, ago=100)]
    await stage.once()
    stage.source.runs = [run(1, ago=399), run(2, ago=100)]
    await stage.once()
    assert stage.source.fetched == ["run-2", "run-1"]
    assert stage.source.listed[-1] == (NOW - 400 * S, None)


async def test_runs_from_before_the_beginning_are_none_of_ours(stage: Stage) -> None:
    stage.begin = NOW - 450 * S
    stage.source.runs = [run(1, ago=451), run(2, ago=449)]
    await stage.once()
    assert stage.source.fetched == ["run-2"]


async def test_a_long_past_is_caught_up_with_an_hour_after_the_other(stage: Stage) -> None:
    hour = 3_600 * S
    stage.begin = NOW - 3 * hour
    stage.source.runs = [run(1, ago=3 * 3_600 - 1), run(2, ago=2 * 3_600), run(3, ago=100)]
    await stage.once()
    assert stage.source.fetched == ["run-1", "run-2", "run-3"]
    begin, overlap = stage.begin, 300 * S
    assert stage.source.listed == [
        (begin, begin + hour),
        (begin + hour - overlap, begin + 2 * hour),
        (begin + 2 * hour - overlap, None),
    ]


async def test_a_child_keeps_its_parent_whose_step_comes_when_the_parent_has_closed(stage: Stage) -> None:
    stage.source.runs = [run(1, ago=500)]
    stage.convert = lambda history: [
        structs.replace(span, attributes={c.RUN_ID: history.run_id}) for span in convert(history)
    ]
    await stage.once()
    assert stage.receiver.parents == {"run run-1": 0xC1, "activity run-1": run_span_id("run-1")}


async def test_where_nothing_closed_for_long_the_slices_double(stage: Stage) -> None:
    hour = 3_600 * S
    stage.begin = NOW - 100 * hour
    stage.source.runs = [run(1, ago=100)]
    await stage.once()
    assert stage.source.fetched == ["run-1"]
    ends = [(until - stage.begin) // hour for _, until in stage.source.listed if until is not None]
    assert ends == [1, 3, 7, 15, 31, 63]


async def test_a_century_without_runs_is_passed_by_in_a_few_requests(stage: Stage) -> None:
    stage.begin = NOW - 100 * 8_766 * 3_600 * S
    stage.source.runs = [run(1, ago=100)]
    await stage.once()
    assert stage.source.fetched == ["run-1"]
    assert len(stage.source.listed) == 20


async def test_a_long_slice_with_many_runs_is_listed_hour_by_hour_after_all(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tracing.export.watch.taking._MANY", 2)
    hour = 3_600 * S
    stage.begin = NOW - 9 * hour
    stage.source.runs = [run(number, ago=(6 - number) * 3_600) for number in (1, 2, 3, 4)]
    await stage.once()
    assert stage.source.fetched == ["run-1", "run-2", "run-3", "run-4"]
    ends = [(until - stage.begin) // hour for _, until in stage.source.listed if until is not None]
    assert ends == [1, 3, 7, 4, 6, 7, 8]


async def test_a_run_that_a_client_started_gets_the_clients_span(stage: Stage) -> None:
    stage.source.runs = [run(1, ago=500)]
    started = {c.WORKFLOW_TYPE: "Research", c.CLIENT_START_TIME: 1}
    stage.convert = lambda history: [
        structs.replace(span, attributes={c.RUN_ID: history.run_id, **started}) for span in convert(history)
    ]
    await stage.once()
    assert stage.receiver.batches == [["StartWorkflow:Research", "run run-1", "activity run-1"]]
    assert stage.receiver.parents["run run-1"] == 0xC1


async def test_a_backend_that_cannot_be_asked_gets_everything(stage: Stage) -> None:
    stage.index = None
    stage.source.runs = [run(1, ago=500)]
    await stage.once()
    assert names(stage) == ["run run-1", "activity run-1"]


async def test_trace_files_that_others_write_say_what_such_a_backend_has(stage: Stage) -> None:
    stage.index = None
    live = stage.folder / "live"
    write_trace(live, "first", convert(replace(HISTORY, run_id="run-1"))[:1])
    stage.source.runs = [run(1, ago=500)]
    with FolderIndex(live) as stage.have:
        await stage.once()
        write_trace(live, "second", convert(replace(HISTORY, run_id="run-2"))[1:])
        stage.source.runs.append(run(2, ago=400))
        await stage.once()
    assert stage.receiver.batches == [["activity run-1"], ["run run-2"]]


async def test_each_run_is_written_to_a_file_too(stage: Stage) -> None:
    written: list[tuple[str, list[str]]] = []
    stage.write = lambda history, spans: written.append((history.run_id, [span.name for span in spans]))
    stage.source.runs = [run(1, ago=500)]
    await stage.once()
    assert written == [("run-1", ["run run-1", "activity run-1"])]


async def test_a_batch_that_is_too_large_goes_in_halves(stage: Stage) -> None:
    stage.receiver.answer(413)
    stage.source.runs = [run(1, ago=500)]
    await stage.once()
    assert stage.receiver.batches == [["run run-1"], ["activity run-1"]]
    assert stage.heard.sent == 2


async def test_what_the_backend_refuses_is_named_with_its_run_and_not_sent_again(stage: Stage) -> None:
    stage.receiver.answer(400, b"bad span", kind="text/plain")
    stage.source.runs = [run(1, ago=500), run(2, ago=400)]
    await stage.once()
    await stage.once()
    assert names(stage) == ["run run-2", "activity run-2"]
    assert stage.heard.failures == [
        (
            f"research-1, run run-1: {stage.receiver.url}/v1/traces answered 400 (bad span). It takes no request like "
            "this: look at its log."
        )
    ]


async def test_runs_that_cannot_be_read_are_named_and_the_others_go_on(stage: Stage) -> None:
    stage.source.runs = [run(1, ago=500), run(2, ago=400), run(3, ago=300)]
    stage.source.lost, stage.source.unreadable = {"run-1"}, {"run-2"}
    await stage.once()
    await stage.once()
    assert names(stage) == ["run run-3", "activity run-3"]
    assert stage.heard.failures == [
        "research-1, run run-1: the server has its history no longer (workflow execution not found).",
        "research-2, run run-2: It does not begin with the start of a run.",
    ]


async def test_a_fault_in_one_conversion_does_not_stop_the_others(stage: Stage) -> None:
    def broken(history: History) -> list[Span]:
        if history.run_id == "run-1":
            raise ZeroDivisionError("division by zero")
        return convert(history)

    stage.convert = broken
    stage.source.runs = [run(1, ago=500), run(2, ago=400)]
    await stage.once()
    assert names(stage) == ["run run-2", "activity run-2"]
    assert stage.heard.failures == [
        (
            "research-1, run run-1: its history cannot be converted (ZeroDivisionError: division by zero). Report it, "
            "and export it by itself to see where."
        )
    ]


async def test_once_ends_with_the_failure_and_the_next_goes_on_with_the_same_bytes(stage: Stage) -> None:
    stage.receiver.answer(500)
    stage.source.runs = [run(1, ago=500)]
    with pytest.raises(TargetError, match="answered 500"):
        await stage.once()
    assert stage.receiver.batches == []
    stage.convert = lambda history: convert(history)[:1]  # what is kept is sent, whatever would be made today
    await stage.once()
    assert names(stage) == ["run run-1", "activity run-1"]
    assert stage.source.fetched == ["run-1"]


async def test_a_query_that_the_server_does_not_understand_ends_it(stage: Stage) -> None:
    stage.source.failures = [RPCError("invalid query", RPCStatusCode.INVALID_ARGUMENT, b"")] * 2
    with pytest.raises(QueryError, match="invalid query"):
        await stage.once()
    with pytest.raises(QueryError, match="invalid query"):
        await stage.run_until(lambda: False)


async def test_a_watcher_takes_what_closes_while_it_runs(stage: Stage) -> None:
    stage.source.runs = [run(1, ago=500)]

    def second_is_there() -> bool:
        if names(stage) and len(stage.source.runs) == 1:
            stage.source.runs.append(run(2, ago=70))
        return len(names(stage)) == 4

    await stage.run_until(second_is_there)
    assert stage.receiver.batches == [["run run-1", "activity run-1"], ["run run-2", "activity run-2"]]


async def test_an_outage_of_the_server_is_said_once_and_then_that_it_is_over(stage: Stage) -> None:
    stage.source.failures = [RPCError("connection refused", RPCStatusCode.UNAVAILABLE, b"") for _ in range(5)]
    stage.source.runs = [run(1, ago=500)]
    await stage.run_until(lambda: len(names(stage)) == 2)
    assert stage.heard.notes == [
        "Temporal cannot be asked for closed runs (connection refused). Trying again until it works.",
        "Temporal answers again.",
    ]


async def test_an_outage_of_the_backend_keeps_its_batches_and_is_said_once(stage: Stage) -> None:
    stage.index = None
    for _ in range(5):
        stage.receiver.answer(503, b"queue is full", kind="text/plain")
    stage.source.runs = [run(1, ago=500), run(2, ago=400)]
    await stage.run_until(lambda: stage.heard.sent == 4)
    assert stage.receiver.batches == [["run run-1", "activity run-1"], ["run run-2", "activity run-2"]]
    assert stage.heard.notes == [
        f"{stage.receiver.url}/v1/traces answered 503 (queue is full). Try again later. Trying again until it works.",
        "The backend answers again.",
    ]


async def test_a_backend_says_how_long_it_wants_to_be_left_alone(stage: Stage) -> None:
    stage.receiver.answer(503, b"queue is full", kind="text/plain", Retry_After="17")
    stage.receiver.answer(503, Retry_After="soon")
    stage.receiver.answer(503, Retry_After="86400")
    stage.source.runs = [run(1, ago=500)]
    for wait in (17, 0, 600):
        with pytest.raises(TargetError, match="answered 503") as caught:
            await stage.once()
        assert caught.value.wait == wait
    await stage.once()
    assert names(stage) == ["run run-1", "activity run-1"]
    assert len(stage.receiver.requests) == 4


async def test_runs_can_be_written_only(tmp_path: Path) -> None:
    checkpoint, heard, written = Checkpoint.open(tmp_path, SCOPE, begin=NOW - 600 * S), Heard(), list[str]()
    preparation = Preparation(convert, None, write=lambda history, _: written.append(history.run_id))
    watcher = Watcher(Source([run(1, ago=500)]), preparation, checkpoint, None, heard, pace=Pace(), now=lambda: NOW)
    await watcher.once()
    assert (written, heard.runs, checkpoint.pending) == (["run-1"], [("run-1", 0, 0)], 0)
    checkpoint.close()


async def test_a_backend_that_cannot_be_asked_for_a_while_gets_no_run_before_it_can(stage: Stage) -> None:
    assert stage.index
    stage.index.away = 7
    stage.source.runs = [run(1, ago=500)]
    await stage.run_until(lambda: stage.heard.sent == 2)
    assert stage.heard.runs == [("run-1", 2, 0)]
    assert stage.heard.notes == [
        "http://backend cannot be reached. Start it. Trying again until it works.",
        "The backend can be asked again.",
    ]


def decoding_after(failures: list[DecodingError]) -> Callable[[History], History]:
    """Decodes, but for the first times."""

    def decode(history: History) -> History:
        if failures:
            raise failures.pop()
        return replace(history, defects=("A payload in event 9 cannot be decoded.",))

    return decode


AWAY = "the codec server cannot be reached"


async def test_what_decodes_payloads_is_waited_for_and_what_it_cannot_decode_is_named(stage: Stage) -> None:
    stage.decode = decoding_after([DecodingError(AWAY, passing=True) for _ in range(7)])
    stage.source.runs = [run(1, ago=500)]
    await stage.run_until(lambda: stage.heard.sent == 2)
    assert stage.heard == Heard(
        runs=[("run-1", 2, 0)],
        sent=2,
        failures=["research-1, run run-1: A payload in event 9 cannot be decoded."],
        notes=[
            f"Payloads cannot be decoded: {AWAY}. No run is taken before they can. Trying again until it works.",
            "Payloads can be decoded again.",
        ],
    )


async def test_a_run_that_fails_again_and_again_is_set_aside_and_tried_later(stage: Stage) -> None:
    """A codec server that takes too long for one history: the others go on."""
    tries, mended = list[str](), list[bool]()

    def decode(history: History) -> History:
        tries.append(history.run_id)
        if history.run_id == "run-1" and not mended:
            raise DecodingError(AWAY, passing=True)
        return history

    stage.decode = decode
    stage.pace = replace(stage.pace, ahead=1)
    stage.source.runs = [run(1, ago=500), run(2, ago=400)]

    async with stage.watcher() as watcher, asyncio.timeout(60):
        running = asyncio.create_task(watcher.run())
        while stage.heard.sent < 2:  # noqa: ASYNC110 - no event
            await asyncio.sleep(0.005)
        assert tries == ["run-1"] * 10 + ["run-2"]
        mended.append(True)
        stage.now += 600 * S
        while stage.heard.sent < 4:  # noqa: ASYNC110 - no event
            await asyncio.sleep(0.005)
        watcher.stop()
        await running
    assert tries == ["run-1"] * 10 + ["run-2", "run-1"]
    assert stage.heard.runs == [("run-2", 2, 0), ("run-1", 2, 0)]
    assert stage.heard.failures == [
        (
            f"research-1, run run-1: its payloads cannot be decoded ({AWAY}), tried 10 times. Others go on, and it is "
            "tried again every 10 minutes: mend what decodes it."
        )
    ]


async def test_a_run_that_is_set_aside_is_taken_by_the_next_watcher(stage: Stage) -> None:
    def decode(history: History) -> History:
        if history.run_id == "run-1":
            raise DecodingError(AWAY, passing=True)
        return history

    stage.decode = decode
    stage.source.runs = [run(1, ago=7_000), run(2, ago=400)]
    await stage.run_until(lambda: stage.heard.sent == 2)
    stage.decode = None
    await stage.once()
    assert stage.heard.runs == [("run-2", 2, 0), ("run-1", 2, 0)]


async def test_once_ends_where_payloads_cannot_be_decoded_and_the_next_takes_the_run(stage: Stage) -> None:
    stage.decode = decoding_after([DecodingError(AWAY, passing=True)])
    stage.source.runs = [run(1, ago=500)]
    with pytest.raises(DecodingError):
        await stage.once()
    assert names(stage) == []
    await stage.once()
    assert names(stage) == ["run run-1", "activity run-1"]


async def test_when_the_room_for_batches_is_used_up_no_more_runs_are_taken(stage: Stage) -> None:
    stage.index = None
    stage.pace = replace(stage.pace, max_bytes=1, ahead=1)
    stage.receiver.answers = [Answer(503) for _ in range(1_000)]
    stage.source.runs = [run(1, ago=500), run(2, ago=400), run(3, ago=300)]

    def let_it_answer() -> bool:
        if len(stage.receiver.requests) >= 5 and stage.receiver.answers:
            assert [run_id for run_id, _, _ in stage.heard.runs] == ["run-1"]
            stage.receiver.answers.clear()
        return stage.heard.sent == 6

    await stage.run_until(let_it_answer)
    assert [note.partition(":")[0] for note in stage.heard.notes if "room" in note or "kept" in note][:2] == [
        "1 batches wait for the backend, which is as much as may be kept (0 MiB)",
        "There is room again",
    ]
    assert len(stage.receiver.batches) == 3


async def test_a_disk_that_is_full_is_said_once_and_no_run_is_lost(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.source.runs = [run(1, ago=500)]
    full = 3

    def write(path: Path, kept: KeptBatch) -> int:
        nonlocal full
        full -= 1
        if full >= 0:
            raise OSError(28, "No space left on device", str(path))
        return write_batch(path, kept)

    monkeypatch.setattr("tracing.export.watch.checkpoint.write_batch", write)
    await stage.run_until(lambda: stage.heard.sent == 2)
    batch = stage.folder / "checkpoint" / "0000000001.batch"
    assert stage.heard.notes == [
        (
            f"{batch}: files cannot be written (No space left on device). Make room, or mend the permissions. Trying "
            "again until it works."
        ),
        "Files can be written again.",
    ]
    assert names(stage) == ["run run-1", "activity run-1"]


def test_an_index_is_what_the_preparation_takes_it_for() -> None:
    index: SpanIndex = Index()
    assert index.span_ids(1) == set()
