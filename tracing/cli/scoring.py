"""`durable-trace compare --scores-to`: what a comparison finds, onto the run's trace in a backend."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

import click

from tracing.backends.registry import target_for
from tracing.backends.scoring import score_keeper, write_scores
from tracing.backends.target import Target, TargetError
from tracing.cli.console import messages, safe
from tracing.cost import Comparison, scored_run, scores


def score_targets(names: Sequence[str]) -> list[Target]:
    """The backends that a user names, each once.

    Raises:
        click.UsageError: One is no backend, lacks its settings, or takes no scores.
    """
    try:
        targets = [target_for(name, os.environ) for name in names]
        for target in targets:
            score_keeper(target)
    except TargetError as error:
        raise click.UsageError(str(error)) from error
    return list({target.endpoint: target for target in targets}.values())


def is_with_itself(comparison: Comparison) -> bool:
    """Whether both sides are the same run, or the same runs."""
    first, second = ((side.run_id, side.replay_id, side.joined) for side in (comparison.first, comparison.second))
    return first == second


def put_scores(comparison: Comparison, targets: Sequence[Target]) -> Iterator[str]:
    """Write a comparison's scores into each backend, and say so; yields a sentence for each that has not got them."""
    run, found = scored_run(comparison), scores(comparison)
    if targets and is_with_itself(comparison):
        yield "No scores are written: both are the same run. Give another run, or a replay of it."
        return
    if targets and not run.trace_id:
        yield (
            f"No scores are written: {run.workflow_id} is {len(run.joined)} runs of several traces. Give one run, or a "
            "run with its children."
        )
        return
    for target in targets:
        try:
            written = write_scores(target, run.trace_id, found)
        except TargetError as error:
            yield f"Scores were not all written: {error}"
        else:
            url = target.trace_url(run.trace_id) if target.trace_url else None
            where = f": {safe(url)}" if url else ""
            messages().print(f"{written} scores written to {safe(target.name)}{where}", soft_wrap=True)
