"""How do trace files become tables?

Files are taken in the order of their paths, a fixed number of them a part, so that the same files give the same bytes,
whatever number of processes writes them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files as package_files
from pathlib import Path
from typing import Final

from tracing.parallel import ProcessKilledError, in_processes
from tracing.tables.columns import TABLES, Table
from tracing.tables.folders import replacing_tables
from tracing.tables.parquet import TablesError, load_pyarrow
from tracing.tables.parts import Part, Shared, Written, write_part
from tracing.tracefile.atomic import atomic_writer
from tracing.tracefile.defects import Defect
from tracing.tracefile.listing import trace_files

PART_FILES: Final = 1_000
"""Trace files of a part."""
VIEWS: Final = "views.sql"
"""Name of the file of views beside the tables."""
_KEY_BYTES: Final = 16

Progress = Callable[[int, int], None]
"""Takes how many trace files are done, and how many there are."""


@dataclass(frozen=True, slots=True)
class Tables:
    """What was written.

    Attributes:
        folder: Where.
        files: Trace files that were read.
        rows: Rows written, by table.
        defects: What could not be read; everything else is in the tables.
    """

    folder: Path
    files: int
    rows: Mapping[Table, int]
    defects: Sequence[Defect] = field(default_factory=tuple)


def write_tables(
    traces: Path | Iterable[Path],
    out: Path,
    *,
    jobs: int = 1,
    progress: Progress = lambda _done, _all: None,
    part_files: int = PART_FILES,
) -> Tables:
    """Write the tables ``spans``, ``steps`` and ``runs`` of trace files as Parquet, and ``views.sql`` beside them.

    Tables that were there before are replaced as a whole, when the new ones are complete. The same trace files give the
    same bytes, by the same version of pyarrow. Memory does not grow with their number, but for some bytes a run; a run
    that several files hold is one, told as late in its life as any of them tells it.

    Args:
        traces: Trace files, and folders with all that are below them.
        out: Folder of the tables; made if it is missing.
        jobs: Processes that write parts at the same time. A script that names more than one must be safe to import, as
            for every use of `multiprocessing`: ``if __name__ == "__main__":``.
        progress: Told after each trace file; with several processes after each part.
        part_files: Trace files of a part.

    Raises:
        TablesError: Without pyarrow, when another process writes there, or files are in the way; and where there is no
            trace file, but tables are there.
        OSError: When the folder cannot be written.
    """
    load_pyarrow()
    given = [traces] if isinstance(traces, Path) else list(traces)
    defects: list[Defect] = []
    paths = list(trace_files(given, defects))
    if not paths and any((out / table).exists() for table in TABLES):
        # A wrong name must not cost anybody their tables.
        told = " ".join(str(defect) for defect in defects) or "No trace file was named."
        raise TablesError(f"{told} The tables that are in {out} stay.")
    views = package_files("tracing.tables").joinpath(VIEWS).read_bytes()
    with replacing_tables(out) as folder:
        parts = [
            Part(number, paths[first : first + part_files], folder, folder)
            for number, first in enumerate(range(0, max(len(paths), 1), part_files))
        ]
        written = dict(_write(parts, jobs, progress))
        again = list(_with_shared_runs(parts, written))
        written |= dict(_write(again, jobs, lambda _done, _all: None))
    with atomic_writer(out / VIEWS) as file:
        file.write(views)
    ordered = [written[part.number] for part in parts]
    tables = ordered[0].rows
    return Tables(
        folder=out,
        files=len(paths),
        rows={table: sum(each.rows[table] for each in ordered) for table in tables},
        defects=[*defects, *(defect for each in ordered for defect in each.defects)],
    )


def _write(parts: Sequence[Part], jobs: int, progress: Progress) -> Iterator[tuple[int, Written]]:
    done, whole = 0, sum(len(part.files) for part in parts)
    if jobs <= 1 or len(parts) <= 1:
        for part in parts:

            def each() -> None:
                nonlocal done
                done += 1
                progress(done, whole)

            yield part.number, write_part(part, each)
        return
    try:
        for part, result in in_processes(write_part, parts, min(jobs, len(parts))):
            yield part.number, result
            done += len(part.files)
            progress(done, whole)
    except ProcessKilledError:
        raise TablesError(
            "A process that wrote a part was killed, perhaps for want of memory: try again with one process (--jobs 1)."
        ) from None


def _with_shared_runs(parts: Sequence[Part], written: Mapping[int, Written]) -> Iterator[Part]:
    """The parts that must be written again: those of files that hold a run which another file holds as well."""
    holders = _holders(parts, written)
    elsewhere: defaultdict[Path, set[bytes]] = defaultdict(set)
    also_in: defaultdict[Path, dict[bytes, Sequence[Path]]] = defaultdict(dict)
    for key, (owner, *others) in holders.items():
        also_in[owner][key] = others
        for other in others:
            elsewhere[other].add(key)
    for part in parts:
        shared = {
            file: Shared(frozenset(elsewhere.get(file, ())), also_in.get(file, {}))
            for file in part.files
            if file in elsewhere or file in also_in
        }
        if shared:
            yield Part(part.number, part.files, part.folder, part.scratch, shared)


def _holders(parts: Sequence[Part], written: Mapping[int, Written]) -> dict[bytes, list[Path]]:
    """The files that hold each run that more than one of them holds, in their order; by the run's key."""
    pa, _ = load_pyarrow()
    files = [(file, keys) for part in parts for file, keys in zip(part.files, written[part.number].keys, strict=True)]
    # 16 bytes a run, in one piece, and not an object each: a folder may hold millions.
    joined = pa.py_buffer(b"".join(keys for _, keys in files))
    length = joined.size // _KEY_BYTES
    every = pa.Array.from_buffers(pa.binary(_KEY_BYTES), length, [None, joined])
    counts = pa.table({"key": every}).group_by("key").aggregate([([], "count_all")])
    several = set(counts.filter(pa.compute.greater(counts["count_all"], 1))["key"].to_pylist())
    holders: defaultdict[bytes, list[Path]] = defaultdict(list)
    for file, keys in files if several else ():
        for begin in range(0, len(keys), _KEY_BYTES):
            key = keys[begin : begin + _KEY_BYTES]
            if key in several:
                holders[key].append(file)
    return dict(holders)
