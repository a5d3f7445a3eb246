"""What does every demo claim, whatever its pattern, and did it hold?"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from agent.demo.story import attempt_of, step_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agent.demo.pairs import Pair
    from agent.demo.side import Side
    from agent.demo.story import Step, Story
    from agent.local.journal import RequestRecord
    from tracing.cost import StepAccount


def checks(story: Story, sides: Sequence[Side], pairs: Sequence[Pair], *, replay_requests: int) -> dict[str, bool]:
    """Each claim, and whether it held.

    Args:
        story: What happened.
        sides: The runs that it tells of, each with its replay.
        pairs: Live and exported spans.
        replay_requests: Requests that the model server received during the replays.
    """
    steps = {side.step_of(step): step for side in sides for step in side.account.steps}
    one_each = all(attempt.usage.calls <= 1 for step in steps.values() for attempt in step.attempts)
    counted = "one request for each attempt" if one_each else "the calls of each attempt"
    of_steps = " of a step" if any(pair.live_only for pair in pairs) else ""
    but = ", but for content of failed attempts" if any(pair.left_out for pair in pairs) else ""
    identical = (
        f"every live span{of_steps} is in the export, with the same IDs, parent, name, start and attributes{but}"
    )
    return {
        "each model call whose completion was in the history was made exactly once": _made_once(story, steps),
        f"the model server counted {counted}, none besides": _none_besides(story, steps),
        identical: any(pair.live for pair in pairs)
        and all(pair.live_only or (pair.exported is not None and not pair.differences) for pair in pairs),
        "tokens and calls of the account are those that the model server gave": _usage_holds(story, steps),
        "the replay took every result from history": all(side.reproduced for side in sides),
        "the replay made no model call": replay_requests == 0,
    }


def _made_once(story: Story, steps: Mapping[Step, StepAccount]) -> bool:
    answered = Counter(step_of(request) for request in story.requests if request.state == "answered")
    return bool(story.completed) and all(
        step in steps and answered[step] == _answered_calls(steps[step]) for step in story.completed
    )


def _answered_calls(step: StepAccount) -> int:
    return sum(not call.error for attempt in step.attempts for call in attempt.calls)


def _none_besides(story: Story, steps: Mapping[Step, StepAccount]) -> bool:
    return all(
        step in steps and requests <= _most_requests(steps[step]) for step, requests in story.requests_of().items()
    )


def _most_requests(step: StepAccount) -> int:
    """How many requests a step can have made: an attempt that died may have made as many as the longest one did."""
    calls = [attempt.usage.calls for attempt in step.attempts if attempt.recorded]
    return sum(calls) + step.unknown_attempts * max([1, *calls])


def _usage_holds(story: Story, steps: Mapping[Step, StepAccount]) -> bool:
    """Whether the account has just what was given to the attempts that it knows: one that died left no record."""
    recorded = [attempt.usage for step in steps.values() for attempt in step.attempts if attempt.recorded]
    given = [
        request.usage
        for request in story.requests
        if request.usage and request.state == "answered" and _is_recorded(request, steps)
    ]
    return (
        sum(usage.calls for usage in recorded),
        sum(usage.input_tokens for usage in recorded),
        sum(usage.output_tokens for usage in recorded),
    ) == (
        len(given),
        sum(usage.input_tokens for usage in given),
        sum(usage.output_tokens for usage in given),
    )


def _is_recorded(request: RequestRecord, steps: Mapping[Step, StepAccount]) -> bool:
    """Whether the attempt that made a request left its record; an engine that numbers none has one for each step."""
    step = steps.get(step_of(request))
    return step is None or any(
        attempt.recorded and attempt.number in {None, attempt_of(request)} for attempt in step.attempts
    )
