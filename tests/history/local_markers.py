"""Local activities in histories written by hand: their markers, and the ledgers that these keep."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.history.recording import BASE_RUN_ID, RUN_ID, START_US, Recording, failure, payload
from tracing import conventions as c
from tracing.ledger import Ledger, LedgerSpan, encode_ledger

if TYPE_CHECKING:
    from tracing.spans.model import Span

SECOND_RUN_ID = "5f0e4f7e-0000-4000-8000-000000000002"


def moment(ms: float) -> dict[str, int]:
    """A time after the run's start, as markers have it."""
    seconds, nanos = divmod(START_US * 1_000 + round(ms * 1_000_000), 1_000_000_000)
    return {"seconds": seconds, "nanos": nanos}


def marker(
    recording: Recording,
    task: int,
    activity_id: str = "1",
    *,
    ms: float | None = None,
    complete: float | None = None,
    scheduled: float = 3,
    attempt: int = 1,
    backoff: bool = False,
    result: Any = None,
    failed: dict[str, Any] | None = None,
) -> int:
    """Add the marker of a local activity; returns its ID."""
    data = {
        "seq": int(activity_id) if activity_id.isdecimal() else 1,
        "attempt": attempt,
        "activity_id": activity_id,
        "activity_type": "look_up",
        "complete_time": None if complete is None else moment(complete),
        "backoff": {"seconds": 60, "nanos": 0} if backoff else None,
        "original_schedule_time": moment(scheduled),
        "activation_index": 1,
    }
    details: dict[str, Any] = {"data": {"payloads": [payload(json.dumps(data))]}}
    if result is not None:
        details["result"] = {"payloads": [result]}
    return recording.add(
        "marker_recorded",
        ms=ms,
        marker_name="core_local_activity",
        details=details,
        workflow_task_completed_event_id=task,
        failure=failed,
    )


def ran(
    activity_id: str = "1",
    *,
    scheduled: float,
    started: float,
    took: float,
    attempt: int = 1,
    run_id: str = RUN_ID,
) -> bytes:
    """The ledger of an attempt that made one model call, by its worker's clock."""
    call = LedgerSpan(
        f"{attempt:016x}",
        "chat gpt-4o",
        START_US * 1_000 + round(started * 1_000_000),
        START_US * 1_000 + round((started + took) * 1_000_000),
        attributes={c.OPERATION: "chat", c.USAGE_INPUT: 100, c.USAGE_OUTPUT: 10, c.COST: 0.25},
    )
    return encode_ledger(
        Ledger(
            run=run_id,
            activity=activity_id,
            attempt=attempt,
            started=START_US + round(started * 1_000),
            scheduled=START_US + round(scheduled * 1_000),
            duration=round(took * 1_000_000),
            identity="worker-1",
            spans=[call],
        )
    )


def run_and_resets_with_local_activities() -> tuple[list[Span], list[Span], list[Span]]:
    """A run, its reset and that one's reset, which took over its three local activities: each cost 0.25 USD once."""
    return (
        _with_local_activities(BASE_RUN_ID),
        _with_local_activities(RUN_ID, (BASE_RUN_ID, RUN_ID)),
        _with_local_activities(SECOND_RUN_ID, (BASE_RUN_ID, RUN_ID), (RUN_ID, SECOND_RUN_ID)),
    )


def _with_local_activities(run_id: str, *resets: tuple[str, str]) -> list[Span]:
    """Its spans; what was copied into it is of the base run, and names that one."""
    recording = Recording(run_id=BASE_RUN_ID)
    task = recording.task(ms=2)
    _answered(recording, task, "1", scheduled=2)
    marker(recording, task, "2", complete=9, scheduled=8, backoff=True, failed=failure("no"))
    task = recording.task(ms=60_010)
    _answered(recording, task, "3", scheduled=8, started=60_009, attempt=2)  # the next try has an ID of its own
    _answered(recording, task, "1", scheduled=60_020)  # the ID is used again
    for base, new in resets:
        recording.run_id = new
        recording.reset(base=base)
    assert recording.run_id == run_id
    return recording.spans()


def _answered(
    recording: Recording, task: int, activity_id: str, *, scheduled: float, started: float = 0, attempt: int = 1
) -> None:
    began = started or scheduled
    data = ran(activity_id, scheduled=scheduled, started=began, took=1, attempt=attempt, run_id=BASE_RUN_ID)
    result = payload(**{c.HEADER: data})
    marker(recording, task, activity_id, complete=began + 1, scheduled=scheduled, attempt=attempt, result=result)
