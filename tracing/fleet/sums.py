"""What is summed up over many runs, and what are the sums?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tracing.config import TracingConfig
from tracing.cost import Dimension, Period, RunAccount, Tally, tallies
from tracing.cost.dimensions import GroupKey
from tracing.cost.tally import ALWAYS
from tracing.decoding import Decoding


@dataclass(frozen=True, slots=True)
class Question:
    """What is summed up. It is sent to worker processes.

    Attributes:
        by: What the sums are divided by.
        when: Which calls count.
        config: Settings of the conversion of histories.
        decoding: By what payloads of histories are decoded.
        namespace: Namespace of histories in files, instead of what they say; "" for what they say.
    """

    by: tuple[Dimension, ...]
    when: Period = ALWAYS
    config: TracingConfig = field(default_factory=TracingConfig)
    decoding: Decoding = field(default_factory=Decoding)
    namespace: str = ""


@dataclass(slots=True)
class Sums:
    """Sums over runs.

    Attributes:
        rows: A sum for each group.
        total: The sum over all runs, which counts each once.
        replays: Replays that were found. They are no runs, and spend nothing.
        failures: What could not be read, a sentence each.
        few: The runs and replays themselves, in the order in which they began, where there is but one run.
    """

    rows: dict[GroupKey, Tally] = field(default_factory=dict)
    total: Tally = field(default_factory=Tally)
    replays: int = 0
    failures: list[str] = field(default_factory=list)
    few: list[RunAccount] = field(default_factory=list)

    def add(self, run: RunAccount, question: Question) -> None:
        """Add a run."""
        self._put(run, question, Tally.add, 1)

    def remove(self, run: RunAccount, question: Question) -> None:
        """Take out a run that was added."""
        self._put(run, question, Tally.remove, -1)

    def merge(self, other: Sums) -> None:
        """Add the sums over other runs."""
        for values, tally in other.rows.items():
            self.rows.setdefault(values, Tally()).add(tally)
        self.total.add(other.total)
        self.replays += other.replays
        self.failures += other.failures

    def _put(self, run: RunAccount, question: Question, put: Callable[[Tally, Tally], None], sign: int) -> None:
        if run.replay_id:
            self.replays += sign
            return
        for values, tally in tallies(run, question.by, question.when).items():
            put(self.rows.setdefault(values, Tally()), tally)
        for tally in tallies(run, (), question.when).values():
            put(self.total, tally)
