"""What does a user add to a Temporal program? One plugin, on the client."""

from __future__ import annotations

import asyncio
import dataclasses
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager

import temporalio.client
import temporalio.converter
import temporalio.service
import temporalio.worker
from opentelemetry import trace
from opentelemetry.metrics import MeterProvider

from tracing.config import TracingConfig, logger
from tracing.live.attempts.build_id import worker_build_id
from tracing.live.attempts.converter import LedgerDataConverter
from tracing.live.attempts.interceptor import WorkerInterceptor
from tracing.live.client.interceptor import ClientInterceptor
from tracing.live.delivery.emitter import Emitter
from tracing.live.delivery.outbox import Outbox
from tracing.live.failopen import fail_open
from tracing.live.log_records import add_trace_fields
from tracing.live.metrics.attempts import MetricsInterceptor
from tracing.live.metrics.instruments import Metrics
from tracing.live.metrics.spans import counting
from tracing.live.other_plugins import warn_of_doubles
from tracing.live.workflows.context import SilentReplayInterceptor
from tracing.live.workflows.recovery import Recoveries
from tracing.live.workflows.runner import cached_runs, traced_runner
from tracing.live.workflows.tracker import TrackerFactory
from tracing.sandbox import passing_through
from tracing.spans.hook import with_added
from tracing.spans.model import Span


class TracingPlugin(temporalio.client.Plugin, temporalio.worker.Plugin):
    """Traces runs, steps, attempts and what happens inside them.

    Put it on the client: its workers inherit it. On a worker alone it works without the ledger, for workers take their
    data converter from their client. On a `Replayer` it is silent: a replay emits nothing.

    Args:
        config: Settings; from the environment where not given.
        tracer_provider: Where spans go; OpenTelemetry's global provider where not given.
        meter_provider: Where metrics go; OpenTelemetry's global provider where not given.
    """

    def __init__(
        self,
        config: TracingConfig | None = None,
        *,
        tracer_provider: trace.TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
    ) -> None:
        self.config = config or TracingConfig.from_environment()
        self.metrics = Metrics(meter_provider)
        self.emitter = Emitter(tracer_provider)
        self.outbox = Outbox(
            counting(self.metrics, self._emit), self.config.idle_release_seconds, on_drop=self.emitter.fail
        )
        self._left_out = False

    def _emit(self, span: Span) -> None:
        self.emitter.emit(with_added(self.config, span))

    def name(self) -> str:
        """Name of the plugin, as Temporal's worker reports it."""
        return "durable-trace"

    def configure_client(self, config: temporalio.client.ClientConfig) -> temporalio.client.ClientConfig:
        """Add the client interceptor and take ledgers along in the data converter."""
        interceptors = list(config.get("interceptors") or [])
        first = next((each.config for each in interceptors if isinstance(each, ClientInterceptor)), None)
        if first is not None:
            self._warn_twice(first)
            return config
        config["interceptors"] = [*interceptors, ClientInterceptor(self.config, self.emitter, config["namespace"])]
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
        first = next((each.config for each in interceptors if isinstance(each, WorkerInterceptor)), None)
        if first is not None:
            self._warn_twice(first)
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
        settings = self._settings_for(client)
        build_id = worker_build_id(config)
        # First, so that everything inside the attempt is inside its span, other interceptors' work too.
        config["interceptors"] = [
            MetricsInterceptor(self.metrics),
            WorkerInterceptor(
                settings,
                self.emitter,
                self.outbox,
                identity,
                build_id=build_id,
                ledgered=ledgered,
                converter=temporalio.converter.DataConverter.default if client is None else client.data_converter,
            ),
            *interceptors,
        ]
        add_trace_fields()
        trackers = TrackerFactory(settings, self.emitter, self.outbox, identity, build_id, Recoveries(self.metrics))
        runner = config.get("workflow_runner")
        if runner is not None:
            config["workflow_runner"] = traced_runner(passing_through(runner), trackers)
        unsandboxed = config.get("unsandboxed_workflow_runner")
        if unsandboxed is not None:
            config["unsandboxed_workflow_runner"] = traced_runner(unsandboxed, trackers)
        return config

    def _settings_for(self, client: temporalio.client.Client | None) -> TracingConfig:
        """The settings, with what a payload codec keeps from being read in the history: that stays in the process."""
        if client is None or client.data_converter.payload_codec is None or self.config.decode_payloads:
            return self.config
        if self.config.capture_content:
            logger.warning(
                "Content is on, and the client has a payload codec: inputs and outputs are shown as <encoded>, and "
                "messages of models not at all. DURABLE_TRACE_DECODE_PAYLOADS=on shows them, decrypted."
            )
        return dataclasses.replace(self.config, encoded_payloads=True)

    async def run_worker(
        self,
        worker: temporalio.worker.Worker,
        next: Callable[[temporalio.worker.Worker], Awaitable[None]],  # noqa: A002 - the SDK's name
    ) -> None:
        """Run the worker; when it has stopped, send what is still held, and end the code of cached runs."""
        with fail_open("the look at other plugins"):
            warn_of_doubles(worker)
        try:
            await next(worker)
        finally:
            # It stops gracefully as well where its task is cancelled (Ctrl-C) or it fails, and raises that thereafter.
            self.outbox.release_all()
            # On a thread: an exporter that hangs must not hold the event loop.
            await asyncio.to_thread(self.outbox.flush)
            with fail_open("the eviction of cached runs"):
                for cached in cached_runs(worker):
                    await cached.evict()

    def _warn_twice(self, first: TracingConfig) -> None:
        if self._left_out:
            return
        self._left_out = True
        settings = "" if self.config == first else " The settings of the other one have no effect."
        warnings.warn(
            "TracingPlugin is registered twice, on the client and again on it or its worker: the first one is used. "
            f"Keep the one on Client.connect(); its workers inherit it.{settings}",
            stacklevel=4,
        )

    def configure_replayer(self, config: temporalio.worker.ReplayerConfig) -> temporalio.worker.ReplayerConfig:
        """Let workflow code import this package in the sandbox; trace nothing."""
        runner = config.get("workflow_runner")
        if runner is not None:
            config["workflow_runner"] = passing_through(runner)
        config["interceptors"] = [*(config.get("interceptors") or []), SilentReplayInterceptor()]
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
