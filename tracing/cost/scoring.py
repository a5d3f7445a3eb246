"""Which scores does a comparison give, and of which trace are they?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from tracing import conventions as c
from tracing.cost.amount import Amount
from tracing.cost.as_json import difference_as_json, usd
from tracing.cost.compare import Comparison
from tracing.cost.difference import difference
from tracing.cost.run_account import RunAccount
from tracing.identity import comparison_score_id
from tracing.scores import Score


@dataclass(frozen=True, slots=True)
class _Finding:
    """A name, and what was found; None is unknown."""

    name: str
    value: float | str | None
    at_least: bool = False


def scored_run(comparison: Comparison) -> RunAccount:
    """The side whose trace a comparison's scores are of: the second run, or the run that a replay is compared with.

    A replay has a trace of its own, which few people send: what it found out is about the run.
    """
    return comparison.first if comparison.second.replay_id else comparison.second


def scores(comparison: Comparison) -> list[Score]:
    """What a comparison finds, as scores of the trace of ``scored_run``.

    Their IDs follow from name and sides, so that the same comparison gives the same scores again: also where a side's
    run was open before, or had calls without a price. USD are rounded to 1e-9.
    """
    first, second = (_sides(run) for run in (comparison.first, comparison.second))
    named = f"{_named(comparison.second)} against {_named(comparison.first)}"
    metadata = {"first_run_id": comparison.first.run_id, "second_run_id": comparison.second.run_id}
    if comparison.second.replay_id:
        metadata["replay_id"] = comparison.second.replay_id
    begin = scored_run(comparison).start
    return [
        Score(
            id=f"{comparison_score_id(found.name, first, second):032x}",
            name=found.name,
            value=found.value,
            comment=_comment(found, named),
            time=begin,
            at_least=found.at_least,
            metadata=metadata,
        )
        for found in _findings(comparison)
    ]


def _findings(comparison: Comparison) -> Iterator[_Finding]:
    yield _amount(c.SCORE_SAVED, comparison.saved)
    yield _amount(c.SCORE_COUNTERFACTUAL, comparison.counterfactual)
    yield _amount(c.SCORE_RETRY_WASTE, comparison.retry_waste)
    less = difference_as_json(difference(comparison.first, comparison.second))
    yield _Finding(c.SCORE_COST_DIFFERENCE, less["cost_usd"])
    yield _Finding(c.SCORE_TOKENS_DIFFERENCE, less["input_tokens"] + less["output_tokens"])
    states = Counter(pair.state for pair in comparison.steps)
    yield _Finding(c.SCORE_STEPS_REUSED, states["reused"])
    yield _Finding(c.SCORE_STEPS_EXECUTED, states["executed"] + states["changed"] + states["new"])
    if comparison.second.replay_id:
        yield _Finding(c.SCORE_REPLAY_OUTCOME, comparison.second.status)


def _amount(name: str, amount: Amount) -> _Finding:
    value = usd(amount)
    return _Finding(name, value, amount.at_least and value is not None)


def _comment(found: _Finding, named: str) -> str:
    limit = "Unknown. " if found.value is None else "At least, for a part is unknown. " if found.at_least else ""
    return f"{limit}{c.SCORES[found.name].meaning} {named[:1].upper()}{named[1:]}."


def _sides(run: RunAccount) -> tuple[str, ...]:
    """What names a side: the IDs of its runs, or of run and replay."""
    return run.joined or ((run.run_id, run.replay_id) if run.replay_id else (run.run_id,))


def _named(run: RunAccount) -> str:
    more = f" and {len(run.joined) - 1} more" if run.joined else ""
    return f"{'replay of run' if run.replay_id else 'run'} {run.run_id}{more}"
