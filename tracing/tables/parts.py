"""How do some trace files become one part of each table?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from tracing.tables.columns import TABLES, Table
from tracing.tables.grouping import Group, groups, merged
from tracing.tables.parquet import TableFile
from tracing.tables.rows import rows_of_run
from tracing.tracefile.defects import Defect


@dataclass(frozen=True, slots=True)
class Shared:
    """What is to be done with runs that several files hold.

    Attributes:
        elsewhere: Keys of the groups of a file that belong to the part of another.
        also_in: The other files that hold a group of this one, by the group's key.
    """

    elsewhere: frozenset[bytes] = frozenset()
    also_in: Mapping[bytes, Sequence[Path]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Part:
    """Some trace files, and the part of each table that they become.

    Attributes:
        number: Its number, from 0.
        files: The trace files, in their order.
        folder: Where the folders of the tables are.
        scratch: Folder for what large files need on the disk.
        shared: What is to be done with runs that other files hold as well, by file.
    """

    number: int
    files: Sequence[Path]
    folder: Path
    scratch: Path
    shared: Mapping[Path, Shared] = field(default_factory=dict)


@dataclass(slots=True)
class Written:
    """What became of a part.

    Attributes:
        number: Its number.
        rows: Rows written, by table.
        keys: Keys of the groups that each file holds, one after the other, 16 bytes each.
        defects: What could not be read.
    """

    number: int
    rows: dict[Table, int] = field(default_factory=dict)
    keys: list[bytes] = field(default_factory=list)
    defects: list[Defect] = field(default_factory=list)


def part_name(number: int) -> str:
    """Name of a part's files."""
    return f"part-{number:05}.parquet"


def write_part(part: Part, each: Callable[[], None] = lambda: None) -> Written:
    """Write the files of a part, one trace file in memory at a time.

    Args:
        part: The part.
        each: Called after each trace file.
    """
    written = Written(part.number)
    with ExitStack() as stack:
        tables = {
            table: stack.enter_context(TableFile(part.folder / table / part_name(part.number), columns))
            for table, columns in TABLES.items()
        }
        for file in part.files:
            keys = bytearray()
            for group in _groups(file, part, written.defects, keys):
                for table, rows in rows_of_run(group.run_id, group.spans).items():
                    for row in rows:
                        tables[table].write(row)
            written.keys.append(bytes(keys))
            each()
    written.rows = {table: file.rows for table, file in tables.items()}
    return written


def _groups(file: Path, part: Part, defects: list[Defect], keys: bytearray) -> Iterator[Group]:
    """The groups of a file that belong to this part, with what other files hold of them."""
    shared = part.shared.get(file, Shared())
    others = _held_elsewhere(shared, part.scratch)
    for group in groups(file, part.scratch, defects):
        key = group.key
        keys += key
        if key in others:
            yield Group(group.trace_id, group.run_id, merged([group, *others[key]]))
        elif key not in shared.elsewhere:
            yield group


def _held_elsewhere(shared: Shared, scratch: Path) -> dict[bytes, list[Group]]:
    found: defaultdict[bytes, list[Group]] = defaultdict(list)
    for file in sorted({file for files in shared.also_in.values() for file in files}):
        # What cannot be read in it is named where its own part is written.
        for group in groups(file, scratch, []):
            if file in shared.also_in.get(group.key, ()):
                found[group.key].append(group)
    return dict(found)
