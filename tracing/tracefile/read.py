"""What spans do trace files hold, and what in them could not be read?

Files may be damaged, cut off or made to do harm. Whatever can be read is read; every defect is named with file, line,
reason and what to do about it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, Final, TypeVar

from tracing.spans.model import Span
from tracing.tracefile.compression import CompressionError, decompressed
from tracing.tracefile.decode import MAX_PROBLEMS, Decoded, UnreadableError, decode_request
from tracing.tracefile.decode_ids import closed_ids
from tracing.tracefile.defects import Defect
from tracing.tracefile.listing import trace_files

MAX_LINE_BYTES: Final = 32 * 1024 * 1024
"""Longest line that is read. A Collector takes requests of up to 20 MiB and writes each as one line."""
MAX_FILE_BYTES: Final = 8 * 1024 * 1024 * 1024
"""Most bytes of one file that are read, decompressed: a small file can expand to any size."""

_SKIP_BYTES: Final = 1024 * 1024

T = TypeVar("T")
_Decode = Callable[[bytes, int, "_FileDefects"], Iterable[T]]
"""What a line holds, from it and its number; what in it cannot be read is told to its file's defects."""


class Reading(Iterator[T]):
    """What lines of trace files hold, read while it is asked for.

    Attributes:
        defects: What could not be read so far; complete when the last span has been read.
        whole: Bytes up to the end of the last line that was read whole, decompressed, of the file that is being read.
    """

    def __init__(
        self,
        paths: Iterable[Path],
        decode: _Decode[T],
        *,
        max_line_bytes: int,
        max_file_bytes: int,
        start: int | None = None,
    ) -> None:
        self.defects: list[Defect] = []
        self.whole = start or 0
        self._start = start or 0
        self._grows = start is not None
        self._decode = decode
        self._max_line_bytes = max_line_bytes
        self._max_file_bytes = max_file_bytes
        self._spans = self._read(paths)

    def __next__(self) -> T:
        return next(self._spans)

    def _read(self, paths: Iterable[Path]) -> Iterator[T]:
        for file in trace_files(paths, self.defects):
            yield from self._file(file)

    def _file(self, file: Path) -> Iterator[T]:
        found = _FileDefects(file)
        try:
            with decompressed(file) as stream:
                if self._start:
                    stream.seek(self._start)
                self.whole = self._start
                for number, line in self._lines(stream, found):
                    half = self._grows and not line.endswith(b"\n")
                    yield from self._decode(line, number, _FileDefects(file) if half else found)
        except CompressionError as error:
            found.add(0, str(error), "What was read before is kept. Copy or export the file again.")
        except OSError as error:
            found.add(0, f"cannot be read ({error.strerror})", "Check its name and its permissions.")
        self.defects += found.named()

    def _lines(self, stream: IO[bytes], found: _FileDefects) -> Iterator[tuple[int, bytes]]:
        number, total = 0, self._start
        while line := stream.readline(self._max_line_bytes + 1):
            number += 1
            total += len(line)
            self.whole = total if line.endswith(b"\n") else self.whole
            if len(line) > self._max_line_bytes:
                found.add(number, f"is longer than {self._max_line_bytes} bytes", "Write fewer spans a line.")
                total += _skip_line(stream, self._max_file_bytes - total) if not line.endswith(b"\n") else 0
            elif line.strip():
                yield number, line
            if total > self._max_file_bytes:
                found.add(0, f"holds more than {self._max_file_bytes} bytes", "Split it: the rest was not read.")
                return


class _FileDefects:
    """The defects of one file: the first are named one by one, the others counted."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._named: list[Defect] = []
        self._more = 0

    def add(self, line: int, reason: str, mend: str) -> None:
        if line and len(self._named) >= MAX_PROBLEMS:
            self._more += 1
        else:
            self._named.append(Defect(self._file, line, reason, mend))

    def count(self, more: int) -> None:
        self._more += more

    def named(self) -> list[Defect]:
        if not self._more:
            return self._named
        return [*self._named, Defect(self._file, 0, f"{self._more} more defects", "Mend those named first.")]


def read_trace(
    path: Path, *, max_line_bytes: int = MAX_LINE_BYTES, max_file_bytes: int = MAX_FILE_BYTES
) -> Reading[Span]:
    """Read a trace file, or every trace file below a folder.

    Args:
        path: File (plain, gzip or zstd, told by its content) or folder.
        max_line_bytes: Longest line that is read.
        max_file_bytes: Most bytes of one file that are read, decompressed.
    """
    return read_traces([path], max_line_bytes=max_line_bytes, max_file_bytes=max_file_bytes)


def read_traces(
    paths: Iterable[Path], *, max_line_bytes: int = MAX_LINE_BYTES, max_file_bytes: int = MAX_FILE_BYTES
) -> Reading[Span]:
    """Read several trace files and folders, one after the other, each file once. See ``read_trace``."""
    return Reading(paths, _spans, max_line_bytes=max_line_bytes, max_file_bytes=max_file_bytes)


def read_ids(file: Path, start: int) -> Reading[tuple[bytes, bytes]]:
    """Trace and span IDs of the closed spans in a trace file that may be written to, from where a line begins.

    A last line that cannot be read because it has no end yet is no defect. Defects name lines by their number from
    there.

    Args:
        file: The file.
        start: ``Reading.whole`` of the reading before.
    """
    return Reading([file], _ids, max_line_bytes=MAX_LINE_BYTES, max_file_bytes=MAX_FILE_BYTES, start=start)


def _ids(line: bytes, number: int, found: _FileDefects) -> list[tuple[bytes, bytes]]:
    ids = closed_ids(line)
    if ids is not None:
        return ids
    closed = [span for span in _spans(line, number, found) if span.end is not None]
    return [(span.trace_id.to_bytes(16, "big"), span.span_id.to_bytes(8, "big")) for span in closed]


def _spans(line: bytes, number: int, found: _FileDefects) -> list[Span]:
    try:
        decoded = decode_request(line)
    except UnreadableError as error:
        decoded = Decoded(skipped=1, problems=[error.problem])
    for problem in decoded.problems:
        found.add(number, problem.reason, problem.mend)
    found.count(decoded.skipped - len(decoded.problems))
    return decoded.spans


def _skip_line(stream: IO[bytes], limit: int) -> int:
    """Read on to the end of a line that is too long, or to the limit; how many bytes that were."""
    skipped = 0
    while skipped <= limit and (part := stream.readline(_SKIP_BYTES)):
        skipped += len(part)
        if part.endswith(b"\n"):
            break
    return skipped
