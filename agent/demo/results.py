"""What do the demo's traces, histories and costs show, and do they hold?"""

from __future__ import annotations

import json
import os
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from temporalio.client import Client

from agent.demo.pairs import Pair, paired
from agent.research.workflow import ResearchAgentWorkflow
from tracing import TracingConfig
from tracing.backends import target_for
from tracing.cost import Comparison, account, compare
from tracing.history import History, read, to_spans
from tracing.replay import Replay, replay, replay_spans
from tracing.report import write_report
from tracing.tracefile import read_trace, repair, run_name, write_history, write_trace

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from agent.demo.stage import Stage
    from agent.demo.story import Story
    from tracing.tracefile import Span


@dataclass(frozen=True)
class Results:
    """What the demo shows.

    Attributes:
        story: What happened.
        spans: Exported spans.
        pairs: Live and exported spans, in the order they began.
        replay: What the replay came to.
        replay_requests: Requests that the model server received during the replay.
        comparison: The run against its replay.
        requests: Requests at the model server, by activity ID.
        files: What was written, by kind.
        trace_url: Address of the trace in Phoenix, where it runs.
        repaired: Spans that Phoenix lacked and got from the export.
    """

    story: Story
    spans: Sequence[Span]
    pairs: Sequence[Pair]
    replay: Replay
    replay_requests: int
    comparison: Comparison
    requests: Mapping[str, int]
    files: Mapping[str, Path] = field(default_factory=dict)
    trace_url: str | None = None
    repaired: int = 0

    def checks(self) -> dict[str, bool]:
        """Each thing that the demo claims, and whether it held in this run."""
        before = self.story.completed_before_kill
        asked = {activity_id: self.requests.get(activity_id, 0) for activity_id in before}
        tried = {step.key: len(step.attempts) + step.missing_attempts for step in self.comparison.first.steps}
        return {
            "each model call whose completion was in the history was made exactly once": all(
                count <= 1 for count in asked.values()
            ),
            "the model server counted one request for each attempt, none besides": all(
                count <= tried.get(f"activity:{activity_id}", 0) for activity_id, count in self.requests.items()
            ),
            "every live span is in the export, with the same IDs, parent, name, start and attributes": all(
                pair.exported is not None and not pair.differences for pair in self.pairs
            ),
            "tokens and calls of the account are those that the model server gave": self._usage_holds(),
            "the replay took every result from history": self.replay.outcome == "reproduced",
            "the replay made no model call": self.replay_requests == 0,
        }

    def _usage_holds(self) -> bool:
        given = [request.usage for request in self.story.requests if request.usage and request.state == "answered"]
        usage = self.comparison.first.usage
        unknown = self.comparison.first.unknown_attempts
        if unknown:
            # An attempt that died left no record of the tokens it was given.
            return usage.calls <= len(given)
        return (usage.calls, usage.input_tokens, usage.output_tokens) == (
            len(given),
            sum(each.input_tokens for each in given),
            sum(each.output_tokens for each in given),
        )


async def conclude(stage: Stage, story: Story, folder: Path) -> Results:
    """Export the history, compare live and exported spans, replay, account, and write all files."""
    progress = stage.progress
    config = TracingConfig(capture_content=True)
    with progress.step("Exporting the history"):
        client = await Client.connect(stage.temporal.address)
        fetched = await client.get_workflow_handle(story.workflow_id, run_id=story.run_id).fetch_history()
        [history] = read((fetched, story.run_id), namespace=client.namespace)
        assert isinstance(history, History)  # the server's histories are whole
        spans = to_spans(history, config)
        name = run_name(history.workflow_id, history.run_id)
        files = {
            "trace": write_trace(folder, name, spans),
            "history": write_history(folder, name, fetched, run_id=story.run_id, namespace=client.namespace),
        }
    with progress.step("Stopping the Collector, which writes what it has"):
        stage.collector.stop()
    live = _live_spans(stage.collector.traces_file, spans[0].trace_id)
    trace_url, repaired = _repair(stage, spans)
    with progress.step("Replaying the history"):
        asked_before = len(await stage.control().requests())
        replayed = await replay((fetched, story.run_id), [ResearchAgentWorkflow])
        of_replay = replay_spans(replayed, spans, config)
        replay_requests = len(await stage.control().requests()) - asked_before
        files["replay"] = write_trace(folder, f"{name}-replay", of_replay)
    requests = story.requests_of()
    comparison = compare(
        account(spans),
        account(of_replay),
        requests={f"activity:{activity_id}": count for activity_id, count in requests.items()},
    )
    files["comparison"] = folder / "compare.json"
    files["comparison"].write_text(json.dumps(comparison.as_json(), indent=2) + "\n")
    files["report"] = write_report(folder / "report.html", spans, comparison, title=f"Demo: {story.workflow_id}")
    return Results(
        story=story,
        spans=spans,
        pairs=paired(live, spans),
        replay=replayed,
        replay_requests=replay_requests,
        comparison=comparison,
        requests=Counter(requests),
        files=files,
        trace_url=trace_url,
        repaired=repaired,
    )


def _live_spans(file: Path, trace_id: int) -> list[Span]:
    return [span for span in read_trace(file) if span.trace_id == trace_id]


def _repair(stage: Stage, spans: Sequence[Span]) -> tuple[str | None, int]:
    """Send Phoenix what the killed worker took with it; the trace's address there."""
    if stage.phoenix is None:
        return None, 0
    with stage.progress.step("Sending Phoenix the spans that the killed worker took with it"):
        target = target_for("phoenix", {**os.environ, "PHOENIX_COLLECTOR_ENDPOINT": stage.phoenix.base_url})
        result = repair(spans, target)
    url = target.trace_url(spans[0].trace_id) if target.trace_url else None
    return url, result.sent
