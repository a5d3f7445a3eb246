"""What does a client add when it starts runs and speaks to them: signals, queries, updates, cancellations?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import temporalio.client

from tracing import conventions as c
from tracing.headers import StartCall
from tracing.live.client.addresses import remember_trace
from tracing.live.client.headers import message_header, session_header, start_header, with_header
from tracing.live.client.spans import ClientSpan, ClientSpans
from tracing.live.failopen import fail_open
from tracing.runs import Attributes
from tracing.spans.streams import is_offset, is_poll, is_publish


class WorkflowCalls(temporalio.client.OutboundInterceptor):
    """Gives starts our header, and all calls that do something a span.

    What only reads (describe, list, count, histories) has none: it would flood the trace of whoever polls. Nor has the
    traffic of a workflow stream, which is some calls a second for as long as a model speaks.
    """

    def __init__(self, next: temporalio.client.OutboundInterceptor, spans: ClientSpans) -> None:  # noqa: A002 - the SDK's name
        super().__init__(next)
        self._spans = spans

    async def start_workflow(
        self,
        input: temporalio.client.StartWorkflowInput,  # noqa: A002 - the SDK's name
    ) -> temporalio.client.WorkflowHandle[Any, Any]:
        """Start a run, with a signal or without."""
        kind: StartCall = "signal_with_start" if input.start_signal else "start"
        with self._starting(kind, input, {c.SIGNAL_NAME: input.start_signal or ""}) as call:
            handle = await super().start_workflow(input)
            call.add(handle, {c.RUN_ID: "first_execution_run_id"})
            if call.span is not None:
                with fail_open("start_workflow"):
                    remember_trace(handle, call.span)
            return handle

    async def start_update_with_start_workflow(
        self,
        input: temporalio.client.StartWorkflowUpdateWithStartInput,  # noqa: A002 - the SDK's name
    ) -> temporalio.client.WorkflowUpdateHandle[Any]:
        """Update a run, which may have to be started for it."""
        start, update = input.start_workflow_input, input.update_workflow_input
        attributes = _update(update.update, update.update_id)
        with self._starting("update_with_start", start, attributes) as call:
            _link(update, call)
            handle = await super().start_update_with_start_workflow(input)
            call.add(handle, {c.RUN_ID: "workflow_run_id", c.UPDATE_ID: "id"})
            return handle

    async def signal_workflow(self, input: temporalio.client.SignalWorkflowInput) -> None:  # noqa: A002 - the SDK's name
        """Send a signal."""
        attributes = {**_execution(input.id, input.run_id), c.SIGNAL_NAME: input.signal}
        traced = not is_publish(input.signal)
        with self._spans.around(c.signal_workflow(input.signal), attributes, traced=traced) as call:
            _link(input, call)
            await super().signal_workflow(input)

    async def query_workflow(self, input: temporalio.client.QueryWorkflowInput) -> Any:  # noqa: A002 - the SDK's name
        """Ask a query."""
        attributes = {**_execution(input.id, input.run_id), c.QUERY_NAME: input.query}
        traced = not is_offset(input.query)
        with self._spans.around(c.query_workflow(input.query), attributes, traced=traced) as call:
            _link(input, call)
            return await super().query_workflow(input)

    async def start_workflow_update(
        self,
        input: temporalio.client.StartWorkflowUpdateInput,  # noqa: A002 - the SDK's name
    ) -> temporalio.client.WorkflowUpdateHandle[Any]:
        """Send an update, and wait until it is accepted or completed, as the caller asked."""
        attributes = {**_execution(input.id, input.run_id), **_update(input.update, input.update_id)}
        traced = not is_poll(input.update)
        with self._spans.around(c.start_workflow_update(input.update), attributes, traced=traced) as call:
            _link(input, call)
            handle = await super().start_workflow_update(input)
            call.add(handle, {c.RUN_ID: "workflow_run_id", c.UPDATE_ID: "id"})
            return handle

    async def cancel_workflow(self, input: temporalio.client.CancelWorkflowInput) -> None:  # noqa: A002 - the SDK's name
        """Ask a run to cancel."""
        with self._spans.around(c.CANCEL_WORKFLOW, _execution(input.id, input.run_id)):
            await super().cancel_workflow(input)

    async def terminate_workflow(self, input: temporalio.client.TerminateWorkflowInput) -> None:  # noqa: A002 - the SDK's name
        """Terminate a run."""
        with self._spans.around(c.TERMINATE_WORKFLOW, _execution(input.id, input.run_id)):
            await super().terminate_workflow(input)

    @contextmanager
    def _starting(
        self,
        kind: StartCall,
        start: temporalio.client.StartWorkflowInput | temporalio.client.UpdateWithStartStartWorkflowInput,
        more: Attributes,
    ) -> Iterator[ClientSpan]:
        """Give a start our header, in which the trace goes on where there is a span."""
        attributes: Attributes = {
            **_execution(start.id, None),
            c.WORKFLOW_TYPE: start.workflow,
            # Of the run to come, where the session around the call has no ID.
            c.SESSION_ID: start.id,
            c.CONVERSATION_ID: start.id,
            **more,
        }
        traced = self._spans.config.traces_workflow(start.workflow)
        with self._spans.around(c.CLIENT_STARTS[kind](start.workflow), attributes, traced=traced) as call:
            with fail_open("start_workflow"):
                header = start_header(call.span, call.outer_span_id, kind) if call.span else session_header()
                start.headers = with_header(start.headers, header)
            yield call


def _execution(workflow_id: str, run_id: str | None) -> Attributes:
    # Of a chain, a handle may know the first run's ID only: which of its runs the server takes is not known then.
    return {c.WORKFLOW_ID: workflow_id, c.RUN_ID: run_id or ""}


def _update(name: str, update_id: str | None) -> Attributes:
    return {c.UPDATE_NAME: name, c.UPDATE_ID: update_id or ""}


def _link(
    message: temporalio.client.SignalWorkflowInput
    | temporalio.client.QueryWorkflowInput
    | temporalio.client.StartWorkflowUpdateInput
    | temporalio.client.UpdateWithStartUpdateWorkflowInput,
    call: ClientSpan,
) -> None:
    """Let the receiver know the client's span and the session's user, where there are any."""
    with fail_open("the header of a message"):
        header = message_header(call.span)
        if header is not None:
            message.headers = with_header(message.headers, header)
