"""Which events belong to one step of a run, and how does its span say so?

A step is opened by one event, and others refer to that by its ID.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from tracing.history.attributes.messages import Attributes
from tracing.history.event_ids import with_event_ids
from tracing.history.events import Event
from tracing.history.runs import RunContext
from tracing.runs import Run
from tracing.spans.model import Span
from tracing.spans.reused import as_reused
from tracing.spans.step import OPEN, Outcome

A = TypeVar("A", bound=Attributes)


@dataclass(slots=True)
class StepEvents(Generic[A]):
    """The events of one step.

    Attributes:
        opened: The event that opened it.
        asked: What that says.
        nth: Which use of its key in the run, from 1.
        closed: The event that closed it.
        ids: IDs of its events.
    """

    opened: Event
    asked: A
    nth: int = 1
    closed: Event | None = None
    ids: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ids.append(self.opened.id)

    def close(self, event: Event) -> None:
        """Add the event that closes it; a second one is none of its own."""
        if self.closed is None:
            self.closed = event
            self.ids.append(event.id)

    def reused(self, context: RunContext) -> bool:
        """Whether a reset took it over."""
        return self.closed is not None and context.reused(self.closed.id)


def still_open(context: RunContext) -> Outcome:
    """How a step stands that no event closes: it ends with the run, or goes on."""
    return OPEN if context.closing.end is None else Outcome(end=context.closing.end, unclosed=True)


def finished(context: RunContext, step: StepEvents[A], span: Span, base_step: Callable[[Run], int]) -> Span:
    """The span with the IDs of its events; flagged and linked where a reset took the step over.

    Args:
        context: The run.
        step: The step.
        span: Its span.
        base_step: Gives the span ID of the same step in the base run.
    """
    if step.reused(context):
        span = as_reused(span, context.base, base_step(context.base) if context.base is not None else 0)
    return with_event_ids(span, step.ids)
