"""Which spans does a backend, or a folder, lack?

A trace read from history holds what was lost live, and the same IDs for what was not. So only what is missing is sent:
some backends count a span that is sent twice, others keep the first for ever.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from tracing.backends.target import SpanIndex, Target
from tracing.spans.model import Span
from tracing.tracefile.missing import missing
from tracing.tracefile.read import Defect, read_trace
from tracing.tracefile.reroot import reroot
from tracing.tracefile.send import Sender, SendResult

__all__ = ["FolderIndex", "missing", "repair"]


def repair(spans: Iterable[Span], target: Target) -> SendResult:
    """Send only what the target lacks.

    Args:
        spans: All spans that are at hand of one or more traces, open ones included.
        target: Where to; it is asked what it has of each trace.

    Returns:
        What became of the spans. A target that cannot be used, or cannot be asked, is one of its problems.
    """
    traces: dict[int, list[Span]] = {}
    for span in spans:
        traces.setdefault(span.trace_id, []).append(span)
    if target.index is None:
        problem = f"{target.name} cannot be asked which spans it has: send without repairing, or name its backend."
        result = SendResult(problems=(problem,))
    else:
        sender = Sender(target)
        result = sender.deliver(_lacking(traces, target.index, sender.result))
    result.unsent += sum(span.end is not None for trace in traces.values() for span in trace)
    return result


def _lacking(traces: dict[int, list[Span]], index: SpanIndex, result: SendResult) -> Iterator[list[Span]]:
    """What is missing of each trace; takes the traces out as it goes, so that what is left was not asked for."""
    while traces:
        trace_id = next(iter(traces))
        known_ids = index.span_ids(trace_id)
        spans = traces.pop(trace_id)
        result.skipped_open += sum(span.end is None for span in spans)
        result.known += sum(span.end is not None and span.span_id in known_ids for span in spans)
        yield missing(reroot(spans, known_ids), known_ids)


class FolderIndex:
    """What the trace files of a folder hold of each trace. They are read when it is first asked.

    Attributes:
        defects: What could not be read.
    """

    def __init__(self, folder: Path) -> None:
        self.defects: list[Defect] = []
        self._folder = folder
        self._span_ids: dict[int, set[int]] | None = None

    def span_ids(self, trace_id: int) -> set[int]:
        """IDs of the closed spans of a trace: an open one may be closed by now, so it is not there yet."""
        if self._span_ids is None:
            self._span_ids = {}
            reading = read_trace(self._folder)
            for span in reading:
                if span.end is not None:
                    self._span_ids.setdefault(span.trace_id, set()).add(span.span_id)
            self.defects = reading.defects
        return self._span_ids.get(trace_id, set())
