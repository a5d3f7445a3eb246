"""What a run counts, on a real server: once, however often its code is replayed."""

from __future__ import annotations

import concurrent.futures
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import HistogramDataPoint, InMemoryMetricReader, NumberDataPoint
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from temporalio.client import Client
from temporalio.worker import Worker

from tests.e2e.live_workflows import ACTIVITIES
from tests.e2e.metrics_workflows import Desk
from tracing import TracingConfig, TracingPlugin
from tracing.conventions import METRICS

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = pytest.mark.e2e

RUN = {"temporal.namespace": "default", "temporal.workflow.type": "Desk"}
PLACE = RUN | {"temporal.task_queue": "metrics"}
MODEL = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.response.model": "gpt-4o",
}

Sums = dict[str, dict[frozenset[tuple[str, Any]], Any]]


async def counted(address: str, *, provider: TracerProvider | None = None, **worker: Any) -> Sums:
    """Run it, and give back all sums: of counters their value, of histograms their count and sum, but of times."""
    reader = InMemoryMetricReader()
    plugin = TracingPlugin(
        TracingConfig(),
        tracer_provider=provider or TracerProvider(shutdown_on_exit=False),
        meter_provider=MeterProvider(metric_readers=[reader], shutdown_on_exit=False),
    )
    client = await Client.connect(address, plugins=[plugin])
    with concurrent.futures.ThreadPoolExecutor() as threads:
        async with Worker(
            client,
            task_queue="metrics",
            workflows=[Desk],
            activities=ACTIVITIES,
            activity_executor=threads,
            **worker,
        ):
            await client.execute_workflow(Desk.run, id=f"desk-{uuid.uuid4()}", task_queue="metrics")
    return read(reader)


def read(reader: InMemoryMetricReader) -> Sums:
    data = reader.get_metrics_data()
    found: Sums = {}
    for metric in (
        (m for r in data.resource_metrics for scope in r.scope_metrics for m in scope.metrics) if data else ()
    ):
        assert metric.unit == METRICS[metric.name].unit
        for point in metric.data.data_points:
            attributes: Mapping[str, Any] = point.attributes or {}
            assert set(attributes) <= set(METRICS[metric.name].attributes)
            value: Any = None
            if isinstance(point, NumberDataPoint):
                value = round(point.value, 9)
            elif isinstance(point, HistogramDataPoint):
                value = point.count if metric.unit in {"s", "By"} else (point.count, point.sum)
            # What tracing observes of itself is the process's, and so that of other tests, too.
            if value and not METRICS[metric.name].instrument.startswith("observable"):
                found.setdefault(metric.name, {})[frozenset(attributes.items())] = value
    return found


def at(**attributes: Any) -> frozenset[tuple[str, Any]]:
    """Attributes by the last word of their keys."""
    keys = {
        "activity": "temporal.activity.type",
        "outcome": "durable.outcome",
        "kind": "durable.step.kind",
        "error": "error.type",
        "status": "temporal.run.status",
        "token": "gen_ai.token.type",
        "tool": "gen_ai.tool.name",
        "agent": "gen_ai.agent.name",
        "operation": "gen_ai.operation.name",
    }
    return frozenset((keys[name], value) for name, value in attributes.items())


def step(kind: str, **attributes: Any) -> frozenset[tuple[str, Any]]:
    queue = PLACE if kind == "StartActivity" else RUN
    return frozenset({*queue.items(), *at(kind=kind, outcome="completed", **attributes)})


def attempt(activity: str, outcome: str, **attributes: Any) -> frozenset[tuple[str, Any]]:
    return frozenset({*PLACE.items(), *at(activity=activity, outcome=outcome, **attributes)})


def call(activity: str, **attributes: Any) -> frozenset[tuple[str, Any]]:
    return frozenset({*PLACE.items(), *MODEL.items(), *at(activity=activity, **attributes)})


ATTEMPTS_AND_CALLS: Sums = {
    "durable.attempts": {
        attempt("classify", "completed"): 1,
        attempt("look_up", "completed"): 1,
        attempt("flaky", "failed", error="Unlucky"): 1,
        attempt("flaky", "completed"): 1,
    },
    "durable.attempt.duration": {
        attempt("classify", "completed"): 1,
        attempt("look_up", "completed"): 1,
        attempt("flaky", "failed"): 1,
        attempt("flaky", "completed"): 1,
    },
    "durable.attempt.queue_time": {
        frozenset({*PLACE.items(), *at(activity="classify")}): 1,
        frozenset({*PLACE.items(), *at(activity="look_up")}): 1,
        frozenset({*PLACE.items(), *at(activity="flaky")}): 2,
    },
    # A call costs 0.00076625: 88 plain and 13 cached tokens in, 53 out.
    "durable.cost": {call("classify"): 0.00076625, call("flaky"): 0.0015325},
    "durable.failed_cost": {call("flaky"): 0.00076625},
    "durable.calls": {call("classify"): 1, call("flaky"): 2},
    "durable.tokens": {
        call("classify", token="input"): 101,
        call("classify", token="output"): 53,
        call("flaky", token="input"): 202,
        call("flaky", token="output"): 106,
    },
    "durable.ledger.size": {
        frozenset({*PLACE.items(), *at(activity="classify")}): 1,
        frozenset({*PLACE.items(), *at(activity="look_up")}): 1,
        frozenset({*PLACE.items(), *at(activity="flaky")}): 2,
    },
    "gen_ai.client.token.usage": {
        frozenset({*MODEL.items(), *at(token="input")}): (3, 303),
        frozenset({*MODEL.items(), *at(token="output")}): (3, 159),
    },
    "gen_ai.client.operation.duration": {frozenset(MODEL.items()): 3},
    "gen_ai.execute_tool.duration": {at(operation="execute_tool", tool="search"): 1},
    "gen_ai.invoke_agent.duration": {at(operation="invoke_agent", agent="archivist"): 1},
}
STEPS = {
    step("StartActivity", activity="classify"): 1,
    step("StartActivity", activity="look_up"): 1,
    step("StartActivity", activity="flaky"): 1,
    step("Timer"): 1,
}
SAMPLED: Sums = {
    "durable.steps": STEPS,
    "durable.step.duration": STEPS,
    "durable.run.duration": {frozenset({*PLACE.items(), *at(status="completed")}): 1},
}


@pytest.mark.parametrize("cached", [1_000, 0], ids=["cached", "replayed at each workflow task"])
async def test_a_run_is_counted_once(temporal_server: str, cached: int) -> None:
    sums = await counted(temporal_server, max_cached_workflows=cached)
    recoveries = sums.pop("durable.recoveries", {})
    assert sums == ATTEMPTS_AND_CALLS | SAMPLED
    # Each of the four tasks after the first began with a replay: in the cache that evicted the run, nothing was saved.
    assert list(recoveries.values()) == ([] if cached else [4])


async def test_what_is_not_sampled_has_cost_money_all_the_same(temporal_server: str) -> None:
    provider = TracerProvider(sampler=ALWAYS_OFF, shutdown_on_exit=False)
    assert await counted(temporal_server, provider=provider) == ATTEMPTS_AND_CALLS
