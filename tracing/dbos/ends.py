"""How had a workflow ended before somebody let it go on?

DBOS lets a workflow go on that was cancelled, in place, and its row then forgets that it was over. The span of its run
was sent by then. So whoever sends such a span notes the end in the workflow's attributes first: the span stays as it
is, and what comes after is another part of the run, with a span of its own below.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final

import msgspec

from tracing import conventions as c
from tracing.identity import SCHEME

UNDONE: Final = frozenset({"CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"})
"""Statuses of DBOS's that ``resume_workflow`` takes back."""
MAX_ENDS: Final = 100
_MAX_MISSING: Final = 1_000
_MAX_BYTES: Final = 1 << 16
_MAX_NOTE: Final = 1 << 13
"""Most bytes of a note: the session stands in the same attributes, which are read up to a length."""
_MAX_NAME: Final = 1_024

_Number = Annotated[int, msgspec.Meta(ge=0, lt=1 << 31)]
_Time = Annotated[int, msgspec.Meta(ge=0, lt=1 << 43)]
_Name = Annotated[str, msgspec.Meta(max_length=_MAX_NAME)]


class KeptEnd(msgspec.Struct, frozen=True, omit_defaults=True):
    """An end of a workflow after which it may go on.

    Attributes:
        status: Its status then, as DBOS spells it.
        completed: When it was completed, by its row, in ms since the epoch: tells this end from others.
        end: When the run's span ended, in ms: widened by its steps.
        executions: How often it had been begun since it was resumed last.
        executor: ID of the executor.
        version: Version of the application.
        last: Number of the last step that was done; 0 where none was.
        missing: Numbers of steps before that which were not.
        lost: Numbers of steps of which an attempt ended too late to be recorded.
    """

    status: _Name
    completed: _Time
    end: _Time
    executions: _Number = 0
    executor: _Name = ""
    version: _Name = ""
    last: _Number = 0
    missing: Annotated[tuple[_Number, ...], msgspec.Meta(max_length=_MAX_MISSING)] = ()
    lost: Annotated[tuple[_Number, ...], msgspec.Meta(max_length=_MAX_MISSING)] = ()

    def covers(self, function_id: int) -> bool:
        """Whether a step was done by then."""
        return function_id <= self.last and function_id not in self.missing


class _Kept(msgspec.Struct):
    run: str
    ends: Annotated[tuple[KeptEnd, ...], msgspec.Meta(max_length=MAX_ENDS)]
    v: int


class _Attributes(msgspec.Struct):
    kept: _Kept | None = msgspec.field(default=None, name=c.KEPT_ENDS)


_DECODER: Final = msgspec.json.Decoder(_Attributes)


def read_ends(text: Any, workflow_id: str) -> tuple[KeptEnd, ...]:
    """The ends that a workflow's attributes tell of, in their order; none where these are another workflow's.

    Args:
        text: Their JSON, as stored; anybody may have written it, and a fork has a copy of its base's.
        workflow_id: The workflow.
    """
    if not isinstance(text, str) or len(text) > _MAX_BYTES or c.KEPT_ENDS not in text:
        return ()
    try:
        kept = _DECODER.decode(text).kept
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return ()
    if kept is None or (kept.run, kept.v) != (workflow_id, SCHEME):
        return ()
    return kept.ends if all(end.status in UNDONE for end in kept.ends) else ()


def ends_attributes(workflow_id: str, ends: Sequence[KeptEnd]) -> dict[str, Any] | None:
    """The attributes that tell of ends; None where there are more than can be kept.

    Args:
        workflow_id: The workflow.
        ends: All its ends so far.
    """
    kept = msgspec.to_builtins({c.KEPT_ENDS: _Kept(workflow_id, tuple(ends), SCHEME)})
    note = msgspec.json.encode(kept)
    if len(note) > _MAX_NOTE or read_ends(note.decode(), workflow_id) != tuple(ends):
        return None
    attributes: dict[str, Any] = kept
    return attributes


def part_of(ends: Sequence[KeptEnd], function_id: int) -> int:
    """Which part of the run a step belongs to: 0 until its first end, then one more after each."""
    return next((number for number, end in enumerate(ends) if end.covers(function_id)), len(ends))


def missing_steps(numbers: Sequence[int]) -> tuple[int, ...] | None:
    """Numbers that are left out before the last of a workflow's steps; None where there are too many to be kept.

    Args:
        numbers: Numbers of the steps that are there, from 1 on, in their order.
    """
    if not numbers or numbers[-1] - len(numbers) > _MAX_MISSING:
        return () if not numbers else None
    there = set(numbers)
    return tuple(number for number in range(1, numbers[-1]) if number not in there)
