"""What does a client add when it starts standalone activities, and directs them?

Completing an activity of a workflow (`tracing.live.attempts.async_completion`) is something else.
"""

from __future__ import annotations

from typing import Any

import temporalio.client

from tracing import conventions as c
from tracing.live.client.headers import session_header, start_header, with_header
from tracing.live.client.spans import ClientSpans
from tracing.live.failopen import fail_open
from tracing.runs import Attributes


class ActivityCalls(temporalio.client.OutboundInterceptor):
    """Gives starts our header, and all calls that do something a span. What only reads has none."""

    def __init__(self, next: temporalio.client.OutboundInterceptor, spans: ClientSpans) -> None:  # noqa: A002 - the SDK's name
        super().__init__(next)
        self._spans = spans

    async def start_activity(
        self,
        input: temporalio.client.StartActivityInput,  # noqa: A002 - the SDK's name
    ) -> temporalio.client.ActivityHandle[Any]:
        """Start an activity without a workflow: its attempts go on below this span."""
        attributes: Attributes = {
            **_activity(input.id, None),
            c.ACTIVITY_TYPE: input.activity_type,
            c.TASK_QUEUE: input.task_queue,
            # As on its attempts, where the session around the call has no ID.
            c.SESSION_ID: input.id,
            c.CONVERSATION_ID: input.id,
        }
        traced = self._spans.config.traces_activity(input.activity_type)
        with self._spans.around(c.start_activity(input.activity_type), attributes, traced=traced) as call:
            with fail_open("start_activity"):
                header = start_header(call.span, call.outer_span_id) if call.span else session_header()
                input.headers = with_header(input.headers, header)
            handle = await super().start_activity(input)
            call.add(handle, {c.ACTIVITY_RUN_ID: "run_id"})
            return handle

    async def cancel_activity(self, input: temporalio.client.CancelActivityInput) -> None:  # noqa: A002 - the SDK's name
        """Ask an activity to cancel."""
        with self._spans.around(c.CANCEL_ACTIVITY, _activity(input.activity_id, input.activity_run_id)):
            await super().cancel_activity(input)

    async def terminate_activity(self, input: temporalio.client.TerminateActivityInput) -> None:  # noqa: A002 - the SDK's name
        """Terminate an activity."""
        with self._spans.around(c.TERMINATE_ACTIVITY, _activity(input.activity_id, input.activity_run_id)):
            await super().terminate_activity(input)

    async def pause_activity(self, input: temporalio.client.PauseActivityInput) -> None:  # noqa: A002 - the SDK's name
        """Pause an activity."""
        with self._spans.around(c.PAUSE_ACTIVITY, _activity(input.activity_id, input.activity_run_id)):
            await super().pause_activity(input)

    async def unpause_activity(self, input: temporalio.client.UnpauseActivityInput) -> None:  # noqa: A002 - the SDK's name
        """Let a paused activity go on."""
        with self._spans.around(c.UNPAUSE_ACTIVITY, _activity(input.activity_id, input.activity_run_id)):
            await super().unpause_activity(input)

    async def update_activity_options(
        self,
        input: temporalio.client.UpdateActivityOptionsInput,  # noqa: A002 - the SDK's name
    ) -> temporalio.client.ActivityExecutionOptions:
        """Change an activity's options."""
        with self._spans.around(c.UPDATE_ACTIVITY_OPTIONS, _activity(input.activity_id, input.activity_run_id)):
            return await super().update_activity_options(input)


def _activity(activity_id: str, run_id: str | None) -> Attributes:
    return {c.ACTIVITY_ID: activity_id, c.ACTIVITY_RUN_ID: run_id or ""}
