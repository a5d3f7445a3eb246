"""Temporal's own OpenTelemetry plugins beside ours."""

from __future__ import annotations

import warnings
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from opentelemetry import trace
from temporalio.client import Client
from temporalio.contrib.opentelemetry import OpenTelemetryPlugin, TracingInterceptor
from temporalio.worker import Worker

from tests.e2e.company_workflows import Planned
from tests.e2e.live_workflows import Echo, classify
from tests.e2e.test_company_workflow_code import QUEUE, start, telemetry, worker
from tracing import TracingConfig, TracingPlugin
from tracing import conventions as c
from tracing.headers import SpanReference
from tracing.live import other_plugins

if TYPE_CHECKING:
    from temporalio.client import Plugin

pytestmark = pytest.mark.e2e

THEIRS = "temporalio.contrib.opentelemetry._otel_interceptor"


@pytest.fixture(autouse=True)
def _nothing_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(other_plugins, "_said", set())


def warned(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "durable_trace"]


OURS = """
RunWorkflow:Planned SERVER
  plan INTERNAL
  StartActivity:classify CLIENT
    RunActivity:classify SERVER
      chat gpt-4o CLIENT
  Timer INTERNAL
  HandleSignal:note SERVER
  take note INTERNAL
  wrap up INTERNAL
"""


class TestOpenTelemetryPlugin:
    @pytest.mark.parametrize("place", ["before ours", "after ours", "on the worker"])
    async def test_without_its_spans_it_changes_nothing(
        self,
        place: str,
        temporal_server: str,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        with telemetry(monkeypatch) as own:
            theirs = OpenTelemetryPlugin()
            plugins: dict[str, list[Plugin]] = {
                "before ours": [theirs, own.traces.plugin],
                "after ours": [own.traces.plugin, theirs],
            }
            client = await Client.connect(temporal_server, plugins=plugins.get(place, [own.traces.plugin]))
            async with Worker(
                client,
                task_queue=QUEUE,
                workflows=[Planned],
                activities=[classify],
                plugins=[theirs] if place == "on the worker" else [],
            ):
                handle = await start(client, Planned.run, "cats")
                await handle.signal(Planned.note, "hurry")
                await handle.result()
                trace_ = await own.traces.of(handle)
        assert sorted(f"\n{trace_.render()}\n".split("\n")) == sorted(OURS.split("\n"))
        assert {span.parent_id for span in trace_.spans if span.scope == "app"} == {
            trace_.span("RunWorkflow:Planned").span_id
        }
        assert trace_.span("RunActivity:classify").attributes[c.LLM_CALLS] == 1
        assert warned(caplog) == []

    @pytest.mark.parametrize("where", ["client", "worker"])
    async def test_with_its_spans_the_engines_are_there_twice_and_we_say_so(
        self,
        where: str,
        temporal_server: str,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        with telemetry(monkeypatch) as own:
            theirs = OpenTelemetryPlugin(add_temporal_spans=True)
            client = await Client.connect(
                temporal_server, plugins=[own.traces.plugin, theirs] if where == "client" else [own.traces.plugin]
            )
            async with Worker(
                client,
                task_queue=QUEUE,
                workflows=[Echo],
                activities=[classify],
                plugins=[theirs] if where == "worker" else [],
            ):
                handle = await start(client, Echo.run, "Why?")
                await handle.result()
                trace_ = await own.traces.of(handle)
        assert Counter(span.name for span in own.traces.spans if span.scope == "durable-trace") == {
            "RunWorkflow:Echo": 1,
            "StartActivity:classify": 1,
            "RunActivity:classify": 1,
            "chat gpt-4o": 1,
        }
        assert {span.name for span in own.traces.spans if span.scope == THEIRS} >= {
            "StartActivity:classify",
            "RunActivity:classify",
        }
        own_run, own_attempt = (
            next(span for span in trace_.spans if span.name == name and span.scope == "durable-trace")
            for name in ("RunWorkflow:Echo", "RunActivity:classify")
        )
        assert trace_.span("chat gpt-4o").parent_id == own_attempt.span_id
        assert (own_run.attributes[c.LLM_CALLS], own_attempt.attributes[c.LLM_CALLS]) == (1, 1)
        assert warned(caplog) == [
            (
                "Temporal's OpenTelemetryPlugin(add_temporal_spans=True) is on as well: the spans of runs and "
                "activities are there twice, under the same names, in scope temporalio.contrib.opentelemetry and in "
                "ours (durable-trace). Set add_temporal_spans=False; what you and libraries trace in workflow code and "
                "activities stays in our trace."
            )
        ]

    async def test_a_run_that_a_client_with_it_alone_began_has_its_own_trace_linked_to_that_clients(
        self, temporal_server: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with telemetry(monkeypatch) as own:
            other = await Client.connect(temporal_server, plugins=[OpenTelemetryPlugin()])
            async with worker(temporal_server, own.traces.plugin):
                with trace.get_tracer("app").start_as_current_span("request") as request:
                    handle = await start(other, Planned.run, "cats")
                await handle.signal(Planned.note, "hurry")
                await handle.result()
                trace_ = await own.traces.of(handle)
        root = trace_.span("RunWorkflow:Planned")
        began = request.get_span_context()
        assert root.trace_id != began.trace_id
        assert [str(SpanReference(link.trace_id, link.span_id)) for link in root.links] == [
            str(SpanReference(began.trace_id, began.span_id))
        ]


async def test_the_older_tracing_interceptor_is_told_apart_too(
    temporal_server: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with telemetry(monkeypatch) as own:
        client = await Client.connect(
            temporal_server,
            plugins=[own.traces.plugin],
            interceptors=[TracingInterceptor(always_create_workflow_spans=True)],
        )
        async with Worker(client, task_queue=QUEUE, workflows=[Planned], activities=[classify]):
            handle = await start(client, Planned.run, "cats")
            await handle.signal(Planned.note, "hurry")
            await handle.result()
            trace_ = await own.traces.of(handle)
    app = [span for span in trace_.spans if span.scope == "app"]
    root = next(span for span in trace_.spans if span.name == "RunWorkflow:Planned" and span.scope == "durable-trace")
    assert {span.parent_id for span in app} == {root.span_id}
    assert root.attributes[c.LLM_CALLS] == 1
    [message] = warned(caplog)
    assert message.startswith("Temporal's TracingInterceptor is on as well")


class TestTwice:
    """Two plugins of ours: the first one is used, and who has the other one is told once."""

    @pytest.mark.parametrize("where", ["client", "worker"])
    async def test_the_seconds_settings_have_no_effect_and_we_say_so(
        self, where: str, temporal_server: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with telemetry(monkeypatch) as own, warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            second = TracingPlugin(TracingConfig(capture_content=True), tracer_provider=own.traces.provider)
            plugins: list[Plugin] = [own.traces.plugin, second] if where == "client" else [own.traces.plugin]
            client = await Client.connect(temporal_server, plugins=plugins)
            async with Worker(
                client,
                task_queue=QUEUE,
                workflows=[Echo],
                activities=[classify],
                plugins=[second] if where == "worker" else [],
            ):
                handle = await start(client, Echo.run, "Why?")
                await handle.result()
                trace_ = await own.traces.of(handle)
        assert [span.name for span in trace_.spans] == [
            "RunWorkflow:Echo",
            "StartActivity:classify",
            "RunActivity:classify",
            "chat gpt-4o",
        ]
        assert not [span for span in trace_.spans if c.INPUT_VALUE in span.attributes]
        assert [str(w.message) for w in caught if "TracingPlugin is" in str(w.message)] == [
            (
                "TracingPlugin is registered twice, on the client and again on it or its worker: the first one is "
                "used. Keep the one on Client.connect(); its workers inherit it. The settings of the other one have "
                "no effect."
            )
        ]
