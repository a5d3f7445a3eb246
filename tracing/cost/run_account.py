"""What does the account of a run hold: its steps, what they spent together, and its waits?"""

from __future__ import annotations

from dataclasses import dataclass

from tracing.cost.amount import Amount, sum_of
from tracing.cost.step_account import StepAccount
from tracing.cost.waits import PersonWait, time_waited
from tracing.usage import Usage, total


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
        trace_id: Trace ID; 0 where runs of several traces are joined.
        session_id: Session: as set at start, else the workflow ID; "" where no span says it.
        user_id: User, where one was set; "" else.
        tags: Tags, where some were set.
        joined: The run IDs, where this is the account of several runs together.
        waits: Its waits for persons, in the order they began.
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
    trace_id: int = 0
    session_id: str = ""
    user_id: str = ""
    tags: tuple[str, ...] = ()
    joined: tuple[str, ...] = ()
    waits: tuple[PersonWait, ...] = ()

    @property
    def tries(self) -> int:
        """How many attempts its steps took."""
        return sum(step.tries for step in self.steps)

    @property
    def duration(self) -> int | None:
        """From begin to end, in ns; None while open."""
        return None if self.end is None else max(0, self.end - self.start)

    @property
    def waited(self) -> int:
        """For how much of its duration it waited for persons, in ns; waits that go on are not in it."""
        return time_waited(self.waits)

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
    def undecoded(self) -> int:
        """Results and failures of steps that are encoded or stored elsewhere, so that what they record is unknown."""
        return sum(step.undecoded for step in self.steps)

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
