"""What does a user add to a Temporal program? One plugin, on the client."""

from __future__ import annotations

import asyncio
import dataclasses
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Final

import temporalio.client
import temporalio.converter
import temporalio.service
import temporalio.worker
from opentelemetry import trace
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from tracing.config import TracingConfig, logger
from tracing.live.activity import WorkerInterceptor
from tracing.live.client import ClientInterceptor
from tracing.live.converter import LedgerDataConverter
from tracing.live.emitter import Emitter
from tracing.live.outbox import Outbox
from tracing.live.runner import traced_runner
from tracing.live.tracker import TrackerFactory

_PASSED_THROUGH: Final = ("tracing", "opentelemetry", "msgspec")
"""Modules that workflow code may import without the sandbox loading them anew for every run."""


class TracingPlugin(temporalio.client.Plugin, temporalio.worker.Plugin):
    """Traces runs, steps, attempts and what happens inside them.

    Put it on the client: its workers inherit it. On a worker alone it works without the ledger, for workers take their
    data converter from their client. On a `Replayer` it is silent: a replay emits nothing.

    Args:
        config: Settings; from the environment where not given.
        tracer_provider: Where spans go; OpenTelemetry's global provider where not given.
    """

    def __init__(
        self, config: TracingConfig | None = None, *, tracer_provider: trace.TracerProvider | None = None
    ) -> None:
        self.config = config or TracingConfig.from_environment()
        self.emitter = Emitter(tracer_provider)
        self.outbox = Outbox(self.emitter.emit, self.config.idle_release_seconds)

    def name(self) -> str:
        """Name of the plugin, as Temporal's worker reports it."""
        return "durable-trace"

    def configure_client(self, config: temporalio.client.ClientConfig) -> temporalio.client.ClientConfig:
        """Add the client interceptor and take ledgers along in the data converter."""
        interceptors = list(config.get("interceptors") or [])
        if any(isinstance(interceptor, ClientInterceptor) for interceptor in interceptors):
            _warn_twice()
            return config
        config["interceptors"] = [*interceptors, ClientInterceptor(self.emitter, config["namespace"])]
        given = config.get("data_converter", temporalio.converter.DataConverter.default)
        config["data_converter"] = LedgerDataConverter.around(given)
        return config

    async def connect_service_client(
        self,
        config: temporalio.service.ConnectConfig,
        next: Callable[[temporalio.service.ConnectConfig], Awaitable[temporalio.service.ServiceClient]],  # noqa: A002 - the SDK's name
    ) -> temporalio.service.ServiceClient:
        """See the SDK; nothing is added."""
        return await next(config)

    def configure_worker(self, config: temporalio.worker.WorkerConfig) -> temporalio.worker.WorkerConfig:
        """Wrap the workflow runners and add the activity interceptor."""
        interceptors = list(config.get("interceptors") or [])
        if any(isinstance(interceptor, WorkerInterceptor) for interceptor in interceptors):
            _warn_twice()
            return config
        client = config.get("client")
        ledgered = False
        identity = config.get("identity") or ""
        if client is not None:
            ledgered = isinstance(client.data_converter, LedgerDataConverter)
            identity = identity or client.service_client.config.identity
        if not ledgered:
            logger.warning(
                "TracingPlugin is on a worker but not on its client: no ledger is written, so usage and cost of these "
                "attempts will not be in the history. Put the plugin on Client.connect(plugins=[TracingPlugin()])."
            )
        # First, so that everything inside the attempt is inside its span, other interceptors' work too.
        config["interceptors"] = [
            WorkerInterceptor(self.config, self.emitter, self.outbox, identity, ledgered=ledgered),
            *interceptors,
        ]
        trackers = TrackerFactory(self.config, self.emitter, self.outbox, identity)
        runner = config.get("workflow_runner")
        if runner is not None:
            config["workflow_runner"] = traced_runner(_passing_through(runner), trackers)
        unsandboxed = config.get("unsandboxed_workflow_runner")
        if unsandboxed is not None:
            config["unsandboxed_workflow_runner"] = traced_runner(unsandboxed, trackers)
        return config

    async def run_worker(
        self,
        worker: temporalio.worker.Worker,
        next: Callable[[temporalio.worker.Worker], Awaitable[None]],  # noqa: A002 - the SDK's name
    ) -> None:
        """Run the worker; when it has stopped gracefully, send what is still held."""
        await next(worker)
        self.outbox.release_all()
        # On a thread: an exporter that hangs must not hold the event loop.
        await asyncio.to_thread(self.outbox.flush)

    def configure_replayer(self, config: temporalio.worker.ReplayerConfig) -> temporalio.worker.ReplayerConfig:
        """Let workflow code import this package in the sandbox; trace nothing."""
        runner = config.get("workflow_runner")
        if runner is not None:
            config["workflow_runner"] = _passing_through(runner)
        return config

    def run_replayer(
        self,
        replayer: temporalio.worker.Replayer,
        histories: AsyncIterator[temporalio.client.WorkflowHistory],
        next: Callable[  # noqa: A002 - the SDK's name
            [temporalio.worker.Replayer, AsyncIterator[temporalio.client.WorkflowHistory]],
            AbstractAsyncContextManager[AsyncIterator[temporalio.worker.WorkflowReplayResult]],
        ],
    ) -> AbstractAsyncContextManager[AsyncIterator[temporalio.worker.WorkflowReplayResult]]:
        """See the SDK; nothing is added."""
        return next(replayer, histories)


def _passing_through(runner: temporalio.worker.WorkflowRunner) -> temporalio.worker.WorkflowRunner:
    if not isinstance(runner, SandboxedWorkflowRunner):
        return runner
    return dataclasses.replace(runner, restrictions=runner.restrictions.with_passthrough_modules(*_PASSED_THROUGH))


def _warn_twice() -> None:
    warnings.warn(
        "TracingPlugin is registered twice, on the client and again on it or its worker: the first one is used. Keep "
        "the one on Client.connect(); its workers inherit it.",
        stacklevel=4,
    )
