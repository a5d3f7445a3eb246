"""`durable-trace replay`: run today's code against histories."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path

import click
from rich.text import Text
from temporalio.client import WorkflowHistory

from tracing.cli import OK, SOME_FAILED
from tracing.cli.console import complain, output, plain, print_json, progress, safe
from tracing.config import TracingConfig
from tracing.history import History, Unreadable, read, to_spans
from tracing.replay import Replay, WorkflowReferenceError, load_workflow, replay
from tracing.tracefile.names import run_name
from tracing.tracefile.write import write_trace
from tracing.usage import is_model_call


@dataclass(frozen=True)
class _Replayed:
    history: History
    replay: Replay
    file: Path | None


@click.command()
@click.argument("histories", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--workflow", "references", multiple=True, required=True, metavar="MODULE:CLASS", help="Today's code.")
@click.option("-o", "--output", "folder", type=click.Path(path_type=Path), help="Write each replay's trace here.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcomes as JSON.")
def command(*, histories: tuple[Path, ...], references: tuple[str, ...], folder: Path | None, as_json: bool) -> int:
    """Run today's code against histories.

    HISTORY is a history file in Temporal's JSON, such as `export --with-history` writes. No activity runs and no model
    is called: results come from the history. Exits with 1 where the code diverges from a history, and says where.
    """
    try:
        workflows = [load_workflow(reference) for reference in references]
    except WorkflowReferenceError as error:
        raise click.UsageError(str(error)) from error
    failures: list[str] = []
    replayed: list[_Replayed] = []
    with progress() as bar:
        for path in bar.track(histories, description="replaying"):
            _replay_file(path, workflows, folder, replayed, failures)
    if as_json:
        print_json({"replays": [_as_json(each) for each in replayed], "failed": failures})
    else:
        _print(replayed)
    return SOME_FAILED if complain(failures) else OK


def _replay_file(
    path: Path, workflows: list[type], folder: Path | None, replayed: list[_Replayed], failures: list[str]
) -> None:
    for history in read(path):
        if isinstance(history, Unreadable):
            failures.append(str(history))
            continue
        spans = to_spans(history, TracingConfig.from_environment())
        try:
            sdk_history = WorkflowHistory.from_json(history.workflow_id, json.loads(path.read_bytes()))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            reason = str(error).partition("\n")[0]
            failures.append(f"{path}: the SDK cannot read it ({reason}). Export it again with --with-history.")
            continue
        result = asyncio.run(replay(sdk_history, workflows, spans))
        file = None
        if folder is not None and result.spans:
            name = run_name(history.workflow_id, history.run_id)
            file = write_trace(folder, f"{name}-replay", result.spans)
        replayed.append(_Replayed(history, result, file))
        if result.outcome != "reproduced":
            where = f" at event {result.event_id}" if result.event_id else ""
            failures.append(f"{path}: {history.workflow_id} {result.outcome}{where}: {result.message}")


def _as_json(each: _Replayed) -> dict[str, object]:
    return {
        "workflow_id": each.history.workflow_id,
        "run_id": each.history.run_id,
        "outcome": each.replay.outcome,
        "event_id": each.replay.event_id,
        "message": each.replay.message,
        "duration_ms": each.replay.duration / 1e6,
        "reused_steps": max(0, len(each.replay.spans) - 1),
        "llm_calls": _model_calls(each),
        "file": str(each.file) if each.file else None,
    }


def _model_calls(each: _Replayed) -> int:
    return sum(is_model_call(span.attributes) for span in each.replay.spans)


def _print(replayed: list[_Replayed]) -> None:
    console = output()
    for each in replayed:
        good = each.replay.outcome == "reproduced"
        console.print(
            Text("✓ " if good else "✗ ", style="green" if good else "red"),
            Text(f"{plain(each.history.workflow_id)} {each.replay.outcome} in {each.replay.duration / 1e6:.0f} ms: "),
            Text(f"{max(0, len(each.replay.spans) - 1)} steps took their results from history, "),
            Text(f"{_model_calls(each)} model calls"),
            sep="",
            end="\n",
        )
        if each.file:
            console.print(f"  [dim]→ {safe(each.file)}[/]")
