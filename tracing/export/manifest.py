"""How does the journal become the manifest, once all is done?

The manifest names what the folder holds: this call's records, and those of earlier calls whose files still stand. Its
lines are in the order of their sources, whatever was done first.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from tracing.export.commit import Commits
from tracing.export.journal import RecordFile
from tracing.export.layout import MANIFEST, work_folder
from tracing.tracefile.atomic import atomic_writer, sync_folder


def write_manifest(
    folder: Path, journal: RecordFile, finished: RecordFile, commits: Commits, called: Callable[[str], bool]
) -> BinaryIO:
    """Write the manifest; it appears when it is complete.

    Args:
        folder: Output folder.
        journal: The journal.
        finished: The manifest of the calls before.
        commits: Whose files are this call's.
        called: Whether a source is one of this call's.

    Returns:
        The manifest as this call has left it, for reading.
    """
    kept: list[tuple[str, int, RecordFile, int]] = []
    for file in (journal, finished):
        for record, place in file.lines():
            mine = called(record.source)
            outdated = file is finished and (mine or record.source in journal)
            overwritten = not mine and any(commits.owns(written.name) for written in record.files)
            if not outdated and not overwritten:
                kept.append((record.source, record.part, file, place))
    kept.sort(key=lambda line: line[:2])
    complete = work_folder(folder) / MANIFEST
    with atomic_writer(complete) as manifest:
        for _, _, file, place in kept:
            manifest.write(file.line(place))
    complete.replace(folder / MANIFEST)
    sync_folder(folder)
    return (folder / MANIFEST).open("rb")
