"""`durable-trace replay`: run today's code against histories."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

import click
from rich.text import Text

from tracing.cli import OK, SOME_FAILED
from tracing.cli.console import complain, output, plain, print_json, progress, safe
from tracing.config import TracingConfig
from tracing.cost import RunAccount, account
from tracing.history import History, read, to_spans
from tracing.replay import Replay, load_workflow, replay, replay_spans
from tracing.tracefile.names import run_name
from tracing.tracefile.write import write_trace


@dataclass(frozen=True)
class _Replayed:
    replay: Replay
    account: RunAccount
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
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    failures: list[str] = []
    replayed: list[_Replayed] = []
    with progress() as bar:
        for path in bar.track(histories, description="replaying"):
            try:
                replayed.append(_replay_file(path, workflows, folder))
            except (ValueError, OSError) as error:
                failures.append(str(error))
    for each in replayed:
        result = each.replay
        if result.outcome != "reproduced":
            where = f" at event {result.event_id}" if result.event_id else ""
            failures.append(f"{result.workflow_id}: {result.outcome}{where}: {result.message}")
    if as_json:
        print_json({"replays": [_as_json(each) for each in replayed], "failed": failures})
    else:
        _print(replayed)
    return SOME_FAILED if complain(failures) else OK


def _replay_file(path: Path, workflows: list[type], folder: Path | None) -> _Replayed:
    config = TracingConfig.from_environment()
    result = asyncio.run(replay(path, workflows))
    run_spans = [span for each in read(path) if isinstance(each, History) for span in to_spans(each, config)]
    spans = replay_spans(result, run_spans, config)
    file = None
    if folder is not None:
        file = write_trace(folder, f"{run_name(result.workflow_id, result.run_id)}-replay", spans)
    return _Replayed(result, account(spans), file)


def _as_json(each: _Replayed) -> dict[str, object]:
    return {
        "workflow_id": each.replay.workflow_id,
        "run_id": each.replay.run_id,
        "replay_id": each.replay.replay_id,
        "outcome": each.replay.outcome,
        "event_id": each.replay.event_id,
        "message": each.replay.message,
        "duration_ms": each.replay.duration / 1e6,
        "reused_steps": len(each.replay.reused_steps),
        "llm_calls": each.account.usage.calls,
        "file": str(each.file) if each.file else None,
    }


def _print(replayed: list[_Replayed]) -> None:
    console = output()
    for each in replayed:
        good = each.replay.outcome == "reproduced"
        console.print(
            Text("✓ " if good else "✗ ", style="green" if good else "red"),
            Text(f"{plain(each.replay.workflow_id)} {each.replay.outcome} in {each.replay.duration / 1e6:.0f} ms: "),
            Text(f"{len(each.replay.reused_steps)} steps took their results from history, "),
            Text(f"{each.account.usage.calls} model calls"),
            sep="",
        )
        if each.file:
            console.print(f"  [dim]→ {safe(each.file)}[/]")
