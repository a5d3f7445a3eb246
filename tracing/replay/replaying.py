"""Does today's code do with a history what was done then, and what did that take?"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import temporalio.converter
import temporalio.workflow
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from tracing.replay.trace import replay_spans
from tracing.spans.model import Span

Outcome = Literal["reproduced", "diverged", "failed"]
"""``reproduced``: the code asks for what history has. ``diverged``: it asks for something else. ``failed``: the history
could not be replayed, for another reason."""

_EVENT_ID: Final = re.compile(r"HistoryEvent\(id: (\d+)")


@dataclass(frozen=True, slots=True)
class Replay:
    """What came of a replay.

    Attributes:
        outcome: How it ended.
        message: What the SDK says of a divergence or failure; "" else.
        event_id: Event at which the code diverged, where the SDK names it.
        duration: How long it took, in ns.
        spans: The replay's own trace: its span, and each step that took its result from history.
    """

    outcome: Outcome
    message: str
    event_id: int | None
    duration: int
    spans: tuple[Span, ...]


async def replay(
    history: WorkflowHistory,
    workflows: Sequence[type],
    run_spans: Sequence[Span],
    *,
    data_converter: temporalio.converter.DataConverter | None = None,
    replay_id: str | None = None,
    clock: Callable[[], int] = time.time_ns,
) -> Replay:
    """Run workflow code against a history with the SDK's `Replayer`. No activity runs: results come from the history.

    Args:
        history: The history, with the real workflow ID: what workflow code derives from it must come out the same.
        workflows: Workflow classes.
        run_spans: The exported spans of that history (`tracing.history.to_spans`): they name its steps.
        data_converter: For encrypted or custom payloads.
        replay_id: Tells replays of one run apart; random where not given.
        clock: Wall clock, in ns since the epoch.

    Returns:
        The outcome. A divergence is not raised.
    """
    replayer = Replayer(
        workflows=list(workflows), data_converter=data_converter or temporalio.converter.DataConverter.default
    )
    start = clock()
    result = await replayer.replay_workflow(history, raise_on_replay_failure=False)
    end = max(start, clock())
    failure = result.replay_failure
    outcome: Outcome = "reproduced"
    event_id = None
    if failure is not None:
        outcome = "diverged" if isinstance(failure, temporalio.workflow.NondeterminismError) else "failed"
        named = _EVENT_ID.search(str(failure))
        event_id = int(named[1]) if named else None
    return Replay(
        outcome=outcome,
        message=str(failure) if failure is not None else "",
        event_id=event_id,
        duration=end - start,
        spans=replay_spans(
            run_spans,
            replay_id=replay_id or uuid.uuid4().hex,
            start=start,
            end=end,
            outcome=outcome,
            event_id=event_id,
        ),
    )
