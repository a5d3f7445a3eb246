"""How long did an attempt wait before it began, and for what?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final, Literal

from tracing import conventions as c
from tracing.spans.model import NS_PER_S, Span

WaitKind = Literal["queue", "backoff", "unrecorded"]
"""``queue``: for a worker. ``backoff``: between the attempt before and this one's turn. ``unrecorded``: attempts before
it that left no span; when they began and ended nobody knows."""

WAIT_KINDS: Final[tuple[WaitKind, ...]] = ("queue", "backoff", "unrecorded")

Wait = tuple[WaitKind, int]
"""What for, and how long in ns."""


class Waits:
    """What the attempts of a trace waited for.

    Args:
        spans: The spans of the trace.
    """

    def __init__(self, spans: Iterable[Span]) -> None:
        self._steps: dict[int, Span] = {}
        self._attempts: defaultdict[int | None, dict[int, Span]] = defaultdict(dict)
        for span in spans:
            number = attempt_number(span)
            if number is None:
                self._steps[span.span_id] = span
            else:
                self._attempts[span.parent_id][number] = span

    def before(self, attempt: Span) -> tuple[Wait, ...]:
        """The waits that end where this attempt begins, the last one last; none for other spans."""
        number = attempt_number(attempt)
        if number is None:
            return ()
        queued = _queue_time(attempt)
        earlier = self._before(number, attempt, self._attempts[attempt.parent_id])
        waits: list[Wait] = [] if earlier is None else [(earlier[0], earlier[1] - queued)]
        waits.append(("queue", queued))
        return tuple((kind, length) for kind, length in waits if length > 0)

    def _before(self, number: int, attempt: Span, siblings: Mapping[int, Span]) -> Wait | None:
        if number == 1:
            return None
        previous = siblings.get(number - 1)
        if previous is not None:
            return None if previous.end is None else ("backoff", attempt.start - previous.end)
        known = [sibling.end for each, sibling in siblings.items() if each < number and sibling.end is not None]
        step = self._steps.get(attempt.parent_id or 0)
        since = max(known, default=None if step is None else step.start)
        return None if since is None else ("unrecorded", attempt.start - since)


def attempt_number(span: Span) -> int | None:
    """Which attempt of an activity it is; None for other spans."""
    number = span.attributes.get(c.ATTEMPT)
    is_attempt = span.name.startswith(c.run_activity("")) and isinstance(number, int) and not isinstance(number, bool)
    return int(number) if is_attempt and isinstance(number, int) else None


def _queue_time(span: Span) -> int:
    waited = span.attributes.get(c.QUEUE_TIME)
    if isinstance(waited, bool) or not isinstance(waited, (int, float)):
        return 0
    return round(waited * NS_PER_S) if 0 < waited * NS_PER_S < span.start else 0  # a trace may say anything
