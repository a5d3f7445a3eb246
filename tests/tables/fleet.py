"""Runs for the tests of tables: written by hand, so that each number of a query can be added up on paper."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow.parquet as pq
from msgspec.structs import replace

from tests.cost.runs import KILLED_RUN_TIMEOUTS, REFUSED, Attempt, Call, RecordedRun, at, killed_run
from tracing import conventions as c
from tracing.config import TracingConfig
from tracing.identity import run_trace_id, step_span_id
from tracing.replay import Replay, ReplayedStep, replay_spans
from tracing.spans.model import Link
from tracing.tables import Tables, write_tables
from tracing.tracefile import write_trace

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import Any

    from tracing.spans.model import Span

SUPPORT = "SupportWorkflow"
DAY = 86_400.0


def told(spans: Sequence[Span], *, session: str, user: str = "", tags: tuple[str, ...] = ()) -> list[Span]:
    """Spans that say session, user and tags, as all spans of a run do."""
    said = {c.SESSION_ID: session, **({c.USER_ID: user} if user else {}), **({c.TAGS: tags} if tags else {})}
    return [replace(span, attributes=span.attributes | said) for span in spans]


def research() -> list[Span]:
    """The worked example of docs/cost.md: 0.02649 USD at least, of which 0.0022675 were wasted."""
    return told(killed_run().spans(timeouts=KILLED_RUN_TIMEOUTS), session="chat-17", user="ada", tags=("beta", "eu"))


def reset(run_id: str = "run-2", *, base: str = "run-1") -> list[Span]:
    """A reset of `research`: three steps are reused, whose results had cost 0.01271 USD; the fourth fails."""
    run = RecordedRun(run_id)
    for key, type_, begin, end in (("1", "call_llm", 1, 4), ("2", "search_web", 4, 6), ("3", "call_llm", 6, 20)):
        taken = Link(run_trace_id(base), step_span_id(base, "activity", key), {c.RUN_ID: base})
        run.step(type_, begin, end, reused=True, links=(taken,), activity_id=key)
    refused = [Call(101, 103, 0.25, 100, 10)]
    run.step("call_llm", 100, 104, Attempt(100.5, 103, refused, failure=REFUSED), failure=REFUSED, activity_id="4")
    return told(run.spans(105, status="failed", failure=REFUSED), session="chat-17", user="ada", tags=("beta",))


def support() -> list[Span]:
    """A run of two models on two days: 0.5 USD by one, unknown by the other."""
    run = (
        RecordedRun("run-3", workflow_id="support-1", workflow_type=SUPPORT)
        .step("answer", 0, 10, Attempt(2, 9, [Call(2.5, 8.5, 0.5, 1000, 50, cached=200, reasoning=20)]))
        .step(
            "answer",
            DAY,
            DAY + 30,
            Attempt(DAY + 4, DAY + 29, [Call(DAY + 5, DAY + 28, None, 70, 7, model="llama-4", provider="vllm")]),
        )
    )
    return told(run.spans(DAY + 40), session="chat-18", user="bob", tags=("eu",))


def lost_calls() -> list[Span]:
    """A run still open, of nobody. Of two calls one lost its span: the attempt's sums tell of it."""
    calls = [Call(1.5, 2, 0.125, 10, 1), Call(2, 3, 0.0625, 20, 2)]
    spans = (
        RecordedRun("run-4", workflow_id="support-2", workflow_type=SUPPORT)
        .step("answer", 1, 4, Attempt(1.25, 3.5, calls))
        .step("answer", 5, None, Attempt(6, None))
        .spans(None, status="running")
    )
    return [span for span in spans if span.attributes.get(c.USAGE_INPUT) != 20]


def replay() -> list[Span]:
    """A replay of `research`: five steps reused, whose results had cost 0.0242225 USD."""
    steps = tuple(
        ReplayedStep("activity", type_, str(number), 1, at(1000 + number), at(1000.5 + number))
        for number, type_ in enumerate(("call_llm", "search_web", "call_llm", "call_llm", "generate_report"), 1)
    )
    return replay_spans(
        Replay(
            replay_id="replay-1",
            namespace="default",
            workflow_id="research-1",
            run_id="run-1",
            workflow_type="ResearchAgentWorkflow",
            outcome="reproduced",
            message="",
            started=at(1000),
            duration=10_000_000_000,
            steps=steps,
        ),
        research(),
        TracingConfig(),
    )


FLEET = {"research": research, "reset": reset, "support": support, "lost": lost_calls, "replay": replay}


def write_fleet(folder: Path) -> Path:
    """Write each run into a trace file of its own; returns the folder."""
    for name, spans in FLEET.items():
        write_trace(folder, name, spans())
    return folder


def tables_of(out: Path, *traces: Sequence[Span], **options: Any) -> Tables:
    """Tables of some spans, a trace file for each of the lists given."""
    for number, spans in enumerate(traces):
        write_trace(out / "traces", f"trace-{number}", spans)
    return write_tables(out / "traces", out / "tables", **options)


def rows(folder: Path, table: str, *columns: str) -> list[tuple[Any, ...]]:
    """The rows of a table, as some of its columns have them."""
    found = pq.read_table(folder / table, columns=list(columns)).to_pylist()
    return [tuple(row[column] for column in columns) for row in found]


def contents(folder: Path) -> dict[str, bytes]:
    """The bytes of all files of a folder, by their paths in it."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
