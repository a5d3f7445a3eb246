"""When spans of workflow tasks are sent: told by a clock that the test turns."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from tracing.live.delivery import outbox as outbox_module
from tracing.live.delivery.drops import drops
from tracing.live.delivery.outbox import Outbox
from tracing.spans.model import Span, SpanKind

if TYPE_CHECKING:
    from collections.abc import Callable

RUN, OTHER_RUN = "run-1", "run-2"
IDLE_SECONDS = 2.0


def span(name: str) -> Span:
    return Span(1, 1, None, name, SpanKind.INTERNAL, 0, 0, {})


@dataclass
class Sent:
    """Takes what the outbox sends, and turns its clock."""

    now: float = 0.0
    names: list[str] = field(default_factory=list)
    outbox: Outbox = field(init=False)

    def __post_init__(self) -> None:
        self.outbox = Outbox(lambda s: self.names.append(s.name), IDLE_SECONDS, clock=lambda: self.now)

    def after(self) -> list[str]:
        """What has been sent when everything that may be sent was."""
        # A span that needs no commitment wakes the thread, and is sent after all that is due before it.
        self.outbox.put(span("."))
        assert self.outbox.flush()
        return [name for name in self.names if name != "."]

    def hold(self, task: int, *names: str, run: str = RUN, may_idle: bool = True) -> None:
        self.outbox.hold(run, task, [span(name) for name in names], may_idle=may_idle)


@pytest.fixture
def sent() -> Sent:
    return Sent()


def test_a_span_that_needs_no_commitment_is_sent_at_once(sent: Sent) -> None:
    sent.outbox.put(span("RunActivity:call_llm"))
    assert sent.after() == ["RunActivity:call_llm"]


def test_a_span_of_a_workflow_task_is_held(sent: Sent) -> None:
    sent.hold(3, "Timer")
    assert sent.after() == []


class TestReleased:
    def test_when_the_next_task_begins(self, sent: Sent) -> None:
        sent.hold(3, "Timer")
        sent.outbox.begin(RUN, 9)
        assert sent.after() == ["Timer"]

    def test_when_the_next_task_is_done(self, sent: Sent) -> None:
        sent.hold(3, "Timer")
        sent.hold(9, "StartActivity:call_llm")
        assert sent.after() == ["Timer"]

    def test_when_the_next_task_makes_no_span(self, sent: Sent) -> None:
        sent.hold(3, "Timer")
        sent.hold(9)
        assert sent.after() == ["Timer"]

    def test_when_the_run_leaves_the_cache_with_its_task_committed(self, sent: Sent) -> None:
        sent.hold(3, "Timer")
        sent.outbox.evicted(RUN, committed=True)
        assert sent.after() == ["Timer"]

    def test_when_the_worker_stops(self, sent: Sent) -> None:
        sent.hold(3, "Timer")
        sent.hold(5, "RunWorkflow:Research", run=OTHER_RUN)
        sent.outbox.release_all()
        assert sent.after() == ["Timer", "RunWorkflow:Research"]

    def test_when_the_run_is_idle(self, sent: Sent) -> None:
        sent.hold(3, "Timer")
        sent.now = IDLE_SECONDS - 0.001
        assert sent.after() == []
        sent.now = IDLE_SECONDS
        assert sent.after() == ["Timer"]

    def test_with_all_spans_of_its_activations_in_order(self, sent: Sent) -> None:
        # A task with local activities has several activations, of the same history length.
        sent.hold(3, "HandleSignal:approve", may_idle=False)
        sent.outbox.begin(RUN, 3)
        sent.hold(3, "Timer")
        sent.outbox.begin(RUN, 9)
        assert sent.after() == ["HandleSignal:approve", "Timer"]


class TestNotReleased:
    def test_when_the_task_failed(self, sent: Sent) -> None:
        sent.hold(3, "RunWorkflow:Research")
        sent.outbox.evicted(RUN, committed=False)
        sent.outbox.begin(RUN, 4)
        sent.outbox.release_all()
        assert sent.after() == []

    def test_by_what_happens_to_another_run(self, sent: Sent) -> None:
        sent.hold(3, "Timer")
        sent.outbox.begin(OTHER_RUN, 9)
        sent.outbox.evicted(OTHER_RUN, committed=True)
        assert sent.after() == []

    def test_while_the_same_task_goes_on(self, sent: Sent) -> None:
        sent.hold(3, "Timer")
        sent.outbox.begin(RUN, 3)
        sent.now = 10 * IDLE_SECONDS
        assert sent.after() == []

    def test_while_local_activities_run(self, sent: Sent) -> None:
        sent.hold(3, "Timer", may_idle=False)
        sent.now = 10 * IDLE_SECONDS
        assert sent.after() == []

    def test_twice(self, sent: Sent) -> None:
        sent.hold(3, "Timer")
        sent.outbox.evicted(RUN, committed=True)
        sent.outbox.evicted(RUN, committed=True)
        sent.outbox.begin(RUN, 9)
        sent.outbox.release_all()
        sent.now = 10 * IDLE_SECONDS
        assert sent.after() == ["Timer"]


def test_the_refused_end_of_a_run_is_discarded_and_the_right_one_sent(sent: Sent) -> None:
    sent.hold(3, "RunWorkflow without the signal")
    sent.outbox.evicted(RUN, committed=False)
    sent.hold(8, "RunWorkflow with the signal")
    sent.outbox.evicted(RUN, committed=True)
    assert sent.after() == ["RunWorkflow with the signal"]


class TestBounds:
    """Spans that wait are limited, held or to be sent; what is too much is dropped, counted and said once."""

    @pytest.fixture(autouse=True)
    def _room_for_three(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(outbox_module, "MAX_WAITING", 3)

    def test_more_spans_than_may_wait_are_dropped(self, sent: Sent, tracing_log: list[str]) -> None:
        sent.hold(3, "a", "b")
        sent.hold(3, "c", run=OTHER_RUN)
        sent.hold(3, "d", run="run-3")
        sent.outbox.put(span("e"))
        assert sent.outbox.dropped == 2
        assert tracing_log == [
            (
                "More than 3 spans are waiting to be sent: spans are dropped. The exporter is too slow or down; "
                "`durable-trace export --repair` puts back what is missing."
            )
        ]
        sent.outbox.release_all()
        assert sent.outbox.flush()
        assert sent.names == ["a", "b", "c"]

    def test_spans_that_were_sent_or_discarded_make_room(self, sent: Sent) -> None:
        sent.hold(3, "a", "b", "c")
        sent.outbox.evicted(RUN, committed=False)
        sent.hold(4, "d", "e", "f")
        sent.outbox.evicted(RUN, committed=True)
        assert sent.outbox.flush()
        sent.hold(5, "g", "h")
        sent.outbox.begin(RUN, 9)
        assert sent.after() == ["d", "e", "f", "g", "h"]
        assert sent.outbox.dropped == 0


class TestSendingThatFails:
    def test_a_processor_that_raises_loses_its_span_only(self, tracing_log: list[str]) -> None:
        names: list[str] = []

        def send(sending: Span) -> None:
            if sending.name == "bad":
                raise ConnectionError("no route")
            names.append(sending.name)

        outbox = Outbox(send, IDLE_SECONDS)
        for name in ("a", "bad", "bad", "b"):
            outbox.put(span(name))
        assert outbox.flush()
        assert names == ["a", "b"]
        assert tracing_log == [
            (
                "Tracing failed in a span processor; the run goes on untraced here. "
                "Further failures of this kind are not logged."
            )
        ]

    def test_a_processor_that_hangs_blocks_nobody(self) -> None:
        hanging, free = threading.Event(), threading.Event()

        def send(_: Span) -> None:
            hanging.set()
            free.wait()

        outbox = Outbox(send, IDLE_SECONDS)
        outbox.put(span("a"))
        assert hanging.wait(10)
        # Each of these returns although the processor does not.
        outbox.put(span("b"))
        outbox.hold(RUN, 3, [span("c")], may_idle=True)
        outbox.begin(RUN, 9)
        outbox.release_all()
        assert not outbox.flush(timeout_seconds=0.01)
        free.set()
        assert outbox.flush()


def test_an_outbox_that_nothing_was_put_in_has_no_thread() -> None:
    before = threading.active_count()
    outbox = Outbox(lambda _: None, IDLE_SECONDS)
    outbox.begin(RUN, 3)
    outbox.hold(RUN, 3, [], may_idle=True)
    outbox.evicted(RUN, committed=True)
    outbox.release_all()
    assert outbox.flush()
    assert threading.active_count() == before


@pytest.mark.parametrize("idle_seconds", [float("inf"), 1e12])
def test_idle_runs_may_wait_without_end(idle_seconds: float) -> None:
    names: list[str] = []
    outbox = Outbox(lambda s: names.append(s.name), idle_seconds)
    outbox.hold(RUN, 3, [span("Timer")], may_idle=True)
    outbox.put(span("a"))
    assert outbox.flush()
    outbox.begin(RUN, 9)
    assert outbox.flush()
    assert names == ["a", "Timer"]


@pytest.mark.parametrize(
    "wake",
    [
        pytest.param(lambda outbox: outbox.put(span("b")), id="put"),
        pytest.param(lambda outbox: outbox.hold(OTHER_RUN, 3, [span("b")], may_idle=True), id="hold"),
        pytest.param(lambda outbox: outbox.release_all(), id="release"),
    ],
)
def test_an_idle_run_is_released_by_time_alone(wake: Callable[[Outbox], None]) -> None:
    arrived = threading.Event()
    outbox = Outbox(lambda s: arrived.set() if s.name == "Timer" else None, idle_release_seconds=0.01)
    outbox.hold(RUN, 3, [span("Timer")], may_idle=True)
    assert arrived.wait(10)
    wake(outbox)
    assert outbox.flush()


def test_a_forked_child_sends_what_is_its_own() -> None:
    read, write = os.pipe()
    outbox = Outbox(lambda s: os.write(write, f"{os.getpid()} {s.name}\n".encode()), IDLE_SECONDS)
    outbox.put(span("before"))
    assert outbox.flush()
    outbox.hold(RUN, 3, [span("held by the parent")], may_idle=False)
    child = os.fork()
    if child == 0:
        outbox.release_all()
        outbox.put(span("in the child"))
        os._exit(0 if outbox.flush() else 1)
    assert os.waitpid(child, 0)[1] == 0
    outbox.release_all()
    assert outbox.flush()
    parent = os.getpid()
    assert os.read(read, 1_000).decode().splitlines() == [
        f"{parent} before",
        f"{child} in the child",
        f"{parent} held by the parent",
    ]
    os.close(read)
    os.close(write)


def test_a_span_that_needs_no_commitment_and_is_dropped_is_given_back(
    monkeypatch: pytest.MonkeyPatch, tracing_log: list[str]
) -> None:
    monkeypatch.setattr(outbox_module, "MAX_WAITING", 0)
    drops.reset()
    back: list[str] = []
    outbox = Outbox(lambda _: None, IDLE_SECONDS, on_drop=lambda s: back.append(s.name))
    outbox.put(span("RunActivity:call_llm"))
    assert back == ["RunActivity:call_llm"]
    assert drops.dropped == {"outbox_full": 1}
    assert len(tracing_log) == 1
