"""Our trace files and the real Collector's: each reads what the other writes."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from agent.servers.collector import collector_program
from agent.servers.process import SupervisedProcess
from tracing.backends.otlp import otlp_target
from tracing.config import TracingConfig
from tracing.history import History, read, to_spans
from tracing.spans.model import Event, Link, Span, SpanKind, StatusCode
from tracing.tracefile.compression import Compression
from tracing.tracefile.names import run_name
from tracing.tracefile.read import read_trace
from tracing.tracefile.send import SendResult, send
from tracing.tracefile.write import write_trace

if TYPE_CHECKING:
    from tests.e2e.conftest import CollectorFactory, Eventually

pytestmark = pytest.mark.e2e

HISTORIES = Path(__file__).parents[1] / "data"
START = 1_790_000_000_000_000_000

SPANS = [
    Span(
        trace_id=0x0AF7651916CD43DD8448EB211C80319C,
        span_id=0xB7AD6B7169203331,
        parent_id=None,
        name="RunWorkflow:Research “tides”",
        kind=SpanKind.SERVER,
        start=START,
        end=START + 9_000_000_007,
        attributes={
            "text": "Gezeiten\n\x01",
            "int": -(2**62),
            "double": 0.1,
            "true": True,
            "tags": ("a", "b"),
            "none": (),
        },
        status=StatusCode.OK,
        links=(Link(0xD1, 0xE2, {"temporalRunID": "base"}),),
        resource={"service.name": "research-agent"},
    ),
    Span(
        trace_id=0x0AF7651916CD43DD8448EB211C80319C,
        span_id=0xB7AD6B7169203332,
        parent_id=0xB7AD6B7169203331,
        name="chat gpt-4o",
        kind=SpanKind.CLIENT,
        start=START + 1,
        end=START + 2,
        attributes={},
        status=StatusCode.ERROR,
        status_message="rate limited",
        events=(Event("exception", START + 2, {"exception.type": "RateLimitError"}),),
        resource={"service.name": "research-agent"},
        scope="openai",
    ),
]
OPEN = Span(0xA2, 0xB1, None, "RunWorkflow:Research", SpanKind.SERVER, START, None, {})


def test_the_collector_gets_what_is_sent_and_its_file_reads_as_the_same_spans(
    collector: CollectorFactory, eventually: Eventually
) -> None:
    running = collector()
    assert send([*SPANS, OPEN], otlp_target({}, running.otlp_http)) == SendResult(sent=2, skipped_open=1, batches=1)
    eventually(lambda: list(read_trace(running.traces_file)), SPANS)


@pytest.mark.parametrize("compression", [None, "gzip"])
def test_the_collectors_receiver_reads_our_files(
    tmp_path: Path, eventually: Eventually, compression: Compression | None
) -> None:
    many = [
        Span(0xA1, number, None, "x" * 4_000, SpanKind.INTERNAL, START, START + 1, {}, resource={"n": number % 3})
        for number in range(1, 1201)
    ]
    path = write_trace(tmp_path / "ours", "run", [*SPANS, *many, OPEN], compression=compression)
    content = gzip.decompress(path.read_bytes()) if compression else path.read_bytes()
    assert len(content.splitlines()) > 4  # too many bytes for lines of 500 spans
    with _received(tmp_path, str(path), compression) as theirs:
        eventually(lambda: _by_id(read_trace(theirs)), _by_id([*SPANS, *many, OPEN]))


def test_the_collectors_receiver_reads_what_becomes_of_every_recorded_history(
    tmp_path: Path, eventually: Eventually
) -> None:
    spans: list[Span] = []
    files: list[Path] = []
    for history in read(HISTORIES):
        if isinstance(history, History):
            # Some workflows were recorded in several versions, with the same IDs: each is a run of its own here.
            found = to_spans(
                replace(history, run_id=f"{history.run_id}-{len(files)}"), TracingConfig(capture_content=True)
            )
            files.append(write_trace(tmp_path / "ours", run_name(history.workflow_id, str(len(files))), found))
            spans += found
    assert len(files) == 103
    assert len({(span.trace_id, span.span_id) for span in spans}) == len(spans)
    with _received(tmp_path, str(tmp_path / "ours" / "*.otlp.jsonl"), None) as theirs:
        eventually(lambda: len(list(read_trace(theirs))), len(spans))
        assert _by_id(read_trace(theirs)) == _by_id(spans)


@contextmanager
def _received(folder: Path, include: str, compression: Compression | None) -> Iterator[Path]:
    """A Collector that reads these files; gives the file that it writes what it has read to."""
    theirs = folder / "theirs.otlp.jsonl"
    config = {
        "receivers": {
            "otlp_json_file": {
                "include": [include],
                "start_at": "beginning",
                "include_file_name": False,  # else each span gets an attribute log.file.name
                "compression": compression or "",
            }
        },
        "exporters": {"file": {"path": str(theirs), "flush_interval": "100ms"}},
        "service": {
            "telemetry": {"metrics": {"level": "none"}},
            "pipelines": {"traces": {"receivers": ["otlp_json_file"], "exporters": ["file"]}},
        },
    }
    config_file = folder / "collector.yaml"
    config_file.write_text(json.dumps(config))  # JSON is YAML
    command: list[str | Path] = [collector_program().path, f"--config={config_file}"]
    process = SupervisedProcess("Collector", command, log=folder / "collector.log", environ=dict(os.environ))
    process.start()
    try:
        yield theirs
    finally:
        process.stop()


def _by_id(spans: Iterable[Span]) -> list[Span]:
    return sorted(spans, key=lambda span: (span.trace_id, span.span_id))
