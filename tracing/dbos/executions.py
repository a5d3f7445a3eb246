"""Which executions of a workflow were traced, and which steps may have been running when one died?

DBOS counts how often a workflow was begun, and says no more of it. The ledgers of a traced execution say which one it
was, and since when.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter

from tracing.dbos.ends import KeptEnd
from tracing.dbos.ledgers import RecordedAttempt
from tracing.dbos.records import StepRow


class Executions:
    """What the recorded attempts of a workflow say of its executions.

    Args:
        attempts: The attempts, by number of the step.
        count: How many executions there were since the workflow was resumed last.
        ends: How it had ended before it was resumed: DBOS then counts anew.
    """

    def __init__(
        self, attempts: Mapping[int, Iterable[RecordedAttempt]], count: int, ends: Sequence[KeptEnd] = ()
    ) -> None:
        self._attempts = attempts
        self._ends = [end.end for end in ends]
        self._lost = frozenset(step for end in ends for step in end.lost if not end.covers(step))
        told = sorted({(each.since, each.execution) for tries in attempts.values() for each in tries if each.execution})
        # Where it was resumed and nobody noted it, numbers come again: then only the last of a number is known.
        begun = {(self._part(since), execution): since for since, execution in told}
        self._begun = sorted((since, execution) for (_, execution), since in begun.items())
        counts = [*(end.executions for end in ends), count]
        self._traced = {
            (part, execution)
            for part, execution in begun
            if execution == counts[part] or (part, execution + 1) in begun
        }

    def covers(self, step: StepRow) -> bool:
        """Whether a step is known to have been traced, though it left no ledger.

        A traced execution runs all steps from its beginning until the next one begins. Where the execution after it is
        none of ours, or there is none of ours at all, nobody knows.
        """
        since, execution = self._of(step)
        return (self._part(since), execution) in self._traced

    def interrupted(self, step: StepRow, steps: Sequence[StepRow]) -> bool:
        """Whether an attempt of a step may have died with the execution before, or is known to have been lost.

        What was running when that died is run again by the next, without waiting for anything: so it begins before any
        step of the new execution is over.

        Args:
            step: The step.
            steps: The workflow's steps, those at least that were over before it was.
        """
        if step.function_id in self._lost:
            return True
        since, execution = self._of(step)
        if execution <= 1 or step.started is None:
            return False
        before = [each for each in self._attempts.get(step.function_id, ()) if each.since < since]
        if before and before[-1].failure is None:
            return False  # only its result was lost
        return not any(
            each.completed is not None
            and each.completed < step.started
            and each.started is not None
            and each.started >= since
            and not each.of_engine
            for each in steps
        )

    def _part(self, since: int) -> int:
        """In which part of the run an execution began."""
        return bisect_left(self._ends, since)

    def _of(self, step: StepRow) -> tuple[int, int]:
        """The last execution that had begun when a step did, and since when it ran; zeros where none is known."""
        if step.started is None:
            return 0, 0
        place = bisect_right(self._begun, step.started, key=itemgetter(0))
        return self._begun[place - 1] if place else (0, 0)


NO_EXECUTIONS = Executions({}, 0)
"""Nothing is known."""
