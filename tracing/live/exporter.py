"""How does a user learn that spans do not arrive, once and with what to do?"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Sequence
from functools import cache
from typing import Final
from urllib.parse import urlsplit

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from tracing.config import logger

SHUTDOWN_SECONDS: Final = 5.0
"""How long a process that ends waits for its last spans to be exported."""


_SYSTEM: Final = re.compile(r"\[Errno -?\d+\] ([^\"')]+)")
_SERVER: Final = re.compile(r"Transient error (.+) encountered while|reason: (.+)")


class ReportingExporter(SpanExporter):
    """Exports by another exporter, and says of its failures what a user needs: the first, and how many spans in all.

    Args:
        exporter: The exporter.
        endpoint: Where it exports to; credentials and query are not shown.
        log: Name of the exporter's own logger. What it says of every try is passed on as debug messages of ours.
    """

    def __init__(self, exporter: SpanExporter, endpoint: str, log: str) -> None:
        self._exporter = exporter
        self._endpoint = _without_secrets(endpoint)
        self._words = _words_of(log)
        self._lock = threading.Lock()
        self._exporting = 0
        self._warned = False
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
            self._lose(left)
        if self.lost:
            logger.warning("%d spans were not exported to %s.", self.lost, self._endpoint)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """See the SDK."""
        return self._exporter.force_flush(timeout_millis)

    def _end(self, *, lost: bool) -> None:
        # A batch ends once: when its export returns, or when the shutdown does not wait for it any longer.
        with self._lock:
            count, self._exporting = self._exporting, 0
        if lost and count:
            self._lose(count)

    def _lose(self, count: int) -> None:
        self.lost += count
        if not self._warned:
            self._warned = True
            logger.warning(
                "Spans do not arrive at %s (%s). The agent goes on. Start a Collector there, or set "
                "OTEL_EXPORTER_OTLP_ENDPOINT to one that runs; `durable-trace doctor` checks it, and "
                "`durable-trace export --repair` puts back what is missing.",
                self._endpoint,
                _reason(self._words.last),
            )


class PromptBatchProcessor(BatchSpanProcessor):
    """The SDK's batch processor, whose shutdown waits for a few seconds only, so that supervisors need not kill it."""

    def __init__(self, exporter: ReportingExporter) -> None:
        super().__init__(exporter)
        self._reporting = exporter

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


def _reason(words: str) -> str:
    """Of an exporter's words those of the operating system or of the server, where they are found in them."""
    found = _SYSTEM.search(words) or _SERVER.search(words)
    return (next(filter(None, found.groups())) if found else words).rstrip(".") or "no answer"


def _without_secrets(endpoint: str) -> str:
    parts = urlsplit(endpoint if "://" in endpoint else f"//{endpoint}")
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl().removeprefix("//")
