"""What a user is told of spans that do not arrive: the first failure with what to do, and how many in the end."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from tracing.live.delivery import exporter as exporting
from tracing.live.delivery.exporter import PromptBatchProcessor, ReportingExporter

LOG = "opentelemetry.exporter.of.the.test"
HOW_TO_MEND = (
    "The agent goes on. Start a Collector there, or set OTEL_EXPORTER_OTLP_ENDPOINT to one that runs; "
    "`durable-trace doctor` checks it, and `durable-trace export --repair` puts back what is missing."
)


class Scripted(SpanExporter):
    """Does as the test says with each batch."""

    def __init__(self, export: Callable[[], SpanExportResult]) -> None:
        self._export = export

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        assert spans
        return self._export()


def traced(export: Callable[[], SpanExportResult], *batches: int) -> None:
    """Export batches of so many spans, and shut down."""
    processor = PromptBatchProcessor(
        ReportingExporter(Scripted(export), "https://key:secret@collector:4318/v1/traces?token=1", LOG)
    )
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(processor)
    tracer = provider.get_tracer("test")
    for batch in batches:
        for _ in range(batch):
            tracer.start_span("chat gpt-4o").end()
        provider.force_flush()
    provider.shutdown()


def fails(words: str, *arguments: object) -> Callable[[], SpanExportResult]:
    def export() -> SpanExportResult:
        logging.getLogger(LOG).error(words, *arguments)
        return SpanExportResult.FAILURE

    return export


def test_spans_that_arrive_are_not_worth_a_word(tracing_log: list[str]) -> None:
    traced(lambda: SpanExportResult.SUCCESS, 2, 1)
    assert tracing_log == []


REFUSED = (
    "Transient error HTTPConnectionPool(host='collector', port=4318): Max retries exceeded (Caused by "
    'NewConnectionError("[Errno 111] Connection refused")) encountered while exporting spans batch, '
    "retrying in 0.93s."
)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("Failed to export spans batch code: 401, reason: Unauthorized", "Unauthorized"),
        (REFUSED, "Connection refused"),
        (
            "Transient error Service Unavailable encountered while exporting spans batch, retrying in 1.02s.",
            "Service Unavailable",
        ),
        (
            "Failed to export span batch: No connection adapters were found for 'collector:4318/v1/traces'",
            "its address does not begin with http:// or https://",
        ),
        ("Dropping span batch: it exceeds max_request_size.", "Dropping span batch: it exceeds max_request_size"),
    ],
)
def test_the_first_failure_says_why_and_what_to_do_and_the_last_word_is_how_many(
    words: str, reason: str, tracing_log: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    traced(fails(words), 2, 3)
    assert tracing_log == [
        f"Spans do not arrive at https://collector:4318/v1/traces ({reason}). {HOW_TO_MEND}",
        "5 spans were not exported to https://collector:4318/v1/traces.",
    ]
    assert capsys.readouterr().err == ""  # the exporter's own words are kept back


def test_an_exporter_that_raises_has_failed(tracing_log: list[str]) -> None:
    def export() -> SpanExportResult:
        raise ValueError("no such certificate")

    traced(export, 1)
    assert tracing_log == [
        f"Spans do not arrive at https://collector:4318/v1/traces (ValueError: no such certificate). {HOW_TO_MEND}",
        "1 spans were not exported to https://collector:4318/v1/traces.",
    ]


def test_what_an_exporter_gives_no_answer_to_is_counted_and_not_waited_for(
    tracing_log: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "SHUTDOWN_SECONDS", 0.05)
    asked, answered = threading.Event(), threading.Event()

    def export() -> SpanExportResult:
        asked.set()
        answered.wait()
        return SpanExportResult.FAILURE

    processor = PromptBatchProcessor(ReportingExporter(Scripted(export), "http://collector:4318/v1/traces", LOG))
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(processor)
    tracer = provider.get_tracer("test")
    tracer.start_span("exported when it ends").end()
    flushing = threading.Thread(target=provider.force_flush)
    flushing.start()
    asked.wait()
    tracer.start_span("still queued").end()
    provider.shutdown()
    answered.set()
    flushing.join()

    assert tracing_log == [
        f"Spans do not arrive at http://collector:4318/v1/traces (no answer). {HOW_TO_MEND}",
        "2 spans were not exported to http://collector:4318/v1/traces.",
    ]
