"""What does a client add to schedules, and to the runs that they will start?

A scheduled run is a trace of its own: its header is the same for all runs of the schedule. So the header gives it the
session, and a span to link to: the one that last said what the schedule does.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Awaitable, Callable

import temporalio.client
from opentelemetry import trace

from tracing import conventions as c
from tracing.headers import TraceHeader, read_header
from tracing.live.client.headers import schedule_header, with_header
from tracing.live.client.spans import ClientSpans
from tracing.live.failopen import fail_open
from tracing.runs import Attributes

_Update = temporalio.client.ScheduleUpdate | None
_Updater = Callable[[temporalio.client.ScheduleUpdateInput], _Update | Awaitable[_Update]]


class ScheduleCalls(temporalio.client.OutboundInterceptor):
    """Gives the runs to come our header, and all calls that do something a span. What only reads has none."""

    def __init__(self, next: temporalio.client.OutboundInterceptor, spans: ClientSpans) -> None:  # noqa: A002 - the SDK's name
        super().__init__(next)
        self._spans = spans

    async def create_schedule(
        self,
        input: temporalio.client.CreateScheduleInput,  # noqa: A002 - the SDK's name
    ) -> temporalio.client.ScheduleHandle:
        """Create a schedule."""
        action = input.schedule.action
        of_what: Attributes = _schedule(input.id)
        if isinstance(action, temporalio.client.ScheduleActionStartWorkflow):
            of_what |= {c.WORKFLOW_TYPE: action.workflow}
        with self._spans.around(c.CREATE_SCHEDULE, of_what) as call:
            with fail_open("create_schedule"):
                input.schedule = _with_header(input.schedule, call.span)
            return await super().create_schedule(input)

    async def update_schedule(self, input: temporalio.client.UpdateScheduleInput) -> None:  # noqa: A002 - the SDK's name
        """Change a schedule."""
        with self._spans.around(c.UPDATE_SCHEDULE, _schedule(input.id)) as call:
            input.updater = _updating(input.updater, call.span)
            await super().update_schedule(input)

    async def delete_schedule(self, input: temporalio.client.DeleteScheduleInput) -> None:  # noqa: A002 - the SDK's name
        """Delete a schedule."""
        with self._spans.around(c.DELETE_SCHEDULE, _schedule(input.id)):
            await super().delete_schedule(input)

    async def pause_schedule(self, input: temporalio.client.PauseScheduleInput) -> None:  # noqa: A002 - the SDK's name
        """Pause a schedule."""
        with self._spans.around(c.PAUSE_SCHEDULE, _schedule(input.id)):
            await super().pause_schedule(input)

    async def unpause_schedule(self, input: temporalio.client.UnpauseScheduleInput) -> None:  # noqa: A002 - the SDK's name
        """Let a paused schedule go on."""
        with self._spans.around(c.UNPAUSE_SCHEDULE, _schedule(input.id)):
            await super().unpause_schedule(input)

    async def trigger_schedule(self, input: temporalio.client.TriggerScheduleInput) -> None:  # noqa: A002 - the SDK's name
        """Let a schedule start a run now. No header can be given to that run alone."""
        with self._spans.around(c.TRIGGER_SCHEDULE, _schedule(input.id)):
            await super().trigger_schedule(input)

    async def backfill_schedule(self, input: temporalio.client.BackfillScheduleInput) -> None:  # noqa: A002 - the SDK's name
        """Let a schedule start the runs of a time past. No header can be given to those alone."""
        with self._spans.around(c.BACKFILL_SCHEDULE, _schedule(input.id)):
            await super().backfill_schedule(input)


def _schedule(schedule_id: str) -> Attributes:
    return {c.SCHEDULE_ID: schedule_id}


def _updating(updater: _Updater, span: trace.Span | None) -> _Updater:
    """The user's updater; what it gives gets our header."""

    async def update(given: temporalio.client.ScheduleUpdateInput) -> _Update:
        updated = updater(given)
        if inspect.iscoroutine(updated):
            updated = await updated
        with fail_open("update_schedule"):
            if isinstance(updated, temporalio.client.ScheduleUpdate):
                schedule = _with_header(updated.schedule, span)
                updated = copy.copy(updated)
                updated.schedule = schedule
        return updated  # type: ignore[return-value] # whatever else it is, the SDK judges it

    return update


def _with_header(schedule: temporalio.client.Schedule, span: trace.Span | None) -> temporalio.client.Schedule:
    """A copy of a schedule with our header: the user may use theirs again."""
    action = schedule.action
    if not isinstance(action, temporalio.client.ScheduleActionStartWorkflow):
        return schedule
    before = read_header(action.headers or {})
    header = schedule_header(before, span)
    if header == (before or TraceHeader()):
        return schedule
    schedule, action = copy.copy(schedule), copy.copy(action)
    action.headers = with_header(action.headers, header)
    schedule.action = action
    return schedule
