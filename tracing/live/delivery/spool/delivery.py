"""How does a span in the spool get to an exporter, and how does the spool learn that it has arrived?"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any, Final

from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY, attach, detach, set_value
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from tracing.config import logger
from tracing.live.delivery.drops import drops
from tracing.live.delivery.forks import each_in_forked_child
from tracing.live.delivery.spool.encoding import key_of
from tracing.live.delivery.spool.store import Spool
from tracing.live.failopen import fail_open

FIRST_WAIT_SECONDS: Final = 1.0
LONGEST_WAIT_SECONDS: Final = 30.0
"""Time between a failure and the next try; it doubles in between."""
LARGEST_BATCH: Final = 512
TRIES_ALONE: Final = 3
"""A span that fails so often by itself, while others arrive, is given up."""


class SpooledExporter(SpanExporter):
    """Exports by another exporter, tells the spool what has arrived, and sends again what has not.

    Sending again begins with one span and doubles with each success, as TCP does: an exporter that is down is not
    asked much, one that refuses a single span (an ID that it cannot read) does not keep others from arriving.

    Args:
        exporter: The exporter; it is never called by two threads at once.
        spool: The spool.
        queued: Whether spans are written before they are queued, so that they are there when they come here.
    """

    def __init__(self, exporter: SpanExporter, spool: Spool, *, queued: bool) -> None:
        self.exporter = exporter
        self.queued = queued
        self._spool = spool
        self._stopped = False
        self.restart()
        self.holder = spool.add_exporter(self.begin_resending)
        _exporters.add(self)

    def restart(self) -> None:
        """Begin anew in a forked child, whose copies of locks may be held by threads that it does not have."""
        self._exporting = threading.Lock()
        self._starting = threading.Lock()
        self._successes = 0
        self._alone: dict[bytes, tuple[int, int]] = {}
        self._resender: threading.Thread | None = None

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Export a batch."""
        if not self.queued:
            with fail_open("the spool"):
                for span in spans:
                    self._spool.keep(span, self.holder)
        try:
            result = self._export(spans)
        except Exception:
            self._failed(spans)
            raise
        if result is SpanExportResult.SUCCESS:
            self._delivered(spans)
        else:
            self._failed(spans)
        return result

    def shutdown(self) -> None:
        """See the SDK."""
        self._stopped = True
        self.exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """See the SDK."""
        return self.exporter.force_flush(timeout_millis)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.exporter, name)

    def full(self, span: ReadableSpan) -> None:
        """The queue before this exporter has no room for a span: the spool keeps it for later."""
        self._resend_later([span], "queue_full")

    def begin_resending(self) -> None:
        """Send again what waits, in the background."""
        with self._starting:  # two that ask at once would get a thread each, and every span be sent by both
            thread = self._resender
            if self._stopped or (thread is not None and thread.is_alive()):
                return
            self._resender = threading.Thread(target=self._run, name="durable-trace-spool-sender", daemon=True)
            self._resender.start()

    def _export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        with self._exporting:
            return self.exporter.export(spans)

    def _delivered(self, spans: Sequence[ReadableSpan]) -> None:
        with fail_open("the spool"):
            self._successes += 1
            self._spool.delivered([key_of(span) for span in spans], self.holder)

    def _failed(self, spans: Sequence[ReadableSpan]) -> None:
        self._resend_later(spans, "export_failed")

    def _resend_later(self, spans: Sequence[ReadableSpan], reason: Any) -> None:
        with fail_open("the spool"):
            drops.add(reason, self._spool.failed([key_of(span) for span in spans], self.holder))

    def _run(self) -> None:
        token = attach(set_value(_SUPPRESS_INSTRUMENTATION_KEY, value=True))
        size, wait = 1, FIRST_WAIT_SECONDS
        try:
            while self._something_waits():
                batch: list[ReadableSpan] = []
                sent = False
                with fail_open("the spool"):
                    batch = self._spool.next_batch(self.holder, size)
                    sent = bool(batch) and self._sent_again(batch)
                if sent:
                    size, wait = min(size * 2, LARGEST_BATCH), FIRST_WAIT_SECONDS
                elif batch or self._spool.waiting_for(self.holder):
                    size = 1
                    self._pause(wait)
                    wait = min(wait * 2, LONGEST_WAIT_SECONDS)
        finally:
            detach(token)

    def _something_waits(self) -> bool:
        with self._spool.changed:
            self._spool.changed.wait_for(lambda: self._over() or self._spool.waiting_for(self.holder) > 0)
        return not self._over()

    def _pause(self, seconds: float) -> None:
        with self._spool.changed:
            self._spool.changed.wait_for(self._over, seconds)

    def _over(self) -> bool:
        return self._stopped or self._spool.closed

    def _sent_again(self, batch: list[ReadableSpan]) -> bool:
        keys = [key_of(span) for span in batch]
        try:
            sent = self._export(batch) is SpanExportResult.SUCCESS
        except Exception:  # noqa: BLE001 - the exporter's own; it has failed
            sent = False
        if sent:
            for key in keys:
                self._alone.pop(key, None)
            self._delivered(batch)
        elif len(keys) == 1 and self._refused(keys[0]):
            logger.warning("%s refuses a span again and again, while it takes others: it is given up.", self._name())
            drops.add("refused")
            self._spool.delivered(keys, self.holder)
        else:
            self._spool.failed(keys, self.holder)
        return sent

    def _refused(self, key: bytes) -> bool:
        tries, since = self._alone.pop(key, (0, self._successes))
        if tries + 1 >= TRIES_ALONE and self._successes > since:
            return True
        if len(self._alone) < LARGEST_BATCH:
            self._alone[key] = (tries + 1, since)
        return False

    def _name(self) -> str:
        return type(self.exporter).__name__


_exporters: Final = each_in_forked_child(SpooledExporter.restart)
