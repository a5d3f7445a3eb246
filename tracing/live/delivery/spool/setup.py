"""How does a tracer provider get a spool?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter

from tracing.config import TracingConfig, logger
from tracing.live.delivery.drops import drops
from tracing.live.delivery.exporter import ReportingExporter
from tracing.live.delivery.processors import AroundProcessor, add_processor
from tracing.live.delivery.spool.delivery import SpooledExporter
from tracing.live.delivery.spool.folder import usable_folder
from tracing.live.delivery.spool.registry import set_spool, spool_of
from tracing.live.delivery.spool.starts import StartNotes
from tracing.live.delivery.spool.store import Spool
from tracing.live.delivery.spool.upkeep import Upkeep
from tracing.live.failopen import fail_open


def add_spool(provider: TracerProvider, config: TracingConfig) -> None:
    """Give a provider the spool that the settings ask for, if they do; once for each provider.

    The exporters that it has now are those that spans are kept for. It must have been prepared.
    """
    if not config.spool or spool_of(provider) is not None:
        return
    with fail_open("the setup of the spool"):
        folder = usable_folder(config.spool)
        if folder is None:
            return
        processors = list(_exporting(provider._active_span_processor))  # noqa: SLF001 - there is no other way to see them
        if not processors:
            logger.warning(
                "The tracer provider has no exporter yet that a spool could be put before: spans are not kept on disk. "
                "Call tracing.configure() after provider.add_span_processor(), and set OTEL_TRACES_EXPORTER to other "
                "than none."
            )
            return
        try:
            spool = Spool(folder, config.spool_max_bytes)
        except OSError as error:
            logger.warning(
                "The spool folder %s cannot be used (%s): spans are not kept on disk.", folder, error.strerror or error
            )
            return
        for processor in processors:
            _put_before(processor, spool)
        set_spool(provider, spool)
        add_processor(provider, StartNotes(spool))
        Upkeep(spool)


def _exporting(processor: SpanProcessor) -> Iterator[SpanProcessor]:
    """The processors within a processor that hand spans to an exporter."""
    if isinstance(processor, AroundProcessor):
        processor = processor.inner
    for member in getattr(processor, "_span_processors", ()):
        yield from _exporting(member)
    if isinstance(getattr(processor, "span_exporter", None), SpanExporter):
        yield processor


def _put_before(processor: Any, spool: Spool) -> None:
    """Put the spool before a processor's exporter, and before its queue where it has one."""
    exporter = SpooledExporter(processor.span_exporter, spool, queued=isinstance(processor, BatchSpanProcessor))
    if isinstance(exporter.exporter, ReportingExporter):
        exporter.exporter.kept = spool
    if isinstance(processor, BatchSpanProcessor):
        batch = processor._batch_processor  # noqa: SLF001 - spans must be written before they are queued
        batch._exporter = exporter  # noqa: SLF001
        processor._batch_processor = _Gate(batch, exporter, spool)  # type: ignore[assignment] # noqa: SLF001
    else:
        processor.span_exporter = exporter


class _Gate:
    """Stands before the queue of the SDK's batch processor: writes each span down, and knows when the queue is full."""

    def __init__(self, batch: Any, exporter: SpooledExporter, spool: Spool) -> None:
        self._batch = batch
        self._exporter = exporter
        self._spool = spool

    def emit(self, span: ReadableSpan) -> None:
        """Queue a span; where there is no room, it is left to the spool alone."""
        kept = False
        with fail_open("the spool"):
            kept = self._spool.keep(span, self._exporter.holder)
        batch = self._batch
        if batch._shutdown:  # noqa: SLF001 - it takes nothing any more, and the next start will send it
            drops.add("shutdown", 0 if kept else 1)
        elif len(batch._queue) < batch._max_queue_size:  # noqa: SLF001 - the SDK would drop another span, and not say which
            batch.emit(span)
        else:
            self._exporter.full(span)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)
