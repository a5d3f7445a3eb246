"""One run that a story tells of, with the runs that belong to it: what it did and spent, and what its replay did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.demo.story import Step
from tracing.cost import Comparison, RunAccount, account, compare, join

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agent.demo.exported import ExportedRun, ReplayedRun
    from agent.demo.story import Story
    from tracing.cost import StepAccount


@dataclass(frozen=True)
class Side:
    """One run with the runs that belong to it, as one account.

    Attributes:
        label: What the tables call it.
        runs: The account of each run, in the order they began.
        comparison: All of them together, against their replays.
        steps: Whose step each one of the account is, by its span ID: that of the run, not of the joined account.
        reproduced: Whether each replay did what the history says.
    """

    label: str
    runs: Sequence[RunAccount]
    comparison: Comparison
    steps: Mapping[int, Step]
    reproduced: bool

    @classmethod
    def of(cls, label: str, exported: Sequence[ExportedRun], replayed: Sequence[ReplayedRun], story: Story) -> Side:
        """Account for some runs and their replays."""
        runs = [account(run.spans) for run in exported]
        steps = {step.span_id: Step(run.run_id, step.key.partition(":")[2]) for run in runs for step in run.steps}
        joined, requests = join(runs), story.requests_of()
        counted = {step.key: requests[steps[step.span_id]] for step in joined.steps if steps[step.span_id] in requests}
        comparison = compare(joined, join([account(replay.spans) for replay in replayed]), requests=counted)
        return cls(label, runs, comparison, steps, all(replay.reproduced for replay in replayed))

    @property
    def account(self) -> RunAccount:
        """What the runs spent, together."""
        return self.comparison.first

    def step_of(self, step: StepAccount) -> Step:
        """Which step of which run one of the account is."""
        return self.steps[step.span_id]
