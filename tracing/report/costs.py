"""Where did the money go: by activity type, by model, by step?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from tracing.cost import Amount, RunAccount, StepAccount
from tracing.cost.amount import amount_of, sum_of
from tracing.report.spent import saved_by
from tracing.usage import Usage, total


@dataclass(frozen=True, slots=True)
class CostLine:
    """What steps or calls with something in common cost together.

    Attributes:
        name: What they have in common.
        steps: Number of steps; 0 in a table of models.
        attempts: Number of attempts, those without a record too; 0 in a table of models.
        usage: Their model calls.
        amount: What they cost.
        waste: Part of it that attempts cost whose result did not close their step.
        share: Its share of the known cost of all, 0 to 1.
    """

    name: str
    steps: int
    attempts: int
    usage: Usage
    amount: Amount
    waste: Amount
    share: float


@dataclass(frozen=True, slots=True)
class StepLine:
    """One step and what it cost.

    Attributes:
        step: Its account.
        models: Models that answered in it.
        maker: Of a reused step: the step that made its result, where the page leads there.
    """

    step: StepAccount
    models: tuple[str, ...]
    maker: StepAccount | None

    @property
    def saved(self) -> Amount | None:
        """What its reused result cost when it was made; None where that is not on the page, or was nothing."""
        return saved_by(self.maker)

    @property
    def span_id(self) -> str:
        """Its span ID in hex."""
        return f"{self.step.span_id:016x}"

    @property
    def attempts(self) -> int:
        """Its attempts, those without a record too."""
        return len(self.step.attempts) + self.step.missing_attempts


def by_step(runs: Iterable[RunAccount], makers: Mapping[int, StepAccount]) -> list[StepLine]:
    """The steps of some runs, in the order they were asked for.

    Args:
        runs: Accounts of the runs.
        makers: The steps that made the results of reused steps, by span ID of the reused step.
    """
    return [
        StepLine(
            step,
            tuple(sorted({call.model or "unknown model" for attempt in step.attempts for call in attempt.calls})),
            makers.get(step.span_id),
        )
        for run in runs
        for step in run.steps
    ]


def by_activity(runs: Iterable[RunAccount]) -> list[CostLine]:
    """The steps of some runs by activity type, the most expensive first."""
    steps: defaultdict[str, list[StepAccount]] = defaultdict(list)
    for run in runs:
        for step in run.steps:
            steps[step.type].append(step)
    lines = [
        CostLine(
            name=name,
            steps=len(of_type),
            attempts=sum(len(step.attempts) + step.missing_attempts for step in of_type),
            usage=total(step.usage for step in of_type),
            amount=sum_of(step.amount for step in of_type),
            waste=sum_of(step.waste for step in of_type),
            share=0,
        )
        for name, of_type in steps.items()
    ]
    return _ranked(lines)


def by_model(runs: Iterable[RunAccount]) -> list[CostLine]:
    """The listed model calls of some runs by provider and model, the most expensive first."""
    usages: defaultdict[tuple[str | None, str | None], list[Usage]] = defaultdict(list)
    for run in runs:
        for key, sum_of_run in run.by_model().items():
            usages[key].append(sum_of_run)
    lines = []
    for (provider, model), calls in usages.items():
        usage = total(calls)
        name = f"{model or 'unknown model'}{f' ({provider})' if provider else ''}"
        lines.append(CostLine(name, 0, 0, usage, amount_of(usage), Amount(), 0))
    return _ranked(lines)


def _ranked(lines: Sequence[CostLine]) -> list[CostLine]:
    whole = sum((line.amount.known for line in lines if line.amount.known.is_finite()), Decimal())
    shared = [
        CostLine(
            line.name, line.steps, line.attempts, line.usage, line.amount, line.waste, _share(line.amount.known, whole)
        )
        for line in lines
    ]
    return sorted(shared, key=lambda line: (-line.share, -line.usage.calls, line.name))


def _share(part: Decimal, whole: Decimal) -> float:
    return float(part / whole) if whole > 0 and part.is_finite() else 0.0
