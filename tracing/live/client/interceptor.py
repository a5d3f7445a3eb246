"""What does the plugin add to a client's calls?

Starts carry our header; under an active span every call that does something is a span: `tracing.live.client.spans`.
"""

from __future__ import annotations

import temporalio.client

from tracing.config import TracingConfig
from tracing.live.attempts.async_completion import CompletionOutbound
from tracing.live.client.activities import ActivityCalls
from tracing.live.client.nexus import NexusCalls
from tracing.live.client.schedules import ScheduleCalls
from tracing.live.client.spans import ClientSpans
from tracing.live.client.workflows import WorkflowCalls
from tracing.live.delivery.emitter import Emitter


class ClientInterceptor(temporalio.client.Interceptor):
    """Traces the calls of a client.

    Args:
        config: Settings.
        emitter: Knows the tracer provider.
        namespace: The client's namespace.
    """

    def __init__(self, config: TracingConfig, emitter: Emitter, namespace: str) -> None:
        self.config = config
        self._spans = ClientSpans(config, emitter, namespace)
        self._namespace = namespace

    def intercept_client(self, next: temporalio.client.OutboundInterceptor) -> temporalio.client.OutboundInterceptor:  # noqa: A002 - the SDK's name
        """See the SDK."""
        outbound: temporalio.client.OutboundInterceptor = CompletionOutbound(next, self._namespace)
        for calls in (WorkflowCalls, ActivityCalls, ScheduleCalls, NexusCalls):
            outbound = calls(outbound, self._spans)
        return outbound
