"""How do spans get from here to a backend?

As OTLP/HTTP with protobuf, which every backend takes, in bounded requests. Open spans are never sent: a backend that
keeps the first of two spans with one ID would keep the unfinished one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from tracing.backends.client import Client
from tracing.backends.target import Target, TargetError
from tracing.spans.model import Span
from tracing.tracefile.batches import BATCH_BYTES, BATCH_SPANS, Batch, batches, halves
from tracing.tracefile.missing import missing
from tracing.tracefile.posting import Verdict, post
from tracing.tracefile.reroot import reroot
from tracing.tracefile.sampled import sampled

_MAX_PROBLEMS: Final = 20


@dataclass
class SendResult:
    """What became of the spans.

    Attributes:
        sent: Spans that the target took.
        skipped_open: Spans that are still open, and so were not sent.
        sampled_out: Spans of runs that were sampled out, and so were not sent.
        known: Spans that the target had already, where it was asked.
        rejected: Spans that the target refused.
        unsent: Spans left when the target could not be used at all, or no longer.
        batches: Requests that the target took.
        problems: Why spans were refused or left; each says what to do about it.
    """

    sent: int = 0
    skipped_open: int = 0
    sampled_out: int = 0
    known: int = 0
    rejected: int = 0
    unsent: int = 0
    batches: int = 0
    problems: tuple[str, ...] = ()


class Sender:
    """Sends spans to one target in batches.

    Attributes:
        result: What became of the spans so far.
    """

    def __init__(self, target: Target, *, batch_spans: int = BATCH_SPANS, batch_bytes: int = BATCH_BYTES) -> None:
        self.result = SendResult()
        self._target = target
        self._batch_spans = batch_spans
        self._batch_bytes = batch_bytes
        self._client = Client(target.settings)

    def deliver(self, portions: Iterable[Sequence[Span]]) -> SendResult:
        """Send spans as they are, but for the open ones; batches go across portions.

        Args:
            portions: Spans, in portions that may be made while others are sent.

        Returns:
            What became of them. A target that cannot be used is one of its problems.
        """
        waiting: list[Span] = []
        result = self.result
        given = 0
        try:
            for spans in portions:
                closed = [span for span in spans if span.end is not None]
                result.skipped_open += len(spans) - len(closed)
                given += len(closed)
                waiting += closed
                while len(waiting) >= self._batch_spans:
                    self._send(waiting[: self._batch_spans])
                    del waiting[: self._batch_spans]
            if waiting:
                self._send(waiting)
        except TargetError as error:
            self._problem(str(error))
            result.unsent += given - result.sent - result.rejected
        finally:
            self._client.close()
        return result

    def _send(self, spans: Sequence[Span]) -> None:
        for batch in batches(
            spans, self._target.compression, batch_spans=self._batch_spans, batch_bytes=self._batch_bytes
        ):
            self._post(batch)

    def _post(self, batch: Batch) -> None:
        answer = post(self._client, self._target, batch)
        if answer.verdict is Verdict.TOO_LARGE:
            for half in halves(batch):
                self._post(half)
            return
        self.result.rejected += answer.rejected
        if answer.verdict is Verdict.TAKEN:
            self.result.batches += 1
            self.result.sent += batch.spans - answer.rejected
        if answer.problem:
            self._problem(answer.problem)

    def _problem(self, sentence: str) -> None:
        if sentence not in self.result.problems and len(self.result.problems) < _MAX_PROBLEMS:
            self.result.problems = (*self.result.problems, sentence)


def send(spans: Iterable[Span], target: Target, *, coming: Collection[int] = frozenset()) -> SendResult:
    """Send the closed spans of one or more traces, each once, each trace with a root that the target then has.

    Args:
        spans: All spans that are at hand of these traces, open ones included.
        target: Where to.
        coming: Span IDs that the target does not have yet, but gets: runs below them keep them as parents.

    Returns:
        What became of them. A target that cannot be used is one of its problems.
    """
    kept, left_out = sampled(spans)
    rerooted = reroot(kept, coming)
    sender = Sender(target)
    sender.result.sampled_out = left_out
    sender.result.skipped_open = sum(span.end is None for span in rerooted)
    return sender.deliver([missing(rerooted, ())])
