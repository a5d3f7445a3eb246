"""What of a workflow that is executed here has been seen in the database, and what is awaited?"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final

import msgspec

from tracing.dbos.ledgers import RecordedAttempt
from tracing.dbos.parts import may_go_on
from tracing.dbos.records import StepRow, WorkflowRow
from tracing.dbos.runs import DbosRun
from tracing.dbos_live.retries import NO_PAUSE, Pause

FIRST_LOOK_SECONDS: Final = 0.02
"""How long after a step's function has returned its row is looked for; each look in vain doubles that."""
LONGEST_WAIT_SECONDS: Final = 1.0
PATIENCE_SECONDS: Final = 30.0
"""How long the end of a workflow is looked for after its function has returned: another process may have taken it, or
the database not answer."""


@dataclass(slots=True)
class Watched:
    """A workflow that is executed here.

    Attributes:
        run: Its run.
        since: When this execution began, in ms since the epoch.
        count: How often the workflow had been begun by then.
        ended: When its function ended, by the monotonic clock; None while it runs.
        patience: How long its end is looked for after that, in seconds.
        pause: How long it may wait before that to begin again, where it is but a step whose attempt has failed.
        attempted: Steps whose functions ran here; True where the attempt's own spans were sent.
        lost: Those of them of which an attempt could not be recorded, though it had something to tell.
        waiting: Those of them whose rows are not there yet.
        sent: Steps whose spans were sent.
        seen: Steps whose rows were read.
        first: Number of the first step whose row was not read yet.
        attempts: What was recorded of attempts, as far as it was read; of steps whose rows were read, without spans.
        own_steps: Steps that this execution did, as far as their rows were read, without their values.
        next_look: When to look next, by the monotonic clock.
        wait: How long to wait after a look in vain.
    """

    run: DbosRun
    since: int
    count: int = 0
    ended: float | None = None
    patience: float = 0.0
    pause: Pause = NO_PAUSE
    attempted: dict[int, bool] = field(default_factory=dict)
    lost: set[int] = field(default_factory=set)
    waiting: set[int] = field(default_factory=set)
    sent: set[int] = field(default_factory=set)
    seen: set[int] = field(default_factory=set)
    first: int = 1
    attempts: dict[int, list[RecordedAttempt]] = field(default_factory=dict)
    own_steps: list[StepRow] = field(default_factory=list)
    next_look: float = 0.0
    wait: float = FIRST_LOOK_SECONDS

    def await_row(self, function_id: int) -> None:
        """A step's function has ended: its row is to come, or was read a moment ago."""
        self.waiting.add(function_id)
        self.seen.discard(function_id)
        self.first = min(self.first, function_id)
        self._look_soon()

    def end(self, patience: float, pause: Pause = NO_PAUSE) -> None:
        """Its function has ended; its end is looked for so many seconds, after a pause."""
        self.ended, self.patience, self.pause = time.monotonic(), patience, pause
        self._look_soon()

    def is_to_end(self, now: float) -> bool:
        """Whether its end is about to be recorded: not while its step waits for the next attempt."""
        if self.ended is None:
            return False
        since = now - self.ended
        return since >= self.pause.seconds or not (self.pause.certain or since > self.patience)

    def is_given_up(self, now: float, *, answered: bool) -> bool:
        """Whether its end was looked for long enough; a database that does not answer is asked again."""
        patience = self.patience if answered else PATIENCE_SECONDS
        return self.ended is not None and now - self.ended > self.pause.seconds + patience

    def look_later(self, now: float) -> bool:
        """Whether there is anything to look for again, as there is not while an attempt may wait long for the next."""
        tired = self.ended is None and (not self.waiting or self.wait >= LONGEST_WAIT_SECONDS)
        # Seldom through a pause, which may take an hour, and yet when it is over.
        pause = self.ended + self.pause.seconds - now if self.ended is not None else 0.0
        self.wait = min(2 * self.wait, max(LONGEST_WAIT_SECONDS, pause))
        self.next_look = now + self.wait
        return not tired

    def is_taken_over(self, row: WorkflowRow) -> bool:
        """Whether an execution that began later goes on with the workflow, or has ended it: that one sends the rest."""
        return row.executions > self.count and not may_go_on(row)

    def take_times(self, steps: Iterable[StepRow]) -> None:
        """Keep when steps were done that this execution did."""
        self.own_steps += [replace(step, result=None, failure=None) for step in steps if self.is_new(step)]

    def see(self, function_id: int) -> None:
        """The row of a step was read, and what it makes is sent."""
        self.seen.add(function_id)
        self.waiting.discard(function_id)
        if function_id in self.attempts:
            self.attempts[function_id] = [_without_spans(each) for each in self.attempts[function_id]]
        while self.first in self.seen:
            self.first += 1

    def is_new(self, step: StepRow) -> bool:
        """Whether a step was done by this execution, and not before it."""
        begun = step.started or step.completed
        return step.function_id in self.attempted or (begun is not None and begun >= self.since)

    def _look_soon(self) -> None:
        self.wait = FIRST_LOOK_SECONDS
        self.next_look = time.monotonic() + self.wait


def _without_spans(attempt: RecordedAttempt) -> RecordedAttempt:
    return replace(attempt, ledger=msgspec.structs.replace(attempt.ledger, spans=[]))
