"""What was not spent again because results were reused, and which steps had made them?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tracing import conventions as c
from tracing.cost.amount import UNKNOWN, Amount, sum_of
from tracing.cost.step_account import SpanKey, StepAccount
from tracing.spans.model import Link, Span


def saved(makers: Iterable[StepAccount | None]) -> Amount:
    """What reused results cost when they were made, by the attempts that closed their steps.

    Args:
        makers: For each reused step the step that made its result; None where that is not at hand, so that nobody
            knows what it cost.
    """
    return sum_of(UNKNOWN if maker is None else maker.result_amount for maker in makers)


def taken_from(step: Span) -> Link | None:
    """The link of a reused step to the one whose result it took; None for all others, and where nobody knows.

    Args:
        step: Span of a step of any kind.
    """
    if step.attributes.get(c.REUSED) is not True:
        return None
    # It is the last: before it, a signal may have a link to who sent it.
    return next((link for link in reversed(step.links) if c.RUN_ID in link.attributes), None)


def makers_of(steps: Mapping[SpanKey, StepAccount]) -> dict[SpanKey, StepAccount]:
    """The steps that made the results which reused steps took: a reset of a reset leads there in several hops.

    Takes time in proportion to the number of steps, whatever their links say.

    Args:
        steps: All steps at hand, by trace ID and span ID.

    Returns:
        The step that made its result, for each reused step from which links lead there. None is missing on the way,
        and links that lead in a circle lead nowhere.
    """
    ends: dict[SpanKey, StepAccount | None] = {}
    for key in steps:
        passed: list[SpanKey] = []
        at: SpanKey | None = key
        while at is not None and at not in ends:
            step = steps.get(at)
            if step is None or not step.reused:
                ends[at] = step
            else:
                ends[at] = None  # until the end is known; who comes by here again is in a circle
                passed.append(at)
                at = step.taken_from
        ends |= dict.fromkeys(passed, None if at is None else ends[at])
    return {key: end for key, end in ends.items() if end is not None and end is not steps[key]}
