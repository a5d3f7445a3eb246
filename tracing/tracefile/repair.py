"""Which spans does a backend, or a folder, lack?

A trace read from history holds what was lost live, and the same IDs for what was not. So only what is missing is
sent, or written: some backends count a span that is sent twice, others keep the first for ever.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from tracing.backends.target import SpanIndex, Target
from tracing.spans.model import Span
from tracing.tracefile.missing import missing
from tracing.tracefile.reroot import reroot
from tracing.tracefile.sampled import sampled
from tracing.tracefile.send import Sender, SendResult

__all__ = ["Lacking", "lacking", "missing", "repair"]


@dataclass
class Lacking:
    """What a place lacks of some spans.

    Attributes:
        spans: The closed spans that it lacks, each once.
        known: How many closed ones it has.
        skipped_open: How many are still open: they belong nowhere but into files of their own.
        sampled_out: How many are of runs that were sampled out.
    """

    spans: list[Span] = field(default_factory=list)
    known: int = 0
    skipped_open: int = 0
    sampled_out: int = 0


def lacking(
    spans: Iterable[Span], index: SpanIndex, *, to_send: bool, coming: Collection[int] = frozenset()
) -> Lacking:
    """What a place lacks.

    Args:
        spans: All spans that are at hand of one or more traces, open ones included.
        index: What it has of each trace.
        to_send: Whether it gets spans as backends do, which show a trace by its root: a run whose parent it lacks is
            then given one, or made the root. Files keep true parents.
        coming: Span IDs that it does not have yet, but gets: runs below them keep them as parents.

    Raises:
        TargetError: When the place cannot be asked.
    """
    kept, left_out = sampled(spans)
    result = Lacking(sampled_out=left_out)
    for trace_id, trace in _traces(kept).items():
        part = _lacking(trace, index.span_ids(trace_id), to_send=to_send, coming=coming)
        result.spans += part.spans
        result.known += part.known
        result.skipped_open += part.skipped_open
    return result


def repair(
    spans: Iterable[Span], target: Target, *, have: SpanIndex | None = None, coming: Collection[int] = frozenset()
) -> SendResult:
    """Send only what the target lacks.

    Args:
        spans: All spans that are at hand of one or more traces, open ones included.
        target: Where to; it is asked what it has of each trace.
        have: What is asked instead of the target, such as a ``FolderIndex`` of what was sent to it.
        coming: Span IDs that the target does not have yet, but gets: runs below them keep them as parents.

    Returns:
        What became of the spans. A target that cannot be used, or cannot be asked, is one of its problems.
    """
    kept, left_out = sampled(spans)
    traces = _traces(kept)
    index = have if have is not None else target.index
    if index is None:
        problem = (
            f"{target.name} cannot be asked which spans it has: name its backend, give a folder of the trace files "
            "that it has, or send without repairing."
        )
        result = SendResult(problems=(problem,))
    else:
        sender = Sender(target)
        result = sender.deliver(_portions(traces, index, sender.result, coming))
    result.sampled_out = left_out
    result.unsent += sum(span.end is not None for trace in traces.values() for span in trace)
    return result


def _portions(
    traces: dict[int, list[Span]], index: SpanIndex, result: SendResult, coming: Collection[int]
) -> Iterator[list[Span]]:
    """What is missing of each trace; takes the traces out as it goes, so that what is left was not asked for."""
    while traces:
        trace_id = next(iter(traces))
        known_ids = index.span_ids(trace_id)
        part = _lacking(traces.pop(trace_id), known_ids, to_send=True, coming=coming)
        result.skipped_open += part.skipped_open
        result.known += part.known
        yield part.spans


def _lacking(
    trace: Sequence[Span], known_ids: set[int], *, to_send: bool, coming: Collection[int] = frozenset()
) -> Lacking:
    spans = reroot(trace, known_ids | set(coming)) if to_send else trace
    return Lacking(
        missing(spans, known_ids),
        known=sum(span.end is not None and span.span_id in known_ids for span in trace),
        skipped_open=sum(span.end is None for span in trace),
    )


def _traces(spans: Iterable[Span]) -> dict[int, list[Span]]:
    traces: dict[int, list[Span]] = {}
    for span in spans:
        traces.setdefault(span.trace_id, []).append(span)
    return traces
