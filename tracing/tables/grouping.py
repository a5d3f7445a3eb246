"""Which runs does a trace file hold, and in what state?

A file of ours holds one run. A Collector's holds many, mixed, and may be cut; one run may be in several files: before
and after it closed, live and exported, on both sides of a rotation.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from hashlib import blake2b
from itertools import chain, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO, Final

from tracing import conventions as c
from tracing.cost.attributes import text
from tracing.cost.tree import SpanTree
from tracing.spans.model import Span
from tracing.tables.kinds import kind_of
from tracing.tracefile.defects import Defect
from tracing.tracefile.encode import encode_lines
from tracing.tracefile.read import read_trace

MAX_HELD: Final = 100_000
"""Most spans of a file that are held in memory; the traces of a larger one are sorted apart on the disk first."""
_SHARDS: Final = 64
_BLOCK: Final = 200
"""Spans of one part of a large file that are written at once."""


@dataclass(frozen=True, slots=True)
class Group:
    """The spans that one file holds of one run in one trace.

    Attributes:
        trace_id: Trace ID.
        run_id: Run ID; "" for spans of no run.
        spans: The spans, in the order of the file.
    """

    trace_id: int
    run_id: str
    spans: Sequence[Span]

    @property
    def key(self) -> bytes:
        """What tells it from the groups of other runs: 16 bytes."""
        text_ = f"{self.trace_id:032x}{self.run_id}"
        return blake2b(text_.encode("utf-8", "surrogatepass"), digest_size=16).digest()

    @property
    def state(self) -> tuple[bool, int]:
        """How late in its life the run is told: whether it has closed, and the last event that was read."""
        closed = any(span.end is not None for span in self.spans if kind_of(span) in {"run", "replay"})
        return closed, max((_last_event(text(span.attributes, c.EVENT_IDS)) for span in self.spans), default=0)


def groups(file: Path, scratch: Path, defects: list[Defect], *, max_held: int = MAX_HELD) -> Iterator[Group]:
    """The runs of a trace file.

    A span belongs to the run that it names, else to that of the nearest span around it in the file.

    Args:
        file: The file.
        scratch: Folder for what a large file needs on the disk.
        defects: What cannot be read is added to it.
        max_held: Most spans that are held in memory, or those of one trace where these are more.
    """
    reading = read_trace(file)
    held = list(islice(reading, max_held + 1))
    if len(held) <= max_held:
        yield from grouped(held)
    else:
        spans = chain(held, reading)
        del held
        with TemporaryDirectory(dir=scratch) as folder:
            for shard in _by_trace(spans, Path(folder)):
                yield from grouped(list(read_trace(shard)))
    defects += reading.defects


def merged(copies: Sequence[Group]) -> list[Span]:
    """The spans that several files hold of one run: what is told latest in its life comes first, and counts."""
    return [span for copy in sorted(copies, key=lambda copy: copy.state, reverse=True) for span in copy.spans]


def grouped(spans: Iterable[Span]) -> list[Group]:
    """Spans by trace and run, in the order in which the runs begin; those of no run by trace."""
    tree = SpanTree(spans)
    found: defaultdict[tuple[int, str], list[Span]] = defaultdict(list)
    for span in tree.spans:
        run_id = next(
            (text(owner.attributes, c.RUN_ID) for owner in tree.line(span) if c.RUN_ID in owner.attributes), ""
        )
        found[span.trace_id, run_id].append(span)
    made = [Group(trace_id, run_id, of_run) for (trace_id, run_id), of_run in found.items()]
    return sorted(made, key=lambda group: (min(span.start for span in group.spans), group.key))


def _by_trace(spans: Iterable[Span], folder: Path) -> list[Path]:
    """Sort spans into files so that a trace is in one of them, whole."""
    paths = [folder / f"{number:02}.otlp.jsonl" for number in range(_SHARDS)]
    waiting: list[list[Span]] = [[] for _ in paths]
    with ExitStack() as stack:
        files = [stack.enter_context(path.open("wb")) for path in paths]
        for span in spans:
            shard = span.trace_id % _SHARDS
            waiting[shard].append(span)
            if len(waiting[shard]) >= _BLOCK:
                _append(files[shard], waiting[shard])
        for file, rest in zip(files, waiting, strict=True):
            _append(file, rest)
    return paths


def _append(file: BinaryIO, spans: list[Span]) -> None:
    file.writelines(encode_lines(spans))
    spans.clear()


def _last_event(event_ids: str) -> int:
    """The last of ``1-4,8``; 0 where that is not what the text is."""
    last = event_ids.rpartition(",")[2].rpartition("-")[2]
    return int(last) if last.isascii() and last.isdecimal() and len(last) < 10 else 0  # noqa: PLR2004 - digits of an event ID
