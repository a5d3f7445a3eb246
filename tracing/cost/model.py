"""What does an account hold: a run's steps, their attempts, and the model calls of each?

Sums are exact (`Decimal`), and what is unknown stays unknown: it is counted beside the sum, never added as 0.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from tracing.usage import Usage, total


@dataclass(frozen=True, slots=True)
class Amount:
    """A sum of money of which a part may be unknown.

    Attributes:
        known: USD of the parts whose cost is known.
        known_parts: Number of these parts (model calls).
        unknown_parts: Number of parts whose cost is unknown: calls without a price, attempts without a record.
    """

    known: Decimal = Decimal(0)
    known_parts: int = 0
    unknown_parts: int = 0

    def __add__(self, other: Amount) -> Amount:
        return Amount(
            self.known + other.known,
            self.known_parts + other.known_parts,
            self.unknown_parts + other.unknown_parts,
        )

    @property
    def usd(self) -> Decimal | None:
        """USD, at least; None where nothing of it is known."""
        return None if self.unknown_parts and not self.known_parts else self.known

    @property
    def at_least(self) -> bool:
        """Whether the true sum may be higher."""
        return self.unknown_parts > 0


UNKNOWN = Amount(unknown_parts=1)
"""One part of unknown cost."""


def amount_of(usage: Usage) -> Amount:
    """What some model calls cost."""
    return Amount(usage.cost, usage.calls - usage.unknown_cost_calls, usage.unknown_cost_calls)


def sum_of(amounts: Iterable[Amount]) -> Amount:
    """The sum of several amounts."""
    result = Amount()
    for amount in amounts:
        result += amount
    return result


@dataclass(frozen=True, slots=True)
class ModelCall:
    """One call of a model.

    Attributes:
        span_id: Span ID of the call.
        provider: Provider, by its name in the GenAI conventions; None is unknown.
        model: The model that answered, else the one that was asked; None is unknown.
        requested_model: The model that was asked.
        usage: Tokens and cost of this one call.
        price_source: Price list with its version; "" where the cost is unknown.
        error: Class of the error, where the call failed; "" else.
        start: Begin, in ns since the epoch.
        end: End, in ns; None while open.
    """

    span_id: int
    provider: str | None
    model: str | None
    requested_model: str | None
    usage: Usage
    price_source: str = ""
    error: str = ""
    start: int = 0
    end: int | None = None


@dataclass(frozen=True, slots=True)
class AttemptAccount:
    """One try of a step.

    A model client's own retries are further `calls` of the same attempt; Temporal's retries are further attempts.

    Attributes:
        number: Number of the attempt, from 1; None where only its calls were found, not its span.
        calls: Its model calls, in the order they began.
        usage: Sum over all its calls, also over those whose spans are missing but whose sums were recorded.
        recorded: Whether all that it spent is known. False for attempts that died, and where no ledger was written.
        closing: Whether its result closed the step.
        error: Class of the error it ended with; "" else.
        timeout_type: Which timeout ended it, as Temporal spells it; "" else.
        start: Begin, in ns since the epoch.
        end: End, in ns; None while open or unknown.
        span_id: Span ID of the attempt; None where its span was not found.
    """

    number: int | None
    calls: tuple[ModelCall, ...]
    usage: Usage
    recorded: bool
    closing: bool
    error: str = ""
    timeout_type: str = ""
    start: int = 0
    end: int | None = None
    span_id: int | None = None

    @property
    def amount(self) -> Amount:
        """What it cost."""
        return amount_of(self.usage) if self.recorded else amount_of(self.usage) + UNKNOWN

    @property
    def failed_calls(self) -> int:
        """Model calls in it that failed: what the model client tried again inside the attempt."""
        return sum(1 for call in self.calls if call.error)


@dataclass(frozen=True, slots=True)
class StepAccount:
    """One thing that a workflow asked for.

    Attributes:
        key: Kind and ID in the run, ``activity:3``; ``activity:3#2`` where the ID was used before.
        type: Activity type.
        span_id: Span ID of the step.
        attempts: Attempts of which something is known, in their order.
        missing_attempts: Attempts that are known to have been made, but left nothing at all.
        reused: Whether its result was taken from history: it then cost nothing here.
        closed: Whether it has come to an end.
        error: Class of the error it ended with; "" else.
        start: When it was issued, in ns since the epoch.
        end: When it was closed, in ns; None while open.
        input_digest: Digest of its input, where content was captured; None else.
    """

    key: str
    type: str
    span_id: int
    attempts: tuple[AttemptAccount, ...] = ()
    missing_attempts: int = 0
    reused: bool = False
    closed: bool = True
    error: str = ""
    start: int = 0
    end: int | None = None
    input_digest: str | None = None

    @property
    def usage(self) -> Usage:
        """Sum over the model calls of all attempts."""
        return total(attempt.usage for attempt in self.attempts)

    @property
    def amount(self) -> Amount:
        """What all attempts cost."""
        known = sum_of(attempt.amount for attempt in self.attempts)
        return known + Amount(unknown_parts=self.missing_attempts + self._uncertain)

    @property
    def _uncertain(self) -> bool:
        # Nobody knows what an open step is doing, or whether a step that closed without any attempt in sight had one.
        return not self.reused and (not self.closed or not (self.attempts or self.missing_attempts))

    @property
    def closing_attempt(self) -> AttemptAccount | None:
        """The attempt whose result closed the step; None where there is none."""
        return next((attempt for attempt in self.attempts if attempt.closing), None)

    @property
    def result_amount(self) -> Amount:
        """What its result cost: the attempt that closed it. A failure is no result and cost nothing in this sense."""
        if self.closing_attempt is not None:
            return self.closing_attempt.amount
        # A reused result was paid for in another run, whose account this is not.
        return Amount() if self.error or not self.closed else UNKNOWN

    @property
    def unknown_attempts(self) -> int:
        """Attempts of which not all is known."""
        return self.missing_attempts + sum(1 for attempt in self.attempts if not attempt.recorded)

    @property
    def wasted_attempts(self) -> tuple[AttemptAccount, ...]:
        """Attempts whose result did not close the step; one that still runs is not wasted yet."""
        return tuple(
            attempt
            for attempt in self.attempts
            if not attempt.closing and (self.closed or attempt.end is not None or attempt.number is None)
        )

    @property
    def waste(self) -> Amount:
        """Retry waste: what the wasted attempts cost."""
        known = sum_of(attempt.amount for attempt in self.wasted_attempts)
        return known + Amount(unknown_parts=self.missing_attempts)

    @property
    def closed_at(self) -> int | None:
        """When its result was there, in ns: by the attempt's own clock where known, for steps end with a task."""
        closing = self.closing_attempt
        return closing.end if closing and closing.end is not None else self.end


@dataclass(frozen=True, slots=True)
class RunAccount:
    """What one run, or one replay of it, spent.

    Attributes:
        run_id: The real run ID.
        workflow_id: Workflow ID.
        workflow_type: Workflow type.
        namespace: Namespace.
        status: How the run stands (completed, failed, … running); a replay's outcome; "unknown" without its span.
        start: Begin, in ns since the epoch.
        end: End, in ns; None while open.
        steps: Steps, in the order they were issued.
        workflow_task_timeouts: When workflow tasks of it timed out, in ns since the epoch.
        replay_id: Replay ID, where this is a replay; "" else.
    """

    run_id: str
    workflow_id: str
    workflow_type: str
    namespace: str
    status: str
    start: int
    end: int | None
    steps: tuple[StepAccount, ...]
    workflow_task_timeouts: tuple[int, ...] = ()
    replay_id: str = ""

    @property
    def usage(self) -> Usage:
        """Sum over the model calls of all steps."""
        return total(step.usage for step in self.steps)

    @property
    def amount(self) -> Amount:
        """What all steps cost."""
        return sum_of(step.amount for step in self.steps)

    @property
    def waste(self) -> Amount:
        """Retry waste of all steps."""
        return sum_of(step.waste for step in self.steps)

    @property
    def unknown_attempts(self) -> int:
        """Attempts of which not all is known."""
        return sum(step.unknown_attempts for step in self.steps)

    @property
    def price_sources(self) -> tuple[str, ...]:
        """Price lists that the calls were priced by, sorted."""
        calls = (call for step in self.steps for attempt in step.attempts for call in attempt.calls)
        return tuple(sorted({call.price_source for call in calls} - {""}))

    def by_model(self) -> dict[tuple[str | None, str | None], Usage]:
        """Usage of the listed calls by provider and model, in the order of their first call."""
        sums: dict[tuple[str | None, str | None], Usage] = {}
        for step in self.steps:
            for attempt in step.attempts:
                for call in attempt.calls:
                    key = (call.provider, call.model)
                    sums[key] = sums.get(key, Usage()) + call.usage
        return sums
