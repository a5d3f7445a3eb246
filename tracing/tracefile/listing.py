"""Which trace files does a path name?"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from tracing.folders import Barred, files_below
from tracing.tracefile.defects import Defect

_TRACE_FILE: Final = re.compile(r".+\.otlp(-[0-9T.-]+)?\.jsonl(\.gz|\.zst)?")
"""Our names, and those that the Collector's file exporter gives to files that it rotates."""


def is_trace_file(path: str) -> bool:
    """Whether a file of a folder is read as a trace file, by its name."""
    return _TRACE_FILE.fullmatch(os.path.basename(path)) is not None  # noqa: PTH119 - asked for each file of a folder


def traces_below(path: Path) -> Iterator[Path | Barred]:
    """The trace files of a folder and of the folders below, in the order of their paths; a file is itself.

    Args:
        path: File or folder.

    Returns:
        Files, and what is in the way of finding or opening others.
    """
    if not os.path.isdir(path):  # noqa: PTH112 - pathlib's question raises below a folder that may not be read
        yield path
        return
    for found in files_below(path, lambda paths: filter(is_trace_file, paths)):
        yield found if isinstance(found, Barred) else Path(found)


def trace_files(paths: Iterable[Path], defects: list[Defect]) -> Iterator[Path]:
    """The trace files that paths name, each once, found while they are read.

    Args:
        paths: Files, and folders with all that is below them.
        defects: Gets one for each thing that cannot be read, and for a folder without any trace file.
    """
    seen = set[str]()
    for path in paths:
        empty = True
        for found in traces_below(path):
            empty = False
            if isinstance(found, Barred):
                defects.append(defect_of(found))
            elif (whole := os.path.abspath(found)) not in seen:  # noqa: PTH100 - links stay
                seen.add(whole)
                yield found
        if empty:
            reason = "the folder holds no trace file"
            defects.append(Defect(path, 0, reason, "Trace files are called NAME.otlp.jsonl[.gz|.zst]."))


def defect_of(found: Barred) -> Defect:
    """What cannot be read, as a defect."""
    return Defect(Path(found.path), 0, found.reason, f"{found.mend[0].upper()}{found.mend[1:]}.")
