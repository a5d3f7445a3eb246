"""How does a user learn that spans do not arrive, once and with what to do?"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import urlsplit

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from tracing.config import logger
from tracing.live.delivery.drops import Reason, drops

SHUTDOWN_SECONDS: Final = 5.0
"""How long a process that ends waits for its last spans to be exported."""


_SYSTEM: Final = re.compile(r"\[Errno -?\d+\] ([^\"')]+)")
_MEND: Final = "Start a Collector there, or set OTEL_EXPORTER_OTLP_ENDPOINT to one that runs"
_NO_SCHEME: Final = "No connection adapters were found"
_SERVER: Final = re.compile(r"Transient error (.+) encountered while|reason: (.+)")


class Keeper(Protocol):
    """What keeps spans that do not arrive: a spool."""

    folder: Path

    def waiting(self) -> int:
        """How many spans it keeps."""


class ReportingExporter(SpanExporter):
    """Exports by another exporter, and says of its failures what a user needs: the first, and how many spans in all.

    Args:
        exporter: The exporter.
        endpoint: Where it exports to; credentials and query are not shown.
        log: Name of the exporter's own logger. What it says of every try is passed on as debug messages of ours.
        mend: What the user can do when spans do not arrive there.

    Attributes:
        kept: What keeps the spans that do not arrive, so that they are not lost; None where they are.
        lost: Spans that were lost.
    """

    def __init__(self, exporter: SpanExporter, endpoint: str, log: str, mend: str = _MEND) -> None:
        self._exporter = exporter
        self._mend = mend
        self._endpoint = without_secrets(endpoint)
        self._words = _words_of(log)
        self._lock = threading.Lock()
        self._exporting = 0
        self._warned = False
        self.kept: Keeper | None = None
        self.lost = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Export a batch; an exporter that raises has failed."""
        self._exporting = len(spans)
        self._words.last = ""
        try:
            result = self._exporter.export(spans)
        except Exception as error:  # noqa: BLE001 - tracing must never raise into the agent
            self._words.last = f"{type(error).__name__}: {error}"
            result = SpanExportResult.FAILURE
        self._end(lost=result is not SpanExportResult.SUCCESS)
        return result

    def shutdown(self) -> None:
        """Stop the exporter; a batch that it is exporting even now is lost."""
        self._end(lost=True)
        self._exporter.shutdown()

    def report(self, left: int) -> None:
        """Say how many spans did not arrive, if any.

        Args:
            left: Spans that were never handed over.
        """
        if left:
            self._lose(left, "shutdown")
        if self.lost:
            logger.warning("%d spans were not exported to %s.", self.lost, self._endpoint)
        waiting = self.kept.waiting() if self.kept is not None else 0
        if waiting and self._warned and self.kept is not None:
            logger.warning(
                "%d spans were not exported to %s. They are in %s: the next process that uses this spool sends them.",
                waiting,
                self._endpoint,
                self.kept.folder,
            )

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """See the SDK."""
        return self._exporter.force_flush(timeout_millis)

    def lose_queued(self) -> None:
        """A span was pushed out of the full queue before this exporter."""
        self._lose(1, "queue_full")

    def _end(self, *, lost: bool) -> None:
        # A batch ends once: when its export returns, or when the shutdown does not wait for it any longer.
        with self._lock:
            count, self._exporting = self._exporting, 0
        if lost and count:
            self._lose(count, "export_failed")

    def _lose(self, count: int, reason: Reason) -> None:
        if self.kept is None:
            self.lost += count
            drops.add(reason, count)
        if not self._warned:
            self._warned = True
            logger.warning(
                "Spans do not arrive at %s (%s). The agent goes on. %s; `durable-trace doctor` checks it, and %s.",
                self._endpoint,
                reason_of(self._words.last),
                self._mend,
                "`durable-trace export --repair` puts back what is missing"
                if self.kept is None
                else f"the spool {self.kept.folder} keeps them until they do",
            )


class PromptBatchProcessor(BatchSpanProcessor):
    """The SDK's batch processor, whose shutdown waits for a few seconds only, so that supervisors need not kill it."""

    def __init__(self, exporter: ReportingExporter) -> None:
        super().__init__(exporter)
        self._reporting = exporter

    def on_end(self, span: ReadableSpan) -> None:
        """Queue a span. The SDK drops the oldest of a full queue; here it is counted, and said once."""
        batch = self._batch_processor
        queued = span.context is not None and span.context.trace_flags.sampled
        # A spool stands before the queue where there is one, and lets no span in that has no room.
        if queued and self._reporting.kept is None and len(batch._queue) >= batch._max_queue_size:  # noqa: SLF001 - nothing public says it
            self._reporting.lose_queued()
        super().on_end(span)

    def shutdown(self) -> None:
        """Export what is queued, for at most :data:`SHUTDOWN_SECONDS`, and say what did not arrive."""
        # The SDK's own method takes no timeout (30 s), and does not say what it leaves in its queue.
        self._batch_processor.shutdown(timeout_millis=int(SHUTDOWN_SECONDS * 1000))
        self._reporting.report(left=len(self._batch_processor._queue))  # noqa: SLF001 - see above


class _Words(logging.Filter):
    """Keeps an exporter's last words for our own message, and the rest from the user's terminal."""

    def __init__(self) -> None:
        super().__init__()
        self.last = ""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING:
            return True
        words = record.getMessage()
        logger.debug("%s", words)
        if "max retries or shutdown" not in words and "aborting retry" not in words:
            # These two say that it gave up; the one before says why.
            self.last = words
        return False


@cache
def _words_of(log: str) -> _Words:
    """The one filter of a logger, for the process's life: exporters still speak while they are shut down."""
    words = _Words()
    logging.getLogger(log).addFilter(words)
    return words


def reason_of(words: str) -> str:
    """Of an exporter's words those of the operating system or of the server, where they are found in them."""
    if _NO_SCHEME in words:
        return "its address does not begin with http:// or https://"
    found = _SYSTEM.search(words) or _SERVER.search(words)
    return (next(filter(None, found.groups())) if found else words).rstrip(".") or "no answer"


def without_secrets(endpoint: str) -> str:
    """An address without user, password, query and fragment."""
    parts = urlsplit(endpoint if "://" in endpoint else f"//{endpoint}")
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl().removeprefix("//")
