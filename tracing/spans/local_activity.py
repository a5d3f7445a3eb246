"""When did a local activity begin and end? Both readers must read it from what both have.

A worker is not told the time that the marker keeps as the original schedule time, but of activities that backed off;
and a marker comes with the workflow task that was the last, not the one that asked. So the ledger carries the time.
"""

from __future__ import annotations

from msgspec.structs import replace

from tracing.ledger import Ledger
from tracing.spans.model import NS_PER_US
from tracing.spans.step import Outcome


def local_activity_times(
    task_start: int, outcome: Outcome, ledger: Ledger | None, original_schedule_time: int
) -> tuple[int, Outcome]:
    """Start and outcome of a local activity's step, in ns since the epoch.

    Args:
        task_start: Start of the workflow task that asked for it: its start, where nothing better is known.
        outcome: How it ended, by the marker or the activation that resolved it.
        ledger: The ledger of its result or failure.
        original_schedule_time: When the first try was scheduled, where it backed off; else 0.
    """
    start = original_schedule_time or task_start
    if ledger is None:
        return start, outcome
    if ledger.scheduled and not original_schedule_time:
        start = ledger.scheduled * NS_PER_US
    return start, replace(outcome, end=ledger.started * NS_PER_US + ledger.duration)
