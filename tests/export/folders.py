"""Histories in folders, and what an export has made of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from tests.history.recording import Recording, payload
from tracing.config import TracingConfig
from tracing.export.engine import Export
from tracing.export.items import file_items
from tracing.export.layout import MANIFEST
from tracing.export.records import Record, decode_line
from tracing.export.settings import ExportSettings

CONFIG = TracingConfig()


def run_id(number: int) -> str:
    return f"5f0e4f7e-0000-4000-8000-{number:012d}"


def history(number: int = 1, activities: int = 1, *, closed: bool = True, result: str = '"x"') -> dict[str, Any]:
    """A run `wf-NUMBER` that asks for activities, one after the other."""
    recording = Recording(run_id=run_id(number), workflow_id=f"wf-{number}")
    for each in range(1, activities + 1):
        scheduled = recording.activity(recording.task(), str(each))
        recording.attempt(scheduled)
        recording.complete_activity(scheduled, payload(result))
    recording.task()
    if closed:
        recording.complete()
    return recording.json()


def put(path: Path, *histories: dict[str, Any]) -> Path:
    """A file of one history, or of a list of them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(histories[0] if len(histories) == 1 else list(histories)))
    return path


def settings(folder: Path, **given: Any) -> ExportSettings:
    return ExportSettings(**{"folder": folder, "config": CONFIG, **given})


def export(folder: Path, *paths: Path, jobs: int = 1, **given: Any) -> list[Record]:
    """Export files; the records of the call."""
    with Export(file_items(paths), settings(folder, **given), jobs=jobs) as call:
        for _ in call.run():
            pass
        return list(call.records())


def manifest(folder: Path) -> list[Record]:
    """The manifest, without timings: two exports of the same histories differ in nothing else."""
    return [timeless(line) for line in (folder / MANIFEST).read_bytes().splitlines()]


def timeless(line: bytes) -> Record:
    record = decode_line(line)
    assert record is not None
    return msgspec.structs.replace(record, timings=None)


def names(folder: Path) -> list[str]:
    """What is in a folder, hidden or not."""
    return sorted(path.name for path in folder.iterdir())


def content(folder: Path) -> dict[str, bytes]:
    """All files of an output folder by name, but for the manifest."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != MANIFEST
    }


def told(records: list[Record]) -> list[tuple[str, str, str]]:
    """Source, state, and what became of it, of each record."""
    return [
        (
            Path(record.source).name,
            record.state,
            record.refused or Path(record.duplicate_of).name or ", ".join(file.name for file in record.files),
        )
        for record in records
    ]
