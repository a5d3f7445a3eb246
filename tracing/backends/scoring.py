"""How do scores come onto a trace that a backend has?"""

from __future__ import annotations

from collections.abc import Sequence

from tracing.backends.target import ScoreKeeper, Target, TargetError
from tracing.scores import Score


def score_keeper(target: Target) -> ScoreKeeper:
    """What takes scores of a backend's traces.

    Raises:
        TargetError: Nothing does.
    """
    if target.scores is None:
        raise TargetError(f"{target.name} takes no scores: name phoenix or langfuse.")
    return target.scores


def write_scores(target: Target, trace_id: int, scores: Sequence[Score]) -> int:
    """Write scores of a trace; again, the same scores take the places of the first ones.

    Args:
        target: The backend.
        trace_id: A trace that it has.
        scores: The scores.

    Returns:
        How many were written: Langfuse has no place for unknown ones.

    Raises:
        TargetError: The backend takes no scores, does not have the trace, or cannot be reached.
    """
    keeper = score_keeper(target)
    # Langfuse would keep a score of a trace that never comes.
    if target.index is not None and not target.index.span_ids(trace_id):
        raise TargetError(
            f"{target.name} does not have trace {trace_id:032x}: send its spans (`durable-trace send`), or wait until "
            "it has stored them."
        )
    return keeper.write(trace_id, scores)
