"""A provider with a spool and an exporter that does as the test says; and such a provider in a process to be killed."""

from __future__ import annotations

import concurrent.futures.thread  # noqa: F401 - as in tracing.live.delivery.providers, before there is a provider
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from tracing.config import TracingConfig
from tracing.live.attempts.recorder import prepare_provider
from tracing.live.delivery.spool.registry import spool_of
from tracing.live.delivery.spool.setup import add_spool

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.sdk.trace import ReadableSpan

    from tracing.live.delivery.spool.store import Spool

WAIT_SECONDS = 30.0
ROOT = Path(__file__).parents[3]


def eventually(reached: Callable[[], bool]) -> None:
    """Wait for what other threads and processes do."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not reached() and time.monotonic() < deadline:
        time.sleep(0.005)
    assert reached()


@dataclass
class Backend(SpanExporter):
    """Where spans arrive; while it is not `up`, none does, and those that it `refuses` never do."""

    up: bool = True
    refuses: set[str] = field(default_factory=set)
    spans: list[ReadableSpan] = field(default_factory=list)
    batches: list[list[str]] = field(default_factory=list)
    asked: threading.Event = field(default_factory=threading.Event)
    answers: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.answers.set()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.asked.set()
        assert self.answers.wait(WAIT_SECONDS)
        self.batches.append([span.name for span in spans])
        if not self.up or self.refuses & {span.name for span in spans}:
            return SpanExportResult.FAILURE
        self.spans += spans
        return SpanExportResult.SUCCESS

    @property
    def names(self) -> list[str]:
        """Names of the spans that arrived."""
        return [span.name for span in self.spans]


@dataclass
class Spooled:
    """A provider with a spool in a folder."""

    folder: Path
    backend: Backend = field(default_factory=Backend)
    max_bytes: int = 256 << 20
    queue: int = 2_048

    def __post_init__(self) -> None:
        self.provider = TracerProvider(resource=Resource({"service.name": "agents"}), shutdown_on_exit=False)
        # It exports when it is told to: nothing here depends on how fast.
        self.processor = BatchSpanProcessor(
            self.backend, schedule_delay_millis=10_000_000, max_queue_size=self.queue, max_export_batch_size=self.queue
        )
        self.provider.add_span_processor(self.processor)
        prepare_provider(self.provider)
        add_spool(self.provider, TracingConfig(spool=str(self.folder), spool_max_bytes=self.max_bytes))

    @property
    def spool(self) -> Spool:
        spool = spool_of(self.provider)
        assert spool is not None
        return spool

    def span(self, *names: str) -> None:
        """Spans that end."""
        for name in names:
            self.provider.get_tracer("test").start_span(name).end()

    def flush(self) -> None:
        """Export what is queued."""
        self.processor.force_flush()

    def taken_over(self) -> None:
        """Wait until everything of the dead is taken over: a process that ends sooner leaves the rest to the next."""
        eventually(lambda: "durable-trace-spool-takeover" not in {thread.name for thread in threading.enumerate()})

    def close(self) -> None:
        """End as a process does that ends itself."""
        self.provider.shutdown()


def files(folder: Path) -> list[str]:
    """What is in a spool folder, by suffix."""
    return sorted(path.suffix.removeprefix(".") for path in folder.iterdir())


def wire(spans: list[ReadableSpan]) -> list[bytes]:
    """Spans as an exporter sends them."""
    return [encode_spans([span]).SerializeToString(deterministic=True) for span in spans]


class Killed:
    """A process that uses a folder, runs some code up to its end, and is killed there."""

    def __init__(self, folder: Path, code: str) -> None:
        program = f"""
            from pathlib import Path
            from tests.live.delivery.spooling import *
            spooled = Spooled(Path({str(folder)!r}), Backend(up=False))
            {{code}}
            print("ready", flush=True)
            input()
        """
        program = textwrap.dedent(program).format(code=textwrap.dedent(code).strip())
        self.process = subprocess.Popen(
            [sys.executable, "-c", program], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout
        self.said: list[str] = []
        for line in self.process.stdout:
            if line == "ready\n":
                break
            self.said.append(line.strip())

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            assert stream
            stream.close()
