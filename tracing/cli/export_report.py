"""What does an export say at its end?

A line for each of a few runs, sums for many; what failed by kind, the first ones by name: the manifest names them all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Final

import click
import msgspec

from tracing.cli.console import complain, counted, output, safe
from tracing.cli.export_totals import Totals
from tracing.cli.sending import report_sent
from tracing.cli.tables import print_tables, tables_as_json
from tracing.export.engine import Export
from tracing.export.items import printable
from tracing.export.layout import MANIFEST
from tracing.export.records import Record
from tracing.export.settings import ExportSettings
from tracing.tables import Tables

_FEW: Final = 20
"""So many runs have a line each."""
_NAMED: Final = 5
"""So many failures of a kind are named."""
_KINDS: Final = 40
_VARYING: Final = re.compile(r"\d+|'[^']*'|\"[^\"]*\"|\([^)]*\)")


def report(
    export: Export,
    settings: ExportSettings,
    problems: list[str],
    seconds: float,
    tables: Tables | None = None,
    *,
    as_json: bool,
) -> bool:
    """Print what became of everything.

    Args:
        export: The export, done.
        settings: What it did.
        problems: What went wrong beside the histories.
        seconds: How long it took.
        tables: The tables that were written of the folder.
        as_json: Whether results are printed as JSON.

    Returns:
        Whether anything failed.
    """
    totals, failures, lines = Totals(), Failures(), list[str]()
    for record in _records(export, settings):
        totals.add(record)
        for failure in _failures(record):
            failures.add(*failure)
        if record.state == "exported" and len(lines) <= _FEW:
            files = ", ".join(printable(str(settings.folder / file.name)) for file in record.files)
            lines.append(f"{_named(record)}: {counted(record.spans)} → {safe(files)}")
    totals.kept = export.kept
    if tables is not None:
        problems = [*problems, *(str(defect) for defect in tables.defects)]
    if as_json:
        _print_json(export, settings, problems, totals, tables)
    else:
        for line in lines if len(lines) <= _FEW else ():
            output().print(line)
        _print_totals(export, settings, totals, seconds)
        if tables is not None:
            print_tables(tables)
    if totals.undecoded:
        click.echo(f"durable-trace: {_undecoded(settings, totals.undecoded)}", err=True)
    return complain(chain(failures.sentences(), problems))


def _undecoded(settings: ExportSettings, count: int) -> str:
    if settings.database is not None:
        return (
            f"{count:,} stored values are not decoded, for they are no portable JSON: what model calls they show is "
            "unknown (docs/dbos.md says how to store JSON)."
        )
    results = "1 result of a step is" if count == 1 else f"{count:,} results of steps are"
    return (
        f"{results} encoded or stored elsewhere: what model calls they record is unknown. Export again with --codec, "
        "--codec-endpoint or --external-storage (docs/decoding.md)."
    )


@dataclass
class _Kind:
    named: list[str] = field(default_factory=list)
    more: int = 0


class Failures:
    """Failures by kind: alike are those that differ in numbers and quoted names only."""

    def __init__(self) -> None:
        self._kinds: dict[str, _Kind] = {}

    def add(self, name: str, sentence: str) -> None:
        """Count a failure.

        Args:
            name: Whose it is; "" where it says so itself.
            sentence: What is wrong, and how to mend it.
        """
        key = _VARYING.sub("", sentence)
        if key not in self._kinds and len(self._kinds) >= _KINDS:
            key = ""
        kind = self._kinds.setdefault(key, _Kind())
        told = f"{name}: {sentence}" if name else sentence
        if told in kind.named:
            return
        if len(kind.named) < _NAMED:
            kind.named.append(told)
        else:
            kind.more += 1

    def sentences(self) -> Iterator[str]:
        """The first of each kind, and how many more there are."""
        for kind in self._kinds.values():
            yield from kind.named
            if kind.more:
                yield f"… and {kind.more:,} more like this: {MANIFEST} names them all."


def _named(record: Record) -> str:
    """A run as people call it; where its run ID is its workflow ID, as of DBOS, that is said once."""
    workflow_id = safe(record.workflow_id)
    return workflow_id if record.run_id == record.workflow_id else f"{workflow_id} [dim]{safe(record.run_id)}[/]"


def _print_totals(export: Export, settings: ExportSettings, totals: Totals, seconds: float) -> None:
    if not export.done and settings.database is not None:
        output().print("The database has no workflow.")
    elif export.done != 1:
        output().print(totals.table(seconds))
    target = settings.target()
    if target is not None:
        report_sent(target, totals.sent, [{"known": totals.known, "sampled_out": totals.sampled_out}])


def _records(export: Export, settings: ExportSettings) -> Iterator[Record]:
    """The records, without what an earlier call sent, or could not send, where this one sends nothing."""
    for record in export.records():
        yield record if settings.to is not None else msgspec.structs.replace(record, sent=None)


def _failures(record: Record) -> Iterator[tuple[str, str]]:
    """What is wrong with a record: whose it is, and a sentence."""
    if record.refused:
        yield record.name, record.refused
    for defect in record.defects:
        yield record.where, defect
    for problem in record.sent.problems if record.sent is not None else ():
        yield "", problem


def _as_json(record: Record, settings: ExportSettings) -> dict[str, Any]:
    sent = record.sent
    return {
        "workflow_id": record.workflow_id,
        "run_id": record.run_id,
        "namespace": record.namespace,
        "source": record.source,
        "spans": record.spans,
        "open": record.open,
        "files": [printable(str(settings.folder / file.name)) for file in record.files],
        "defects": list(record.defects),
        **({"undecoded": record.undecoded} if settings.database is not None or record.undecoded else {}),
        **({"sent": sent.sent, "known": sent.known, "sampled_out": sent.sampled_out} if sent is not None else {}),
    }


def _print_json(
    export: Export, settings: ExportSettings, problems: list[str], totals: Totals, tables: Tables | None
) -> None:
    """Print everything as JSON, item by item: a million runs need no memory."""
    exported = (_as_json(record, settings) for record in _records(export, settings) if record.state == "exported")
    duplicates = (
        {"source": record.source, "duplicate_of": record.duplicate_of}
        for record in export.records()
        if record.state == "duplicate"
    )
    failed = (
        f"{name}: {sentence}" if name else sentence
        for record in _records(export, settings)
        for name, sentence in _failures(record)
    )
    click.echo("{")
    for key, items in (("exported", exported), ("duplicates", duplicates), ("failed", chain(failed, problems))):
        click.echo(f'  "{key}": [', nl=False)
        before = "\n"
        for item in items:
            text = msgspec.json.format(msgspec.json.encode(item), indent=2).decode()
            click.echo(before + "\n".join(f"    {line}" for line in text.splitlines()), nl=False)
            before = ",\n"
        click.echo("]," if before == "\n" else "\n  ],")
    if tables is not None:
        click.echo(f'  "tables": {msgspec.json.encode(tables_as_json(tables)).decode()},')
    sums = msgspec.json.encode(msgspec.to_builtins(totals)).decode()
    click.echo(f'  "total": {sums}\n}}')
