"""What do the spans of timers say of waiting for a person: how did it end, who answered?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import msgspec

from tracing import conventions as c
from tracing.config import TracingConfig
from tracing.headers import TraceHeader
from tracing.identity import step_span_id
from tracing.runs import Attributes, Run
from tracing.spans.model import Link

WaitOutcome = Literal["answered", "timed_out", "canceled"]

MAX_ANSWERS: Final = 16
"""Signals and updates that a span names as the end of its wait; of more, the first."""


class Answer(msgspec.Struct, frozen=True, gc=False):  # in no cycle
    """A signal or update that may have ended a wait: the task in which that ended followed from it.

    Which of several made the workflow's condition true, only its code knows: all of them are named.

    Attributes:
        kind: Which of the two.
        key: What its span ID is made of: ID of the signal's event, the update's ID.
        name: Its name.
        by: Who sent it.
    """

    kind: Literal["signal", "update"]
    key: str
    name: str
    by: str

    @property
    def span_name(self) -> str:
        """Name of its span."""
        return c.handle_signal(self.name) if self.kind == "signal" else c.handle_update(self.name)


class Wait(msgspec.Struct, frozen=True, gc=False):  # in no cycle
    """A wait for a person.

    Attributes:
        outcome: How it ended; None where it had not, or that is not known.
        answers: What led to its end.
    """

    outcome: WaitOutcome | None = None
    answers: Sequence[Answer] = ()


@dataclass(slots=True, eq=False)
class Task:
    """A workflow task: what made it.

    Attributes:
        number: Orders the tasks of a run.
        messages: The signals that it was handed, and the updates that it accepted.
        after: The tasks that asked for the steps whose ends it was handed. Steps that were cancelled count for nothing:
            not all of them have an event that says when the workflow was told.
    """

    number: int
    messages: list[Answer] = field(default_factory=list)
    after: list[Task] = field(default_factory=list)

    def answers(self, since: Task) -> list[Answer]:
        """The messages that it followed from, at once or by steps between, and that came after an earlier task."""
        seen = {self}
        ahead = [self]
        while ahead:
            found = {task for task in ahead.pop().after if task.number > since.number} - seen
            seen |= found
            ahead += found
        return [message for task in sorted(seen, key=lambda task: task.number) for message in task.messages]


def sender(header: TraceHeader | None, identity: str) -> str:
    """Who sent a signal or update: the user that the client's session names, else the client itself."""
    return (header.user if header is not None else None) or identity


def canceled_wait(since: Task, until: Task, *, cancel_requested: bool) -> Wait:
    """A wait whose timer the workflow's code cancelled: its condition held, or nobody was waited for any longer.

    The first only where somebody had said something; and where the run was asked to cancel, that comes before.

    Args:
        since: The task in which it began.
        until: The task that cancelled the timer.
        cancel_requested: Whether that was told that a client asked to cancel the run.
    """
    answers = [] if cancel_requested else until.answers(since)
    return Wait("answered", answers[:MAX_ANSWERS]) if answers else Wait("canceled")


def fired_wait(until: Task, *, in_time: bool | None = None) -> Wait:
    """A wait whose timer fired. The SDK hands out messages before timers: what came with the same task may be in time.

    Args:
        until: The task that was told.
        in_time: Whether the workflow's code ended the wait before it was told; None where that is not known.
    """
    if not until.messages:
        return Wait("timed_out")
    outcome: WaitOutcome | None = None if in_time is None else "answered" if in_time else "timed_out"
    return Wait(outcome, until.messages[:MAX_ANSWERS])


def wait_attributes(config: TracingConfig, wait: Wait) -> Attributes:
    """What a timer's span says of its wait."""
    attributes: Attributes = {c.WAIT_FOR: c.PERSON}
    if wait.outcome is not None:
        attributes[c.WAIT_OUTCOME] = wait.outcome
    if wait.answers:
        attributes[c.WAIT_ANSWERS] = tuple(answer.span_name for answer in wait.answers)
        attributes[c.WAIT_ANSWERED_BY] = tuple(
            config.redacted(c.WAIT_ANSWERED_BY, answer.by) for answer in wait.answers
        )
    return attributes


def answer_links(run: Run, wait: Wait) -> tuple[Link, ...]:
    """Links to the spans of what led to a wait's end."""
    return tuple(Link(run.trace_id, step_span_id(run.run_id, answer.kind, answer.key)) for answer in wait.answers)
