"""What traces the workflows of this process?"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial
from typing import Final

from dbos import DBOS
from opentelemetry import trace
from opentelemetry.metrics import MeterProvider

from tracing.config import TracingConfig
from tracing.dbos import Reader
from tracing.dbos.runs import dbos_run
from tracing.dbos.serializers import Serializer
from tracing.dbos_live.attempt import Attempt, AttemptProcess
from tracing.dbos_live.ends import add_attributes
from tracing.dbos_live.executions import Execution, Running
from tracing.dbos_live.recoveries import count_recovery, recovery_of
from tracing.dbos_live.retries import NO_PAUSE, Pause
from tracing.dbos_live.rows import ReadingThread, Rows
from tracing.dbos_live.watcher import Watcher
from tracing.dbos_live.writing import warn_of_plain_ledgers
from tracing.live.attempts.recorder import prepare_provider
from tracing.live.delivery.emitter import Emitter
from tracing.live.delivery.forks import each_in_forked_child
from tracing.live.delivery.outbox import Outbox
from tracing.live.failopen import fail_open
from tracing.live.metrics.instruments import Metrics
from tracing.live.metrics.spans import counting
from tracing.spans.hook import with_added
from tracing.spans.model import Span

BEGIN_SECONDS: Final = 2.0
"""How long a workflow waits at most for what the database says of its trace; after that it runs untraced."""
PAUSE_SECONDS: Final = 30.0
"""How long no workflow asks after one was not answered."""


class TracedProcess:
    """Traces the workflows that DBOS executes in this process.

    Args:
        url: URL of the system database.
        config: Settings.
        provider: Tracer provider; the global one where None.
        meter_provider: Where metrics go; the global one where None.
        serializer: The user's serialiser, by which ledgers are written; portable JSON where None.

    Attributes:
        vouches: Whether all steps that this process runs are known to be traced.
        running: The executions that run here.
        at_first: Called once, when the first workflow begins.
    """

    def __init__(
        self,
        url: str,
        config: TracingConfig,
        provider: trace.TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
        serializer: Serializer | None = None,
    ) -> None:
        self.config = config
        self._metrics = Metrics(meter_provider)
        self._protects = serializer is not None
        self.vouches = True
        self.at_first: Callable[[], object] | None = None
        self._emitter = Emitter(provider)
        self._outbox = Outbox(self._emitter.emit, config.idle_release_seconds, on_drop=self._emitter.fail)
        self._beginnings = ReadingThread(url, "durable-trace-dbos-begin")
        self._watcher = Watcher(Rows(url, serializer), config, counting(self._metrics, self._put), add_attributes)
        self._shared: AttemptProcess | None = None
        self._begin()
        _processes.add(self)

    def _begin(self) -> None:
        self.running = Running()
        self._lock = threading.Lock()
        self._paused_until = 0.0

    def forget(self) -> None:
        """Begin anew in a forked child: what runs in its parent does not run there."""
        self._begin()
        self._beginnings.forget()
        self._watcher.forget()

    def begin(self, workflow_id: str | None) -> Execution | None:
        """A workflow begins to be executed here; None where it is not traced."""
        with fail_open("the start of a DBOS workflow"), self._pausing():
            if workflow_id is not None and self._reads():
                looked = self._look(workflow_id)
                try:
                    return self._add(looked.result(BEGIN_SECONDS))
                finally:
                    looked.cancel()  # where nobody waits for it any more
        return None

    async def begin_async(self, workflow_id: str | None) -> Execution | None:
        """As `begin`, without blocking the event loop."""
        with fail_open("the start of a DBOS workflow"), self._pausing():
            if workflow_id is not None and self._reads():
                looked = self._look(workflow_id)
                return self._add(await asyncio.wait_for(asyncio.wrap_future(looked), BEGIN_SECONDS))
        return None

    def execution(self, workflow_id: str) -> Execution | None:
        """The execution of a workflow that runs here; None where it is not traced.

        Where its function was not wrapped (DBOS makes a workflow of a step that is started alone), it begins now.
        """
        if self.running.has(workflow_id):
            return self.running.execution(workflow_id)
        return _implied(self.begin(workflow_id))

    async def execution_async(self, workflow_id: str) -> Execution | None:
        """As `execution`, without blocking the event loop."""
        if self.running.has(workflow_id):
            return self.running.execution(workflow_id)
        return _implied(await self.begin_async(workflow_id))

    def begin_attempt(self, execution: Execution | None, function_id: int, step: str, number: int) -> Attempt | None:
        """An attempt of a step begins in an execution of its workflow; None where that is not traced."""
        if execution is None:
            return None
        attempt = Attempt(self._attempts(), execution, function_id, step, number)
        if execution.run.sampled:
            with fail_open("the spool"):
                self._emitter.started(attempt.as_begun)
        return attempt

    def end_attempt(self, attempt: Attempt, *, written: bool, pause: Pause = NO_PAUSE) -> None:
        """An attempt has ended; ``written`` says whether it wrote its entry, ``pause`` how long its step may wait."""
        execution = attempt.execution
        recorded = attempt.close(written=written)
        if not recorded:
            with fail_open("the spool"):
                self._emitter.dismiss(execution.run.trace_id, attempt.span_id)
        if execution.run.sampled:
            self._watcher.attempted(attempt.workflow_id, attempt.function_id, recorded=recorded, written=written)
        if execution.implied:
            self.ended(attempt.workflow_id, execution, recorded=True, pause=pause)

    def ended(self, workflow_id: str, execution: Execution, *, recorded: bool, pause: Pause = NO_PAUSE) -> None:
        """A workflow's function has ended: ``recorded`` by DBOS or not, with a ``pause`` if it may be called again."""
        with fail_open("the end of a DBOS workflow"):
            self.running.end(execution)
            if execution.run.sampled:
                self._watcher.ended(workflow_id, execution.since, recorded=recorded, pause=pause)

    def flush(self, timeout_seconds: float) -> bool:
        """Wait until all that has ended is handed to the exporters; False where that took longer than the timeout."""
        begun = time.monotonic()
        read = self._watcher.flush(timeout_seconds)
        left = max(0.1, timeout_seconds - (time.monotonic() - begun))
        return self._outbox.flush(left) and self._emitter.flush(left) and read

    def let_go(self) -> None:
        """Close the database, which may be another one when DBOS is launched again."""
        self._beginnings.let_go()
        self._watcher.let_go()

    def _attempts(self) -> AttemptProcess:
        """What attempts share."""
        provider, resource = self._emitter.provider, self._emitter.resource()
        executor, version = DBOS.executor_id, DBOS.application_version
        shared = self._shared
        # An application may set its provider after its first workflow has begun, and launch DBOS again as another.
        if (
            shared is None
            or shared.provider is not provider
            or shared.resource is not resource
            or (shared.executor, shared.version) != (executor, version)
        ):
            prepare_provider(provider)
            shared = self._shared = AttemptProcess(
                self.config,
                self._put,
                executor=executor,
                version=version,
                resource=resource,
                provider=provider,
                metrics=self._metrics,
                protects=self._protects,
            )
        return shared

    def _reads(self) -> bool:
        return time.monotonic() >= self._paused_until

    @contextmanager
    def _pausing(self) -> Iterator[None]:
        """Where the database cannot be read, workflows do not wait for it again and again."""
        try:
            yield
        except Exception:
            self._paused_until = time.monotonic() + PAUSE_SECONDS
            raise

    def _look(self, workflow_id: str) -> Future[Execution | None]:
        return self._beginnings.ask(partial(self._look_up, workflow_id, time.time_ns() // 1_000_000))

    def _look_up(self, workflow_id: str, since: int, reader: Reader) -> Execution | None:
        """What the database says of a workflow that begins; None where it has none of this ID."""
        row = reader.workflow(workflow_id, values=False)
        if row is None:
            return None
        if not self._protects:
            warn_of_plain_ledgers(self.config, row.serialization)
        run = dbos_run(reader, row, self.config).of_part(len(row.ends))
        if not (run.sampled and self._emitter.samples(run.trace_id, run.workflow_type)):
            run = run.left_out()
        recovery = recovery_of(reader, row) if self._metrics.are_recorded else None
        return Execution(run, row.executions if self.vouches else 0, since, recovery, count=row.executions)

    def _add(self, execution: Execution | None) -> Execution | None:
        if execution is not None:
            self.running.add(execution)
            with self._lock:
                at_first, self.at_first = self.at_first, None
            if execution.run.sampled:
                self._watcher.begin(execution.run, execution.since, execution.count)
            if execution.recovery is not None:
                self._watcher.read(partial(count_recovery, self._metrics, self.config, execution.recovery))
            if at_first is not None:
                at_first()
        return execution

    def _put(self, span: Span) -> None:
        """Send a span; where there is a spool, it is there before this returns."""
        span = with_added(self.config, span)
        with fail_open("the spool"):
            self._emitter.keep(span)
        self._outbox.put(span)


def _implied(execution: Execution | None) -> Execution | None:
    if execution is not None:
        execution.implied = True
    return execution


_processes: Final = each_in_forked_child(TracedProcess.forget)
