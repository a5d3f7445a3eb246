"""Which step of one run is which step of another, and what became of it?"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Literal

from tracing.cost.savings import makers_of
from tracing.cost.step_account import SpanKey, StepAccount

_Feature = Callable[[StepAccount], Hashable]
"""What steps of both runs agree in that are one; None where a step has no such thing."""

StepState = Literal["reused", "executed", "changed", "new", "gone"]
"""What the second run did with a step.

``reused``: it took the result from history. ``executed``: it did the step again. ``changed``: it did the step again,
but asked for something else (another type, input or model). ``new``: only the second run has the step. ``gone``: only
the first run has it; the second no longer asks for it, or did not get that far.
"""


@dataclass(frozen=True, slots=True)
class StepPair:
    """One step in both runs, or in one of them.

    Attributes:
        state: What the second run did with it.
        first: Account in the first run; None where it has no such step.
        second: Account in the second run; None where it has no such step.
    """

    state: StepState
    first: StepAccount | None
    second: StepAccount | None

    @property
    def key(self) -> str:
        """Key in the first run, else in the second."""
        return self._named.key

    @property
    def type(self) -> str:
        """Type in the first run, else in the second."""
        return self._named.type

    @property
    def _named(self) -> StepAccount:
        step = self.first or self.second
        assert step is not None  # a pair has at least one side
        return step


def align(
    first: Sequence[StepAccount], second: Sequence[StepAccount], *, same_workflow: bool = True
) -> tuple[StepPair, ...]:
    """Pair the steps of two runs.

    A reused step is paired with the one that made its result, where links lead there. Of the others, what agrees most
    is paired first: key, type and input; then type and input in order; key and type; type in order; key alone. An input
    counts only where both runs captured it; where one did not, key and type are enough.

    Args:
        first: Steps of the first run.
        second: Steps of the second.
        same_workflow: Whether both runs are of one workflow type. Of two types, a number says nothing by itself: what
            has the same key and another type is not the same step changed.

    Returns:
        Pairs in the order of the first run; new steps stand after the step they followed in the second.
    """
    partner = _partners(first, second, _result((*first, *second)), key_alone=same_workflow)
    taken = {mine: theirs for theirs, mine in partner.items()}
    rows: list[StepPair] = []
    after: defaultdict[int, list[StepPair]] = defaultdict(list)
    last_paired = -1
    for position, step in enumerate(second):
        if position in taken:
            last_paired = taken[position]
        else:
            after[last_paired].append(StepPair("new", None, step))
    rows += after[-1]
    for position, step in enumerate(first):
        other = second[partner[position]] if position in partner else None
        rows.append(StepPair(_state(step, other), step, other))
        rows += after[position]
    return tuple(rows)


def _partners(
    first: Sequence[StepAccount], second: Sequence[StepAccount], result: _Feature, *, key_alone: bool
) -> dict[int, int]:
    partner: dict[int, int] = {}
    free = set(range(len(second)))

    def pair(feature: _Feature, *, unless: Callable[[StepAccount, StepAccount], bool]) -> None:
        candidates: defaultdict[Hashable, deque[int]] = defaultdict(deque)
        for position, step in enumerate(second):
            if position in free and feature(step) is not None:
                candidates[feature(step)].append(position)
        for position, step in enumerate(first):
            queue = candidates.get(feature(step))
            if position in partner or not queue or unless(step, second[queue[0]]):
                continue
            partner[position] = queue.popleft()
            free.discard(partner[position])

    pair(result, unless=_never)
    pair(lambda step: (step.key, step.type), unless=_inputs_differ)
    pair(lambda step: (step.type, step.input_digest) if step.input_digest else None, unless=_never)
    pair(lambda step: (step.key, step.type), unless=_never)
    pair(lambda step: step.type, unless=_never)
    if key_alone:
        pair(lambda step: step.key, unless=_never)
    return partner


def _result(steps: Sequence[StepAccount]) -> _Feature:
    """Which result a step has, where one of these steps made it and others took it."""
    makers = makers_of({step.span_key: step for step in reversed(steps)})
    makers |= {maker.span_key: maker for maker in makers.values()}

    def result(step: StepAccount) -> SpanKey | None:
        maker = makers.get(step.span_key)
        return maker.span_key if maker is not None else None

    return result


def _never(_first: StepAccount, _second: StepAccount) -> bool:
    return False


def _inputs_differ(first: StepAccount, second: StepAccount) -> bool:
    return None not in {first.input_digest, second.input_digest} and first.input_digest != second.input_digest


def _state(first: StepAccount, second: StepAccount | None) -> StepState:
    if second is None:
        return "gone"
    if second.reused:
        return "reused"
    if first.type != second.type or _inputs_differ(first, second) or _models_differ(first, second):
        return "changed"
    return "executed"


def _models_differ(first: StepAccount, second: StepAccount) -> bool:
    asked, asked_again = _models(first), _models(second)
    return bool(asked and asked_again) and asked != asked_again


def _models(step: StepAccount) -> set[tuple[str | None, str | None]]:
    return {(call.provider, call.requested_model) for attempt in step.attempts for call in attempt.calls}
