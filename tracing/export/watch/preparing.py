"""What does a backend lack of a run, as batches?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tracing.backends.target import SpanIndex, Target
from tracing.history import History
from tracing.spans.model import Span
from tracing.tracefile.batches import Batch, batches
from tracing.tracefile.folder import FolderIndex
from tracing.tracefile.repair import lacking
from tracing.tracefile.reroot import parents_to_come

Convert = Callable[[History], list[Span]]
"""A run's spans from its history."""

Decode = Callable[[History], History]
"""A history with its payloads decoded; raises ``DecodingError`` where what decodes them is away."""

Write = Callable[[History, list[Span]], None]
"""Puts a run's spans into files; the same spans give the same files."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What is to be done for a run.

    Attributes:
        batches: What the backend lacks, as it is sent.
        spans: How many spans that are.
        known: How many it has.
        sampled_out: How many are of a run that was sampled out.
        defects: What is wrong with the history.
    """

    batches: list[Batch]
    spans: int = 0
    known: int = 0
    sampled_out: int = 0
    defects: tuple[str, ...] = ()


class _NothingKnown:
    """Stands for a backend that cannot be asked: it gets every span."""

    def span_ids(self, trace_id: int) -> set[int]:
        """None, of any trace."""
        del trace_id
        return set()


class Preparation:
    """Makes batches of what a backend lacks of runs. It is used from several threads at once.

    Args:
        convert: Makes spans of histories.
        target: The backend; None where spans only go into files.
        decode: Decodes histories; None to take them as they are.
        have: What is asked instead of the backend.
        write: Puts each run's spans into files, too.
    """

    def __init__(
        self,
        convert: Convert,
        target: Target | None,
        *,
        decode: Decode | None = None,
        have: FolderIndex | None = None,
        write: Write | None = None,
    ) -> None:
        self._convert = convert
        self._decode = decode
        self._target = target
        self._have = have
        self._index: SpanIndex = have or (target and target.index) or _NothingKnown()
        self._write = write

    def refresh(self) -> list[str]:
        """Read what was added to the trace files that say what the backend has.

        Returns:
            What in it cannot be read.

        Raises:
            TargetError: They cannot be read.
        """
        if self._have is None:
            return []
        before = len(self._have.defects)
        self._have.refresh()
        return [str(defect) for defect in self._have.defects[before:]]

    def prepare(self, history: History) -> Prepared:
        """Make the batches of a run, and its files.

        Raises:
            TargetError: The backend cannot be asked.
            DecodingError: What decodes payloads is away.
            OSError: A file cannot be written.
        """
        if self._decode is not None:
            history = self._decode(history)
        spans = self._convert(history)
        if self._write is not None:
            self._write(history, spans)
        if self._target is None:
            return Prepared([], defects=history.defects)
        lack = lacking(spans, self._index, to_send=True, coming=parents_to_come(spans))
        return Prepared(
            list(batches(lack.spans, self._target.compression)),
            len(lack.spans),
            lack.known,
            lack.sampled_out,
            history.defects,
        )
