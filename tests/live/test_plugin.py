"""What the plugin does to the settings of clients, workers and replayers."""

from __future__ import annotations

import asyncio
import dataclasses
import warnings
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
import temporalio.client
import temporalio.worker
from opentelemetry.sdk.trace import TracerProvider
from temporalio.converter import DataConverter
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from tracing import TracingConfig, TracingPlugin
from tracing.live.attempts.converter import LedgerDataConverter
from tracing.live.attempts.interceptor import WorkerInterceptor
from tracing.live.client.interceptor import ClientInterceptor
from tracing.live.workflows.context import SilentReplayInterceptor
from tracing.live.workflows.runner import TracedRunner, TracedSandboxRunner
from tracing.spans.model import Span, SpanKind
from tracing.testing import capture

TWICE = (
    "TracingPlugin is registered twice, on the client and again on it or its worker: the first one is used. Keep the "
    r"one on Client.connect\(\); its workers inherit it."
)


@pytest.fixture
def plugin() -> TracingPlugin:
    return TracingPlugin(TracingConfig(), tracer_provider=TracerProvider(shutdown_on_exit=False))


def client_config(**changes: Any) -> temporalio.client.ClientConfig:
    config: Any = {"namespace": "default", "data_converter": DataConverter.default, "interceptors": [], **changes}
    return config  # type: ignore[no-any-return] # the part that is read


def worker_config(plugin: TracingPlugin | None, **changes: Any) -> temporalio.worker.WorkerConfig:
    converter = DataConverter.default
    if plugin is not None:
        converter = plugin.configure_client(client_config())["data_converter"]
    client = SimpleNamespace(
        data_converter=converter, service_client=SimpleNamespace(config=SimpleNamespace(identity="7@node-1"))
    )
    config: Any = {
        "client": client,
        "interceptors": [],
        "workflow_runner": SandboxedWorkflowRunner(),
        "unsandboxed_workflow_runner": temporalio.worker.UnsandboxedWorkflowRunner(),
        **changes,
    }
    return config  # type: ignore[no-any-return] # the part that is read


def test_its_name(plugin: TracingPlugin) -> None:
    assert plugin.name() == "durable-trace"


class TestClient:
    def test_gets_an_interceptor_and_takes_ledgers_along(self, plugin: TracingPlugin) -> None:
        config = plugin.configure_client(client_config())
        assert [type(interceptor) for interceptor in config["interceptors"]] == [ClientInterceptor]
        assert isinstance(config["data_converter"], LedgerDataConverter)

    def test_keeps_interceptors_of_the_users(self, plugin: TracingPlugin) -> None:
        own = temporalio.client.Interceptor()
        config = plugin.configure_client(client_config(interceptors=[own]))
        assert config["interceptors"][0] is own

    def test_with_two_plugins_uses_the_first_and_says_so(self, plugin: TracingPlugin) -> None:
        config = plugin.configure_client(client_config())
        with pytest.warns(UserWarning, match=TWICE):
            assert len(TracingPlugin(TracingConfig()).configure_client(config)["interceptors"]) == 1


class TestWorker:
    def test_gets_an_interceptor_before_the_users(self, plugin: TracingPlugin) -> None:
        own = temporalio.worker.Interceptor()
        config = plugin.configure_worker(worker_config(plugin, interceptors=[own]))
        _metrics, ours, others = config["interceptors"]
        assert isinstance(ours, WorkerInterceptor)
        assert (ours.worker_identity, ours.ledgered, others) == ("7@node-1", True, own)

    def test_has_its_own_identity_where_it_is_given_one(self, plugin: TracingPlugin) -> None:
        [_metrics, ours] = plugin.configure_worker(worker_config(plugin, identity="worker-1"))["interceptors"]
        assert isinstance(ours, WorkerInterceptor)
        assert ours.worker_identity == "worker-1"

    def test_keeps_its_sandbox_a_sandbox_for_other_plugins(self, plugin: TracingPlugin) -> None:
        restrictions = SandboxRestrictions.default.with_passthrough_modules("mine")
        config = plugin.configure_worker(worker_config(plugin, workflow_runner=SandboxedWorkflowRunner(restrictions)))
        runner = config["workflow_runner"]
        assert isinstance(runner, SandboxedWorkflowRunner)
        later = dataclasses.replace(runner, restrictions=runner.restrictions.with_passthrough_modules("theirs"))
        assert isinstance(later, TracedSandboxRunner)
        assert {"mine", "theirs", "tracing", "opentelemetry"} <= later.restrictions.passthrough_modules

    def test_keeps_a_runner_of_the_users(self, plugin: TracingPlugin) -> None:
        class Own(SandboxedWorkflowRunner):
            pass

        config = plugin.configure_worker(worker_config(plugin, workflow_runner=Own()))
        assert isinstance(config["workflow_runner"], TracedRunner)
        assert isinstance(config["unsandboxed_workflow_runner"], TracedRunner)

    def test_without_the_plugin_on_its_client_says_what_is_missing(
        self, plugin: TracingPlugin, tracing_log: list[str]
    ) -> None:
        [_metrics, ours] = plugin.configure_worker(worker_config(None))["interceptors"]
        assert isinstance(ours, WorkerInterceptor)
        assert not ours.ledgered
        assert tracing_log == [
            (
                "TracingPlugin is on a worker but not on its client: no ledger is written, so usage and cost of these "
                "attempts will not be in the history. Put the plugin on Client.connect(plugins=[TracingPlugin()])."
            )
        ]

    def test_with_two_plugins_uses_the_first_and_says_so(self, plugin: TracingPlugin) -> None:
        config = plugin.configure_worker(worker_config(plugin))
        runner = config["workflow_runner"]
        with pytest.warns(UserWarning, match=TWICE):
            again = TracingPlugin(TracingConfig()).configure_worker(config)
        assert (len(again["interceptors"]), again["workflow_runner"]) == (2, runner)


@pytest.mark.parametrize("end", [None, asyncio.CancelledError(), RuntimeError("worker failed")])
async def test_a_worker_sends_what_it_holds_however_it_stops(end: BaseException | None) -> None:
    with capture() as traces:
        span = Span(1, 2, None, "RunWorkflow:Agent", SpanKind.SERVER, start=0, end=1, attributes={})

        async def runs(_: temporalio.worker.Worker) -> None:
            traces.plugin.outbox.hold("run-1", 3, [span], may_idle=True)
            if end is not None:
                raise end

        worker: Any = SimpleNamespace(client=SimpleNamespace(config=lambda **_: {}), config=lambda **_: {})
        with pytest.raises(type(end)) if end is not None else nullcontext():
            await traces.plugin.run_worker(worker, runs)
        assert [sent.name for sent in traces.spans] == ["RunWorkflow:Agent"]


def test_a_replayer_may_import_us_in_its_sandbox_and_traces_nothing(plugin: TracingPlugin) -> None:
    config: Any = {"workflow_runner": SandboxedWorkflowRunner(), "interceptors": []}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        configured = plugin.configure_replayer(config)
    runner = configured["workflow_runner"]
    assert type(runner) is SandboxedWorkflowRunner
    assert "tracing" in runner.restrictions.passthrough_modules
    assert [type(interceptor) for interceptor in configured["interceptors"]] == [SilentReplayInterceptor]
