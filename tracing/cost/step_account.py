"""What does the account of a step hold: its attempts, and the model calls of each?

Sums are exact (`Decimal`), and what is unknown stays unknown: it is counted beside the sum, never added as 0.
"""

from __future__ import annotations

from dataclasses import dataclass

from tracing.cost.amount import UNKNOWN, Amount, amount_of, sum_of
from tracing.usage import Usage, total

SpanKey = tuple[int, int]
"""Trace ID and span ID."""


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
        number: Number of the attempt, from 1; None where only its calls were found, not its span, and of engines that
            number none (DBOS).
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
    def unlisted(self) -> Usage:
        """What its recorded sums tell beyond the calls that are listed."""
        return self.usage - total(call.usage for call in self.calls)

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
        span_id: Span ID of the step; of its last attempt, where the step's own span is missing.
        attempts: Attempts of which something is known, in their order.
        missing_attempts: Attempts that are known to have been made, but left nothing at all.
        running_attempts: Those of them that still run, as the server says.
        undecoded: How many of its results and failures are encoded or stored elsewhere, so that what they record is
            unknown.
        counted: Whether it is known how many attempts it took; of a step that never closed only a server says so.
        reused: Whether its result was taken from history: it then cost nothing here.
        taken_from: Of a reused step: the one whose result it took, as its link names it, which may be reused as well;
            None where nobody knows.
        closed: Whether it has come to an end.
        error: Class of the error it ended with; "" else.
        start: When it was issued, in ns since the epoch.
        end: When it was closed, in ns; None while open.
        input_digest: Digest of its input, where content was captured; None else.
        summary: What the workflow's code calls it, where content was captured; "" else.
        trace_id: Trace ID of the step; 0 is unknown.
    """

    key: str
    type: str
    span_id: int
    attempts: tuple[AttemptAccount, ...] = ()
    missing_attempts: int = 0
    running_attempts: int = 0
    undecoded: int = 0
    counted: bool = True
    reused: bool = False
    taken_from: SpanKey | None = None
    closed: bool = True
    error: str = ""
    start: int = 0
    end: int | None = None
    input_digest: str | None = None
    summary: str = ""
    trace_id: int = 0

    @property
    def span_key(self) -> SpanKey:
        """Trace ID and span ID of the step."""
        return self.trace_id, self.span_id

    @property
    def tries(self) -> int:
        """How many attempts it took, those that left nothing included."""
        return len(self.attempts) + self.missing_attempts

    @property
    def duration(self) -> int | None:
        """From begin to end, in ns; 0 where it was reused, for its times are another run's; None while open."""
        if self.reused:
            return 0
        return None if self.end is None else max(0, self.end - self.start)

    @property
    def usage(self) -> Usage:
        """Sum over the model calls of all attempts."""
        return total(attempt.usage for attempt in self.attempts)

    @property
    def amount(self) -> Amount:
        """What all attempts cost."""
        known = sum_of(attempt.amount for attempt in self.attempts)
        return known + Amount(unknown_parts=self.missing_attempts + self.uncertain)

    @property
    def uncertain(self) -> bool:
        """Whether it may have spent what no attempt tells of.

        Nobody knows what an open step is doing, or whether a step that closed without any attempt in sight had one.
        """
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
    def wasted_missing_attempts(self) -> int:
        """Those of the missing attempts that are wasted."""
        return self.missing_attempts - self.running_attempts

    @property
    def waste(self) -> Amount:
        """Retry waste: what the wasted attempts cost."""
        known = sum_of(attempt.amount for attempt in self.wasted_attempts)
        return known + Amount(unknown_parts=self.wasted_missing_attempts + (not self.counted))

    @property
    def closed_at(self) -> int | None:
        """When its result was there, in ns: by the attempt's own clock where known, for steps end with a task."""
        closing = self.closing_attempt
        return closing.end if closing and closing.end is not None else self.end
