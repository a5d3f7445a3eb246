"""Real DBOS in this process, on SQLite, traced live: what came live, and what the exporter makes of the database."""

from __future__ import annotations

import re
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from dbos import DBOS, DBOSPortableJSONSerializer
from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.rendering import render
from tracing import TracingConfig, trace_dbos
from tracing import conventions as c
from tracing.dbos import Reader, connect, convert
from tracing.dbos_live.install import DBOSTracing, installed
from tracing.live.delivery.sdk_spans import from_sdk_span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from dbos import DBOSConfig, Serializer
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.sdk.trace.sampling import Sampler

    from tracing.spans.model import Span

ON, OFF = TracingConfig(capture_content=True), TracingConfig()
SHOWN = (c.ATTEMPT, c.ATTEMPTS, c.ERROR_TYPE, c.LLM_CALLS, c.UNRECORDED, c.REUSED)


@dataclass
class Live:
    """What a test works with."""

    url: str
    config: TracingConfig
    tracing: DBOSTracing
    exporter: InMemorySpanExporter

    def launch(self, *, pickles: bool = False, serializer: Serializer | None = None, version: str = "1.0") -> None:
        """Let DBOS run; all functions have been decorated. Results are stored as JSON, as pickles, or otherwise."""
        config: DBOSConfig = {
            "name": "researcher",
            "system_database_url": self.url,
            "serializer": None if pickles else serializer or DBOSPortableJSONSerializer(),
            "application_version": version,
            "log_level": "CRITICAL",
            "notification_listener_polling_interval_sec": 0.05,
        }
        DBOS(config=config)
        DBOS.launch()

    def spans(self, workflow_id: str) -> list[Span]:
        """What came live of a workflow; no span came twice."""
        assert self.tracing.flush(30)
        spans = [from_sdk_span(span) for span in self.exporter.get_finished_spans()]
        own = [span for span in spans if span.attributes.get(c.WORKFLOW_ID) == workflow_id]
        assert len({span.span_id for span in own}) == len(own), "a span came twice"
        return own

    def exported(self, workflow_id: str, *, serializer: Serializer | None = None) -> list[Span]:
        """What the exporter makes of a workflow."""
        with connect(self.url) as database:
            converted = convert(Reader(database, serializer), workflow_id, self.config)
        assert converted is not None
        return converted.spans


@contextmanager
def traced(
    url: str,
    config: TracingConfig = ON,
    *,
    sampler: Sampler | None = None,
    meter_provider: MeterProvider | None = None,
    serializer: Serializer | None = None,
) -> Iterator[Live]:
    """Trace what is decorated inside; DBOS knows nothing of it afterwards."""
    for other in list(installed):
        other.remove()
    exporter = InMemorySpanExporter()
    provider = TracerProvider(sampler, Resource({"service.name": "researcher"}))
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    meters = meter_provider or NoOpMeterProvider()  # not the process's, which another test may have set
    tracing = trace_dbos(url, config, tracer_provider=provider, meter_provider=meters, serializer=serializer)
    try:
        yield Live(url, config, tracing, exporter)
    finally:
        DBOS.destroy(destroy_registry=True)
        tracing.remove()


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a machine that is busy, too, workflows are traced from their beginning."""
    monkeypatch.setattr("tracing.dbos_live.process.BEGIN_SECONDS", 60.0)


@pytest.fixture
def url(tmp_path: Path) -> str:
    """URL of a database that DBOS may make."""
    return f"sqlite:///{tmp_path / 'agent.sqlite'}"


@pytest.fixture
def live(url: str) -> Iterator[Live]:
    """DBOS, traced with content."""
    with traced(url) as running:
        yield running


def tree(spans: Iterable[Span]) -> str:
    """Spans as a tree, with what tells attempts apart."""
    return short(f"\n{render(spans, only=SHOWN, times=False)}\n")


def short(text: str) -> str:
    """Names of functions without that of the test around them."""
    return re.sub(r"\btest_\w+\.<locals>\.", "", text)


def assert_same(live: list[Span], exported: list[Span]) -> None:
    """Both readers tell the same, to the last attribute; only what a fork took over was never live."""
    came = {span.span_id: _facts(span) for span in live}
    read = {span.span_id: _facts(span) for span in exported if not span.attributes.get(c.REUSED)}
    assert came == read


def _facts(span: Span) -> dict[str, object]:
    facts: defaultdict[str, object] = defaultdict()
    for name in ("trace_id", "parent_id", "name", "kind", "start", "end", "status", "status_message", "links"):
        facts[name] = getattr(span, name)
    return {**facts, "attributes": dict(span.attributes), "events": [event.name for event in span.events]}
