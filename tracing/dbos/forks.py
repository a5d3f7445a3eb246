"""Which steps of a fork did it take over from the workflow that it was forked from?

``fork_workflow(id, start_step=n)`` copies the rows of steps before n, with their times. No row says what n was.
"""

from __future__ import annotations

from collections.abc import Iterable

from tracing.dbos.records import StepRow, WorkflowRow


def reused_steps(row: WorkflowRow, steps: Iterable[StepRow], base_steps: Iterable[StepRow]) -> frozenset[int]:
    """Numbers of the steps that were copied.

    A copy equals its original, down to the millisecond. Where the original is gone, a step that was over before the
    fork was created was not done by it.

    Args:
        row: The workflow.
        steps: Its steps.
        base_steps: Steps of the workflow that it was forked from; none where that is gone.
    """
    if not row.forked_from:
        return frozenset()
    originals = {step.function_id: step for step in base_steps}
    return frozenset(
        step.function_id for step in steps if _is_reused(step, originals.get(step.function_id), row.created)
    )


def _is_reused(step: StepRow, original: StepRow | None, created: int | None) -> bool:
    if original is not None and _was_over(original, created):
        # It would be copied as it is. The clock of who created the fork may be ahead of that of who ran the step.
        return _is_copy(step, original)
    return _is_copy(step, original) or _was_over(step, created)


def _is_copy(step: StepRow, original: StepRow | None) -> bool:
    # Not by its child: a fork may replace that.
    return (
        original is not None
        and (step.started, step.completed) != (None, None)
        and (step.name, step.started, step.completed, step.result, step.failure)
        == (original.name, original.started, original.completed, original.result, original.failure)
    )


def _was_over(step: StepRow, created: int | None) -> bool:
    return created is not None and step.completed is not None and step.completed < created
