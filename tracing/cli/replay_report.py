"""What `durable-trace replay` says of the histories it replayed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from rich.table import Table
from rich.text import Text

from tracing.cli.console import counted, messages, output, plain, safe, table
from tracing.replay.job import Replayed

_STYLES: Final = {"reproduced": "green", "skipped": "dim"}
_MARKS: Final = {"reproduced": "✓", "skipped": "–"}  # noqa: RUF001 - a dash is meant
_ORDER: Final = ("reproduced", "diverged", "failed", "unreadable", "skipped")
_MAX_REASON: Final = 400


def report(replayed: Sequence[Replayed]) -> None:
    """Print a table of all, where code and history part, and the sum."""
    console = output()
    console.print(_table(replayed))
    for each in replayed:
        explain(each)
    counts = Counter(each.outcome for each in replayed)
    sums = ", ".join(f"{counts[outcome]} {outcome}" for outcome in _ORDER if counts[outcome])
    replays = [each.replay for each in replayed if each.replay is not None]
    # A replay that tried to connect was stopped: it called no model either, but that is no proof of the others.
    proof = "0 model calls: no connection was tried" if all(replay.guarded for replay in replays) else ""
    console.print(f"{sums or 'no history'}{f' · {proof}' if replays and proof else ''}")
    sent = sum(each.sent for each in replayed)
    if sent:
        console.print(f"{counted(sent)} sent")
    for folder in sorted({str(each.file.parent) for each in replayed if each.file is not None}):
        console.print(f"[dim]traces → {safe(folder)}[/]")


def as_json(replayed: Sequence[Replayed]) -> dict[str, Any]:
    """The same for programs."""
    return {
        "replays": [_json(each) for each in replayed],
        "failed": [f"{each.source}: {each.reason or each.problems[0]}" for each in replayed if not each.good],
    }


def _table(replayed: Sequence[Replayed]) -> Table:
    shown = table("Replays")
    shown.add_column("history", overflow="fold")
    shown.add_column("workflow", overflow="fold")
    shown.add_column("outcome", no_wrap=True)
    shown.add_column("reused", justify="right", no_wrap=True)
    shown.add_column("ms", justify="right", no_wrap=True)
    for each in replayed:
        style = _STYLES.get(each.outcome, "red")
        shown.add_row(
            Text(plain(_short(each.source))),
            Text(plain(each.workflow_type)),
            Text(f"{_MARKS.get(each.outcome, '✗')} {each.outcome}", style=style),
            str(each.reused_steps) if each.replay is not None else "",
            f"{each.replay.duration / 1e6:,.0f}" if each.replay is not None else "",
        )
    return shown


def explain(each: Replayed) -> None:
    """Say on standard error where code and history part, if they do."""
    if each.good:
        return
    console = messages()
    divergence = each.replay.divergence if each.replay is not None else None
    at = f" at event {divergence.event_id}" if divergence is not None and divergence.event_id else ""
    heading = f"{each.outcome}{at}" if each.outcome not in {"reproduced", "skipped"} else "its trace"
    console.print(Text(f"✗ {plain(_short(each.source))}: {heading}", style="red"), soft_wrap=True)
    lines = list(divergence.report) if divergence is not None else []
    if each.reason:
        lines.append(("reason", _cut(each.reason)))
    lines += [("trace", problem) for problem in each.problems]
    for name, value in lines:
        console.print(Text(f"    {name + ':':<10}{plain(value)}"), soft_wrap=True)


def _json(each: Replayed) -> dict[str, object]:
    found: dict[str, object] = {
        "source": each.source,
        "outcome": each.outcome,
        "reason": each.reason,
        "workflow_type": each.workflow_type,
        "file": str(each.file) if each.file else None,
        "sent": each.sent,
        "problems": list(each.problems),
    }
    replay = each.replay
    if replay is None:
        return found
    found |= {
        "namespace": replay.namespace,
        "workflow_id": replay.workflow_id,
        "run_id": replay.run_id,
        "replay_id": replay.replay_id,
        "duration_ms": replay.duration / 1e6,
        "workflow_tasks": replay.workflow_tasks,
        "reused_steps": each.reused_steps,
        "llm_calls": 0 if replay.guarded else None,
        "divergence": None,
    }
    divergence = replay.divergence
    if divergence is not None:
        line = divergence.source
        found["divergence"] = {
            "event_id": divergence.event_id,
            "expected": divergence.expected_words,
            "actual": divergence.actual_words,
            "file": line.file if line is not None else None,
            "line": line.line if line is not None else None,
            "function": line.function if line is not None else None,
        }
    return found


def _short(source: str) -> str:
    if "://" in source:
        return source
    path = Path(source)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else source


def _cut(text: str) -> str:
    return text if len(text) <= _MAX_REASON else f"{text[:_MAX_REASON]} …"
