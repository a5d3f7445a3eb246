"""How long did a run wait for persons, and what became of each wait? It is time in which nothing was computed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from tracing import conventions as c
from tracing.cost.attributes import text, texts
from tracing.spans.model import Span
from tracing.waits import waited_for


@dataclass(frozen=True, slots=True)
class PersonWait:
    """One wait for a person.

    Attributes:
        span_id: Span ID of its timer.
        start: When it began, in ns since the epoch.
        end: When the workflow was told of its end, in ns; None while it goes on.
        outcome: answered, timed_out or canceled; "" where it had not ended, or where that is not known.
        answered_by: Who sent what ended it, each once.
        answers: The spans of that: ``HandleUpdate:approve``.
        about: What it is about, as the workflow's code says, where content is shown; "" else.
    """

    span_id: int
    start: int
    end: int | None
    outcome: str
    answered_by: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    about: str = ""

    @property
    def duration(self) -> int | None:
        """How long it was, in ns; None while it goes on."""
        return None if self.end is None else max(0, self.end - self.start)

    @property
    def ending(self) -> str:
        """What became of it, in words."""
        if self.outcome == "answered":
            return f"answered by {self._whom}" if self.answered_by else "answered"
        if self.end is None:
            return "still waiting"
        if self.answers and not self.outcome:
            return f"answered by {self._whom}, or not in time"
        return _ENDINGS.get(self.outcome, "not answered when the run ended")

    @property
    def _whom(self) -> str:
        return ", ".join(self.answered_by)


_ENDINGS: Final = {"timed_out": "nobody answered in time", "canceled": "canceled"}


def person_wait(span: Span) -> PersonWait | None:
    """The wait for a person that a span is; None of other spans."""
    attributes = span.attributes
    if text(attributes, c.WAIT_FOR) != c.PERSON:
        return None
    return PersonWait(
        span_id=span.span_id,
        start=span.start,
        end=span.end,
        outcome=text(attributes, c.WAIT_OUTCOME),
        answered_by=tuple(dict.fromkeys(texts(attributes, c.WAIT_ANSWERED_BY))),
        answers=texts(attributes, c.WAIT_ANSWERS),
        about=waited_for(text(attributes, c.SUMMARY)),
    )


def person_waits(spans: Iterable[Span]) -> tuple[PersonWait, ...]:
    """The waits among some spans, in the order they began. One that a reset took over was another run's."""
    own = (span for span in spans if span.attributes.get(c.REUSED) is not True)
    found = (wait for span in own if (wait := person_wait(span)) is not None)
    return tuple(sorted(found, key=lambda wait: (wait.start, wait.span_id)))


def time_waited(waits: Iterable[PersonWait]) -> int:
    """Time of the waits that have ended, in ns; where several went on at once, it counts once."""
    waited = reached = 0
    for wait in sorted(waits, key=lambda wait: wait.start):
        if wait.end is not None:
            waited += max(0, wait.end - max(wait.start, reached))
            reached = max(reached, wait.end)
    return waited
