"""When is a span that was made in a workflow task sent?

When the task is known to be committed. Workflow code can run, and its task still be refused by the server and done
again with another outcome; a span of the discarded attempt would stay for ever. So spans wait here, by run:

- a later workflow task of the run, or its eviction because it ended or the cache is full, releases them
  (Core reports a task's outcome before it evicts);
- any other eviction discards them: the task failed, timed out or was refused. History repairs what should have stayed;
- a worker's graceful stop releases them, and so does a short time without any sign, for runs that are idle.

Sending happens on a thread of its own: neither workflow nor activity ever waits for a span processor.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal

from tracing.config import logger
from tracing.live.delivery.drops import drops
from tracing.live.delivery.forks import each_in_forked_child
from tracing.live.failopen import fail_open
from tracing.spans.model import Span

MAX_WAITING: Final = 20_000
"""Spans that may wait, held or to be sent; more are dropped and counted."""

GATHER_SECONDS: Final = 0.02
"""How long released spans are gathered before the thread takes the interpreter to send them."""
GATHERINGS: Final = 25
"""How often it looks in vain before it sleeps until it is woken, which costs the agent more than looking costs."""

_Sleep = Literal["awake", "until told", "until a release"]


@dataclass(slots=True)
class _Held:
    task: int
    spans: list[Span] = field(default_factory=list)
    release_at: float | None = None


class Outbox:
    """Holds spans until their workflow task is committed, then sends them.

    Args:
        send: Called with each span, on the outbox's thread.
        idle_release_seconds: Time after which spans are released without a sign of commitment.
        clock: Seconds, monotonic.
        on_drop: Called with a span that needs no commitment and is dropped.
    """

    def __init__(
        self,
        send: Callable[[Span], None],
        idle_release_seconds: float,
        clock: Callable[[], float] = time.monotonic,
        *,
        on_drop: Callable[[Span], None] = lambda _: None,
    ) -> None:
        self._send = send
        self._on_drop = on_drop
        self._idle = idle_release_seconds
        self._clock = clock
        self.dropped = 0
        self.forget()
        _outboxes.add(self)

    def forget(self) -> None:
        """Begin anew in a forked child, which has no thread: what waits is the parent's to send."""
        self._changed = threading.Condition()
        self._held: dict[str, _Held] = {}
        self._ready: deque[Span] = deque()
        self._sending = 0
        self._waiting = 0
        self._sleep: _Sleep = "awake"
        self._flushing = 0
        self._thread: threading.Thread | None = None

    def put(self, span: Span) -> None:
        """Send a span that needs no commitment."""
        with self._changed:
            if self._admit(1):
                self._ready.append(span)
                self._wake()
                return
        with fail_open("a span that is dropped"):
            self._on_drop(span)

    def hold(self, run_id: str, task: int, spans: list[Span], *, may_idle: bool) -> None:
        """Hold spans made in a workflow task.

        Args:
            run_id: Run ID.
            task: What tells the run's workflow tasks apart: the history length that the task was given.
            spans: The spans; may be empty.
            may_idle: Whether the task's completion goes to the server now. It does not while local activities are
                running, and then no idle time may release its spans.
        """
        with self._changed:
            held = self._held.get(run_id)
            if held is not None and held.task != task:
                self._release(held)
                held = None
            if held is None:
                if not spans:
                    self._held.pop(run_id, None)
                    self._wake()
                    return
                held = self._held[run_id] = _Held(task)
            if self._admit(len(spans)):
                held.spans += spans
            held.release_at = self._clock() + self._idle if may_idle else None
            self._wake()

    def begin(self, run_id: str, task: int) -> None:
        """A workflow task of a run begins: what earlier tasks made is committed."""
        with self._changed:
            held = self._held.get(run_id)
            if held is None:
                return
            if held.task != task:
                del self._held[run_id]
                self._release(held)
                self._wake()
            else:
                held.release_at = None

    def evicted(self, run_id: str, *, committed: bool) -> None:
        """A run left the worker's cache; ``committed`` says whether its last task stayed."""
        with self._changed:
            held = self._held.pop(run_id, None)
            if held is None:
                return
            if committed:
                self._release(held)
                self._wake()
            else:
                self._waiting -= len(held.spans)

    def release_all(self) -> None:
        """Release everything: a worker that stopped gracefully has reported all its tasks."""
        with self._changed:
            for held in self._held.values():
                self._release(held)
            self._held.clear()
            self._wake()

    def flush(self, timeout_seconds: float = 5.0) -> bool:
        """Wait until all released spans are sent; False where that took longer than the timeout."""
        with self._changed:
            self._flushing += 1
            self._changed.notify_all()
            try:
                return self._changed.wait_for(lambda: not self._ready and not self._sending, timeout_seconds)
            finally:
                self._flushing -= 1

    def _admit(self, count: int) -> bool:
        if self._waiting + count > MAX_WAITING:
            if not self.dropped:
                logger.warning(
                    "More than %d spans are waiting to be sent: spans are dropped. The exporter is too slow or down; "
                    "`durable-trace export --repair` puts back what is missing.",
                    MAX_WAITING,
                )
            self.dropped += count
            drops.add("outbox_full", count)
            return False
        self._waiting += count
        return True

    def _release(self, held: _Held) -> None:
        self._ready.extend(held.spans)
        held.spans = []

    def _wake(self) -> None:
        """Let the thread know what it does not: agents pay for each time that another thread takes their turn."""
        if self._thread is None and (self._ready or self._held):
            self._thread = threading.Thread(target=self._run, name="durable-trace-outbox", daemon=True)
            self._thread.start()
        elif self._sleep == "until told" or (self._sleep == "until a release" and self._ready):
            self._sleep = "awake"
            self._changed.notify_all()

    def _run(self) -> None:
        while True:
            with self._changed:
                if not self._gather():
                    self._rest()
                    continue
                batch = list(self._ready)
                self._ready.clear()
                self._sending = len(batch)
            for span in batch:
                with fail_open("a span processor"):
                    self._send(span)
            with self._changed:
                self._waiting -= len(batch)
                self._sending = 0
                if self._flushing:
                    self._changed.notify_all()

    def _gather(self) -> bool:
        """Look for released spans for a while; False where none came. Nobody need wake the thread meanwhile."""
        for _ in range(GATHERINGS):
            if not self._flushing:
                self._changed.wait(GATHER_SECONDS)
            self._release_idle()
            if self._ready or self._flushing:
                break
        return bool(self._ready)

    def _rest(self) -> None:
        """Sleep until somebody has something, or the next release is due."""
        timeout = self._until_release()
        # Runs are held for equal times, so that what is held later is released later.
        self._sleep = "until told" if timeout is None else "until a release"
        self._changed.wait(timeout)
        self._sleep = "awake"

    def _until_release(self) -> float | None:
        deadline = min((held.release_at for held in self._held.values() if held.release_at is not None), default=None)
        return None if deadline is None else min(max(0.0, deadline - self._clock()), threading.TIMEOUT_MAX)

    def _release_idle(self) -> None:
        now = self._clock()
        due = [run_id for run_id, held in self._held.items() if held.release_at is not None and held.release_at <= now]
        for run_id in due:
            self._release(self._held.pop(run_id))


_outboxes: Final = each_in_forked_child(Outbox.forget)
