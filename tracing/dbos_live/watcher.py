"""What has DBOS recorded of the workflows that this process executes, and which spans does that make?

A thread of its own reads the database, read-only and with plain SQL, as the exporter does; no step waits for it. A row
that is there is committed; so no span of it can be wrong later. Only what this process executed is sent: rows that it
found there, of executions before, are replayed and make no span. Runs that are sampled out are not watched at all.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial

from tracing import conventions as c
from tracing.config import TracingConfig, logger
from tracing.dbos import Converted, Reader
from tracing.dbos.conversion import build
from tracing.dbos.executions import Executions
from tracing.dbos.model_calls import ModelCalls
from tracing.dbos.parts import may_go_on
from tracing.dbos.records import StepRow
from tracing.dbos.runs import DbosRun
from tracing.dbos.step_spans import StepContext, spans_of_step
from tracing.dbos_live.ends import Note, noted
from tracing.dbos_live.retries import NO_PAUSE, Pause
from tracing.dbos_live.rows import Rows
from tracing.dbos_live.watched import FIRST_LOOK_SECONDS, PATIENCE_SECONDS, Watched
from tracing.live.failopen import fail_open
from tracing.spans.model import Span


class Watcher:
    """Reads back what DBOS records, and sends its spans.

    Args:
        rows: The system database; used on a thread of its own.
        config: Settings.
        put: Takes spans.
        note: Adds attributes to a workflow.
    """

    def __init__(self, rows: Rows, config: TracingConfig, put: Callable[[Span], None], note: Note) -> None:
        self._config = config
        self._put = put
        self._note = note
        self._rows = rows
        self._begin()

    def _begin(self) -> None:
        self._asked: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._watched: dict[str, Watched] = {}
        self._awaited: dict[str, Watched] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def forget(self) -> None:
        """Begin anew in a forked child, which has no thread, and executes none of its parent's workflows."""
        self._rows.forget()
        self._begin()

    def begin(self, run: DbosRun, since: int, count: int) -> None:
        """A workflow begins to be executed here, at a time in ms since the epoch; how often it had begun by then."""

        def note() -> None:
            self._watched[run.workflow_id] = Watched(run, since, count)
            self._awaited.pop(run.workflow_id, None)

        self._ask(note)

    def read(self, use: Callable[[Reader], None]) -> None:
        """Use the reader of the database, when there is time."""

        def read() -> None:
            self._rows.read(use)

        self._ask(read)

    def attempted(self, workflow_id: str, function_id: int, *, recorded: bool, written: bool) -> None:
        """An attempt of a step has ended.

        Args:
            workflow_id: Workflow ID.
            function_id: Number of the step.
            recorded: Whether its own spans were sent.
            written: Whether the database has its ledger.
        """

        def note() -> None:
            watched = self._watched.get(workflow_id)
            # The row may have been read between the end of the function and now.
            if watched is not None and function_id not in watched.sent:
                watched.attempted[function_id] = recorded
                if recorded and not written:
                    watched.lost.add(function_id)
                watched.await_row(function_id)
                self._awaited[workflow_id] = watched

        self._ask(note)

    def ended(self, workflow_id: str, since: int, *, recorded: bool, pause: Pause = NO_PAUSE) -> None:
        """The function of a workflow has ended, in the execution that began then.

        Args:
            workflow_id: Workflow ID.
            since: When the execution began, in ms since the epoch.
            recorded: Whether DBOS is to record how; else it has already, or the workflow goes on elsewhere.
            pause: How long it may wait before it begins again.
        """

        def note() -> None:
            watched = self._watched.get(workflow_id)
            if watched is not None and watched.since == since:
                watched.end(PATIENCE_SECONDS if recorded else 0.0, pause)
                self._awaited[workflow_id] = watched

        self._ask(note)

    def flush(self, timeout_seconds: float) -> bool:
        """Wait until what has ended is sent; False where that took longer than the timeout."""
        if self._thread is None:
            return True
        done = threading.Event()

        def wait_for_rows() -> None:
            deadline = time.monotonic() + timeout_seconds
            self._look_at_all()
            while self._any_ended() and time.monotonic() < deadline:
                time.sleep(FIRST_LOOK_SECONDS)
                self._look_at_all()
            if not self._any_ended():
                done.set()

        self._ask(wait_for_rows)
        return done.wait(timeout_seconds + 1.0)

    def let_go(self) -> None:
        """Close the database; it is opened anew where there is more to read."""
        if self._thread is not None:
            self._ask(self._rows.close)

    def _any_ended(self) -> bool:
        now = time.monotonic()
        return any(watched.is_to_end(now) for watched in self._awaited.values())

    def _ask(self, what: Callable[[], None]) -> None:
        self._asked.put(what)
        if self._thread is None:
            with self._lock:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, name="durable-trace-dbos", daemon=True)
                    self._thread.start()

    def _run(self) -> None:
        while True:
            now = time.monotonic()
            due = min((watched.next_look for watched in self._awaited.values()), default=None)
            try:
                if due is None:
                    self._asked.get()()
                elif due > now:
                    self._asked.get(timeout=due - now)()
                else:
                    self._look(now)
            except queue.Empty:
                pass
            except Exception:
                with fail_open("the watch of DBOS workflows"):  # says so, and the thread lives on
                    raise

    def _look_at_all(self) -> None:
        for watched in self._awaited.values():
            watched.next_look = 0.0
        self._look(time.monotonic())

    def _look(self, now: float) -> None:
        for workflow_id, watched in list(self._awaited.items()):
            if watched.next_look > now:
                continue
            done, answered = False, False
            with fail_open("the rows of a DBOS workflow"):
                done = self._rows.read(partial(self._take, workflow_id, watched))
                answered = True
            if done or watched.is_given_up(now, answered=answered):
                del self._watched[workflow_id]
                del self._awaited[workflow_id]
                if not done and watched.patience:
                    logger.warning(
                        "Workflow %s has ended here, and its database does not say so: another process goes on with "
                        "it, or the database cannot be read. Its run's span is not sent; `durable-trace export --dbos` "
                        "has it.",
                        workflow_id,
                    )
            elif not watched.look_later(now):
                del self._awaited[workflow_id]

    def _take(self, workflow_id: str, watched: Watched, reader: Reader) -> bool:
        """Send what is new; True where the workflow is over, and all of it is sent."""
        if watched.ended is not None:
            converted = build(reader, workflow_id, self._config, begun=watched.run.part)
            if converted is not None and not converted.is_open:
                if not watched.is_taken_over(converted.row):
                    self._send_rest(watched, converted)
                return True
        if watched.waiting:
            self._send_new(reader, workflow_id, watched)
        return False

    def _send_rest(self, watched: Watched, converted: Converted) -> None:
        """Send what was not sent while the workflow went on, and its run's span."""
        for step in converted.steps:
            # The start of a child waits for its answer, and is sent only here: by whoever ends the workflow.
            if step.function_id not in watched.sent and (step.starts_child or watched.is_new(step)):
                self._send(watched, step, converted.step_spans.get(step.function_id, ()))
        if not may_go_on(converted.row):  # else they are done again
            for spans in converted.unfinished.values():
                self._put(spans[0])  # the attempts sent their own
        with fail_open("the note of the end of a DBOS workflow"):
            if noted(converted, watched.lost, self._note):
                self._put(converted.own)

    def _send_new(self, reader: Reader, workflow_id: str, watched: Watched) -> None:
        # Numbers first: behind a step that takes long or never runs, most rows were read before, and they may be large.
        new = set(reader.step_numbers(workflow_id, first=watched.first)) - watched.seen
        row = reader.workflow(workflow_id, values=False) if new else None
        if row is None or watched.is_taken_over(row):
            return
        attempts = reader.attempts(workflow_id, first=min([*new, *watched.waiting]))
        watched.attempts.update({number: tries for number, tries in attempts.items() if number not in watched.seen})
        # Those that were there before the attempts were read: so all of their attempts were read.
        steps, _ = reader.steps(workflow_id, numbers=new)
        watched.take_times(steps)
        context = StepContext(
            self._config,
            watched.run if watched.run.part else watched.run.of_part(len(row.ends)),
            watched.since * 1_000_000,
            ModelCalls(self._config),
            attempts=watched.attempts,
            executions=Executions(watched.attempts, row.executions, row.ends),
            steps=watched.own_steps,
        )
        for step in steps:
            # A child waits for its answer, and a step that nobody told of for the workflow's end.
            if step.function_id in watched.attempted or (step.of_engine and watched.is_new(step)):
                watched.sent.add(step.function_id)
                if step.of_engine or self._config.traces_activity(step.name):
                    self._send(watched, step, spans_of_step(context, step, reused=False)[0])
            watched.see(step.function_id)

    def _send(self, watched: Watched, step: StepRow, spans: Sequence[Span]) -> None:
        if not spans or spans[0].attributes.get(c.REUSED) is True:
            return
        self._put(spans[0])
        if watched.attempted.get(step.function_id, False):
            return  # the attempts sent their own spans
        stand_in = c.run_activity(step.name)
        last = max((place for place, span in enumerate(spans) if span.name == stand_in), default=len(spans))
        for span in spans[last:]:  # after those of executions before
            self._put(span)
