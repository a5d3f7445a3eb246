"""A trace sent to a real Phoenix: what it has, what it lacks, and what it must never get."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from tracing import conventions as c
from tracing.backends.phoenix import phoenix_target
from tracing.identity import run_span_id
from tracing.runs import Attributes
from tracing.spans.model import Span, SpanKind
from tracing.tracefile.read import read_trace
from tracing.tracefile.repair import repair
from tracing.tracefile.send import SendResult, send
from tracing.tracefile.write import write_trace

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.conftest import Eventually

pytestmark = pytest.mark.e2e

S = 1_000_000_000
START = 1_790_000_000 * S


def trace(trace_id: int, run_id: str) -> list[Span]:
    """A run of two activities, the second one still open."""
    run = run_span_id(run_id)
    common: Attributes = {c.WORKFLOW_ID: f"research-{run_id}", c.RUN_ID: run_id, c.SESSION_ID: f"session-{run_id}"}

    def span(number: int, parent: int | None, name: str, times: tuple[int, int | None], kind: str = "CHAIN") -> Span:
        start, end = times
        # Phoenix wants span IDs that no other trace has.
        span_id = run + number & (1 << 64) - 1
        return Span(
            trace_id=trace_id,
            span_id=span_id,
            parent_id=None if parent is None else run + parent & (1 << 64) - 1,
            name=name,
            kind=SpanKind.INTERNAL,
            start=START + start * S,
            end=None if end is None else START + end * S,
            attributes={**common, c.OPENINFERENCE_KIND: kind},
            resource={"service.name": "research-agent"},
        )

    return [
        span(0, None, "RunWorkflow:Research", (0, 9)),
        span(1, 0, "StartActivity:search_web", (1, 3)),
        span(2, 1, "RunActivity:search_web", (2, 3), "TOOL"),
        span(3, 0, "StartActivity:call_llm", (3, None)),
        span(4, 3, "RunActivity:call_llm", (4, 8)),
    ]


def test_phoenix_has_exactly_the_closed_spans_and_repair_finds_nothing(phoenix: str, eventually: Eventually) -> None:
    spans = trace(0xE2E_0001, "run-send")
    target = phoenix_target({"PHOENIX_COLLECTOR_ENDPOINT": phoenix})
    index = target.index
    assert index is not None
    assert index.span_ids(0xE2E_0001) == set()

    assert send(spans, target) == SendResult(sent=4, skipped_open=1, batches=1)
    eventually(lambda: index.span_ids(0xE2E_0001), {span.span_id for span in spans if span.end is not None})

    assert repair(spans, target) == SendResult(skipped_open=1, known=4)


def test_repair_sends_exactly_what_was_lost(phoenix: str, tmp_path: Path, eventually: Eventually) -> None:
    spans = trace(0xE2E_0002, "run-repair")
    target = phoenix_target({"PHOENIX_COLLECTOR_ENDPOINT": phoenix, "PHOENIX_PROJECT_NAME": "repaired"})
    index = target.index
    assert index is not None
    assert send(spans[1:3], target) == SendResult(sent=2, batches=1)
    eventually(lambda: index.span_ids(0xE2E_0002), {span.span_id for span in spans[1:3]})

    exported = [replace(span, end=span.end or START + 9 * S) for span in spans]
    reading = read_trace(write_trace(tmp_path, "run", exported, compression="gzip"))
    assert repair(reading, target) == SendResult(sent=3, known=2, batches=1)
    assert reading.defects == []
    eventually(lambda: index.span_ids(0xE2E_0002), {span.span_id for span in spans})

    assert repair(exported, target) == SendResult(known=5)


def test_a_run_whose_client_was_not_traced_gets_its_root(phoenix: str, eventually: Eventually) -> None:
    run, *steps = trace(0xE2E_0003, "run-root")
    client, request = 0xE2E_0003_C1, 0xE2E_0003_F1
    attributes: Attributes = {
        **run.attributes,
        c.WORKFLOW_TYPE: "Research",
        c.CLIENT_START_TIME: (START - S) // 1_000,
        c.CLIENT_START_PARENT: f"{request:016x}",
    }
    spans = [replace(run, parent_id=client, attributes=attributes), *steps]
    target = phoenix_target({"PHOENIX_COLLECTOR_ENDPOINT": phoenix})
    index = target.index
    assert index is not None

    assert send(spans, target) == SendResult(sent=5, skipped_open=1, batches=1)
    eventually(lambda: index.span_ids(0xE2E_0003), {client, *(span.span_id for span in spans if span.end is not None)})
    assert repair(spans, target) == SendResult(skipped_open=1, known=4)
