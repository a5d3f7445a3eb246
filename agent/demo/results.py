"""What do a demo's traces, histories and costs show?"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from agent.demo.checks import checks
from agent.demo.pairs import Pair, paired
from agent.demo.side import Side
from tracing import TracingConfig
from tracing.backends import target_for
from tracing.cost import Comparison, compare
from tracing.report import write_report
from tracing.tracefile import repair, write_trace

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from agent.demo.exported import ExportedRun
    from agent.demo.stage import Stage
    from agent.demo.story import Story
    from tracing.tracefile import Span


@dataclass(frozen=True)
class Results:
    """What a demo shows.

    Attributes:
        story: What happened.
        sides: The runs that it tells of, each with its replay.
        pairs: Live and exported spans, in the order they began.
        replay_requests: Requests that the model server received during the replays.
        between: The first run against the second, where the story tells of two.
        files: What was written, by kind.
        trace_url: Address of the trace in Phoenix, where it runs.
        repaired: Spans that Phoenix lacked and got from the export.
    """

    story: Story
    sides: Sequence[Side]
    pairs: Sequence[Pair]
    replay_requests: int
    between: Comparison | None = None
    files: Mapping[str, Path] = field(default_factory=dict)
    trace_url: str | None = None
    repaired: int = 0

    def checks(self) -> dict[str, bool]:
        """Each thing that the demo claims, and whether it held in this run."""
        general = checks(self.story, self.sides, self.pairs, replay_requests=self.replay_requests)
        return {**general, **self.story.checks}


async def conclude(stage: Stage, story: Story, folder: Path) -> Results:
    """Export the runs, compare live and exported spans, replay, account, and write all files."""
    progress = stage.progress
    config = TracingConfig(capture_content=True)
    with progress.step("Exporting the history"):
        exported = [await told.source.export(config) for told in story.told]
        runs = [run for side in exported for run in side]
        spans = [span for run in runs for span in run.spans]
        files = _write_runs(folder, runs)
    with progress.step("Stopping the Collector, which writes what it has"):
        live = stage.collected(span.trace_id for span in spans)
    trace_url, repaired = _repair(stage, spans)
    with progress.step("Replaying the history"):
        asked_before = len(await stage.control().requests())
        # One after the other, in the order in which they began: so their steps are found again.
        replays = [[await run.replay(config) for run in side] for side in exported]
        replay_requests = len(await stage.control().requests()) - asked_before
    for run, replay in zip(runs, (each for side in replays for each in side), strict=True):
        files.setdefault("replay", write_trace(folder, f"{run.name}-replay", replay.spans))
    sides = [
        Side.of(told.label, side, replayed, story)
        for told, side, replayed in zip(story.told, exported, replays, strict=True)
    ]
    between = compare(sides[0].account, sides[1].account) if len(sides) > 1 else None
    files["comparison"] = folder / "compare.json"
    files["comparison"].write_text(json.dumps((between or sides[0].comparison).as_json(), indent=2) + "\n")
    files["report"] = write_report(folder / "report.html", spans, between or sides[0].comparison, title=story.title)
    return Results(
        story=story,
        sides=sides,
        pairs=paired(live, spans),
        replay_requests=replay_requests,
        between=between,
        files=files,
        trace_url=trace_url,
        repaired=repaired,
    )


def _write_runs(folder: Path, runs: Sequence[ExportedRun]) -> dict[str, Path]:
    """Write a trace and a history of each run; the first of each kind."""
    files: dict[str, Path] = {}
    for run in runs:
        files.setdefault("trace", write_trace(folder, run.name, run.spans))
        history = run.write_history(folder)
        if history is not None:
            files.setdefault("history", history)
    return files


def _repair(stage: Stage, spans: Sequence[Span]) -> tuple[str | None, int]:
    """Send Phoenix what the killed worker took with it; the trace's address there."""
    if stage.phoenix is None:
        return None, 0
    with stage.progress.step("Sending Phoenix the spans that the killed worker took with it"):
        target = target_for("phoenix", {**os.environ, "PHOENIX_COLLECTOR_ENDPOINT": stage.phoenix.base_url})
        result = repair(spans, target)
    url = target.trace_url(spans[0].trace_id) if target.trace_url else None
    return url, result.sent
