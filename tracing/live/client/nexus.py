"""What does a client add when it starts Nexus operations of its own, without a workflow?"""

from __future__ import annotations

from typing import Any

import temporalio.client

from tracing import conventions as c
from tracing.live.client.headers import traceparent_of
from tracing.live.client.spans import ClientSpans
from tracing.live.failopen import fail_open
from tracing.runs import Attributes


class NexusCalls(temporalio.client.OutboundInterceptor):
    """Gives all calls that do something a span, which the handler's goes on below. What only reads has none."""

    def __init__(self, next: temporalio.client.OutboundInterceptor, spans: ClientSpans) -> None:  # noqa: A002 - the SDK's name
        super().__init__(next)
        self._spans = spans

    async def start_nexus_operation(
        self,
        input: temporalio.client.StartNexusOperationInput,  # noqa: A002 - the SDK's name
    ) -> temporalio.client.NexusOperationHandle[Any]:
        """Start a Nexus operation."""
        attributes: Attributes = {
            **_operation(input.id, None),
            c.NEXUS_ENDPOINT: input.endpoint,
            c.NEXUS_SERVICE: input.service,
            c.NEXUS_OPERATION: input.operation,
        }
        with self._spans.around(c.start_nexus_operation(input.service, input.operation), attributes) as call:
            with fail_open("start_nexus_operation"):
                traceparent = traceparent_of(call.span) if call.span is not None else None
                if traceparent is not None:
                    input.headers = {**(input.headers or {}), c.HEADER: traceparent}
            handle = await super().start_nexus_operation(input)
            call.add(handle, {c.NEXUS_RUN_ID: "run_id"})
            return handle

    async def cancel_nexus_operation(self, input: temporalio.client.CancelNexusOperationInput) -> None:  # noqa: A002 - the SDK's name
        """Ask an operation to cancel."""
        with self._spans.around(c.CANCEL_NEXUS_OPERATION, _operation(input.operation_id, input.run_id)):
            await super().cancel_nexus_operation(input)

    async def terminate_nexus_operation(self, input: temporalio.client.TerminateNexusOperationInput) -> None:  # noqa: A002 - the SDK's name
        """Terminate an operation."""
        with self._spans.around(c.TERMINATE_NEXUS_OPERATION, _operation(input.operation_id, input.run_id)):
            await super().terminate_nexus_operation(input)


def _operation(operation_id: str, run_id: str | None) -> Attributes:
    return {c.NEXUS_OPERATION_ID: operation_id, c.NEXUS_RUN_ID: run_id or ""}
