"""Every expression of every panel and rule, asked of a real Prometheus after a run whose counts are known.

The research agent meets a failed request, a worker that is killed inside a model call, and an error that ends a run; a
second workflow streams, uses a tool and pays for an attempt that fails. Their metrics go through the real Collector.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import io
import json
import math
import re
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from temporalio.client import Client, WorkflowFailureError
from temporalio.worker import Worker

from agent.demo.stage import Stage
from agent.local.faults import Fault
from agent.research.workflow import TASK_QUEUE, ResearchAgentWorkflow
from agent.servers.cache import project_file
from agent.servers.endpoints import free_port
from agent.servers.progress import Progress
from agent.servers.prometheus import Prometheus, start_prometheus
from tests.e2e.conftest import RecordingBackend
from tests.e2e.dashboard_workflows import Newsroom, write
from tests.e2e.live_workflows import flaky, look_up
from tracing import TracingConfig, TracingPlugin
from tracing.pricing import price_of_call

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from agent.local.journal import RequestRecord

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

FOLDER = project_file("dashboards")
FAILS = "Shall this fail?"


def price(input_tokens: int, output_tokens: int, cached: int = 0) -> float:
    """USD of one call of gpt-4o."""
    found = price_of_call(
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "gpt-4o",
            "gen_ai.usage.input_tokens": input_tokens,
            "gen_ai.usage.output_tokens": output_tokens,
            "gen_ai.usage.cache_read.input_tokens": cached,
        },
        time.time_ns(),
    )
    assert found is not None
    return float(found.cost)


FLAKY_COST = price(101, 53, 13)
WRITE_COST = price(40, 4)


@dataclass
class Scene:
    """What has happened, and who is asked about it.

    Attributes:
        prometheus: The server.
        requests: What the model server counted.
        begun: When it began, in s since the epoch.
        ended: When all of it was in Prometheus.
    """

    prometheus: Prometheus
    requests: list[RequestRecord]
    begun: float
    ended: float

    @property
    def seconds(self) -> int:
        """More than the whole time that it took."""
        return math.ceil(self.ended - self.begun) + 5

    def ask(self, expr: str) -> list[tuple[dict[str, str], float]]:
        """All results of an expression at the end, by label."""
        answer = self.prometheus.ask("query", query=self.substituted(expr, self.seconds), time=self.ended)
        assert answer["resultType"] == "vector"
        return [(each["metric"], float(each["value"][1])) for each in answer["result"]]

    def over_time(self, expr: str, step: int) -> list[float]:
        """All values of an expression at whole steps before the end."""
        steps = math.ceil(self.seconds / step)
        answer = self.prometheus.ask(
            "query_range",
            query=self.substituted(expr, step),
            start=self.ended - steps * step,
            end=self.ended,
            step=step,
        )
        return [float(value) for each in answer["result"] for _, value in each["values"]]

    def substituted(self, expr: str, interval: int) -> str:
        """An expression with the variables as Grafana puts them in, "All" chosen."""
        values = {
            "namespace": ".*",
            "workflow_type": ".*",
            "model": ".*",
            "__range": f"{self.seconds}s",
            "__interval": f"{interval}s",
        }
        return re.sub(r"\$(\w+)", lambda found: values[found[1]], expr)

    def value(self, dashboard: str, title: str) -> float:
        """The number that a panel shows."""
        [panel] = [panel for panel in panels(dashboard) if panel["title"] == title and panel["type"] == "stat"]
        [(_, value)] = self.ask(panel["targets"][0]["expr"])
        return value


def panels(dashboard: str) -> list[dict[str, Any]]:
    """All panels of a dashboard but its rows."""
    content = json.loads((FOLDER / "grafana/dashboards" / f"{dashboard}.json").read_text())
    return [panel for panel in content["panels"] if panel["type"] != "row"]


NAMES = sorted(file.stem for file in (FOLDER / "grafana/dashboards").glob("*.json"))
EXPRESSIONS = [
    pytest.param(panel["type"], target["expr"], id=f"{name}: {panel['title']} {target['refId']}")
    for name in NAMES
    for panel in panels(name)
    for target in panel["targets"]
]
BARS = [
    pytest.param(target["expr"], id=f"{name}: {panel['title']} {target['refId']}")
    for name in NAMES
    for panel in panels(name)
    if panel["fieldConfig"]["defaults"].get("custom", {}).get("drawStyle") == "bars"
    for target in panel["targets"]
]


@pytest.fixture(scope="module")
def refusing_backend() -> Iterator[RecordingBackend]:
    """A backend that refuses the first spans for ever, and takes the others."""
    backend = RecordingBackend(answers=[400])
    backend.start()
    yield backend
    backend.stop()


def configured(folder: Path, targets: dict[str, str]) -> Path:
    """The project's Prometheus configuration and rules, with targets of our own, scraped each second."""
    (folder / "rules").mkdir(parents=True)
    for file in (FOLDER / "rules").glob("*.yml"):
        (folder / "rules" / file.name).write_text(file.read_text())
    text, changed = re.subn(r"_interval: 15s", "_interval: 1s", (FOLDER / "prometheus.yml").read_text())
    assert changed == 2
    (folder / "prometheus.yml").write_text(text)
    lines = [f'- {{targets: ["{target}"], labels: {{job: {job}}}}}' for job, target in targets.items()]
    (folder / "targets.yml").write_text("\n".join(lines))
    return folder / "prometheus.yml"


async def until(prometheus: Prometheus, **expected: float) -> None:
    """Wait until metrics have these sums, which they reach from below."""
    deadline = time.monotonic() + 60
    while (found := {name: total(prometheus, name) for name in expected}) != expected:
        assert time.monotonic() < deadline, f"{found} is not {expected}"
        await asyncio.sleep(0.1)


def total(prometheus: Prometheus, name: str) -> float:
    result = prometheus.ask("query", query=f"sum({name})")["result"]
    return round(float(result[0]["value"][1]), 9) if result else 0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(tmp_path_factory: pytest.TempPathFactory, refusing_backend: RecordingBackend) -> AsyncIterator[Scene]:
    folder, begun = tmp_path_factory.mktemp("scene"), time.time()
    offered = f"127.0.0.1:{free_port()}"
    settings = {
        "COLLECTOR_PROMETHEUS_ENDPOINT": offered,
        "COLLECTOR_METRICS_INTERVAL": "1s",
        "PHOENIX_COLLECTOR_ENDPOINT": refusing_backend.url,
    }
    with Stage(folder / "stage", Progress(io.StringIO()), with_phoenix=False, collector_settings=settings) as stage:
        config = configured(folder / "config", {"agents": offered, "collector": stage.collector.own_metrics})
        with start_prometheus(folder / "prometheus", config) as prometheus:
            await play(stage, prometheus, {"DURABLE_TRACE_SPOOL": str(folder / "spool")})
            yield Scene(prometheus, await stage.control().requests(), begun, time.time())


async def play(stage: Stage, prometheus: Prometheus, spool: dict[str, str]) -> None:
    """Let it all happen."""
    settings = {
        **spool,
        "OTEL_METRICS_EXPORTER": "otlp",
        "OTEL_METRIC_EXPORT_INTERVAL": "500",
        "DURABLE_TRACE_IDLE_RELEASE_SECONDS": "0.2",
    }
    control = stage.control()
    await control.arm(Fault(kind="status", contains="# Synthesis 1 of 3", status=500))
    await control.arm(Fault(kind="hold", contains="# Synthesis 2 of 3"))
    await control.arm(Fault(kind="status", contains=FAILS, status=400))
    first = stage.start_worker("worker-1", settings)
    client = await Client.connect(stage.temporal.address)
    run = await client.start_workflow(
        ResearchAgentWorkflow.run, "Is it durable?", id=f"research-{uuid.uuid4()}", task_queue=TASK_QUEUE
    )
    await newsroom(stage)
    await control.wait(step="Synthesis 2 of 3", state="received")
    # What worker-1 has not reported when it is killed, no metric will tell.
    await until(prometheus, durable_attempts_total=10, durable_steps_total=8)
    first.kill()
    stage.start_worker("worker-2", settings)
    await run.result()
    with pytest.raises(WorkflowFailureError):
        await client.execute_workflow(
            ResearchAgentWorkflow.run, FAILS, id=f"research-{uuid.uuid4()}", task_queue=TASK_QUEUE
        )
    await until(
        prometheus,
        durable_attempts_total=15,
        durable_steps_total=13,
        durable_run_duration_seconds_count=3,
        durable_lost_attempts_total=1,
    )
    await firing(prometheus, "AgentWorkerLost", "AgentRunsFail", "AgentCostUnknown", "TraceExportFails")


async def newsroom(stage: Stage) -> None:
    """Run the second workflow, on a worker in this process that keeps no run in its cache."""
    exporter = OTLPMetricExporter(f"{stage.collector.otlp_http}/v1/metrics")
    meters = MeterProvider([PeriodicExportingMetricReader(exporter)], Resource.create({"service.name": "newsroom"}))
    plugin = TracingPlugin(
        TracingConfig(idle_release_seconds=0.2),
        tracer_provider=TracerProvider(shutdown_on_exit=False),
        meter_provider=meters,
    )
    client = await Client.connect(stage.temporal.address, plugins=[plugin])
    with concurrent.futures.ThreadPoolExecutor() as threads:
        async with Worker(
            client,
            task_queue="news",
            workflows=[Newsroom],
            activities=[look_up, flaky, write],
            activity_executor=threads,
            max_cached_workflows=0,
        ):
            assert await client.execute_workflow(Newsroom.run, id=f"news-{uuid.uuid4()}", task_queue="news")
    await asyncio.to_thread(meters.shutdown)


async def firing(prometheus: Prometheus, *alerts: str) -> None:
    """Wait until these alerts fire."""
    deadline = time.monotonic() + 60
    while missing := set(alerts) - {
        alert["labels"]["alertname"] for alert in prometheus.ask("alerts")["alerts"] if alert["state"] == "firing"
    }:
        assert time.monotonic() < deadline, f"{missing} do not fire"
        await asyncio.sleep(0.1)


@pytest.mark.parametrize(("kind", "expr"), EXPRESSIONS)
async def test_every_expression_of_every_panel_has_values(scene: Scene, kind: str, expr: str) -> None:
    values = [value for _, value in scene.ask(expr)]
    assert values
    assert [value for value in values if not math.isfinite(value) or value < 0] == []
    if kind == "timeseries":
        assert [value for value in scene.over_time(expr, 5) if math.isfinite(value)]


@pytest.mark.parametrize("expr", BARS)
async def test_bars_add_up_to_the_whole(scene: Scene, expr: str) -> None:
    whole = sum(value for _, value in scene.ask(expr))
    assert math.isclose(sum(scene.over_time(expr, 5)), whole, abs_tol=1e-12)


async def test_the_numbers_are_what_the_servers_counted(scene: Scene) -> None:
    answered = {r.asked.step: r.usage for r in scene.requests if r.usage is not None}
    assert list(answered) == ["Plan", "Synthesis 1 of 3", "Synthesis 2 of 3", "Synthesis 3 of 3", "Summary"]
    assert [r.status for r in scene.requests] == [200, 500, 200, None, 200, 200, 200, 400]
    costs = {step: price(u.input_tokens, u.output_tokens, u.cached_tokens) for step, u in answered.items()}
    cost = sum(costs.values()) + 2 * FLAKY_COST + WRITE_COST
    shown = {
        (name, panel["title"]): round(scene.value(name, panel["title"]), 9)
        for name in ("overview", "durability", "health")
        for panel in panels(name)
        if panel["type"] == "stat"
    }
    assert shown | {
        ("health", "Fullest spool"): 0,
        ("health", "Fullest queue of the Collector"): 0,
        ("health", "Spans that wait"): 0,
    } == {
        ("overview", "Runs closed"): 3,
        ("overview", "Cost"): round(cost, 9),
        ("overview", "Model calls"): 10,  # of the one that died with worker-1, nobody knows
        ("overview", "Tokens"): sum(usage.total_tokens for usage in answered.values()) + 2 * 154 + 44,
        ("overview", "Saved by reuse"): round(costs["Plan"] + costs["Synthesis 1 of 3"], 9),
        ("overview", "Retry waste"): round(FLAKY_COST / cost, 9),
        ("durability", "Attempts per step"): round(15 / 13, 9),
        ("durability", "Attempts that failed"): round(3 / 15, 9),
        ("durability", "Retry waste"): round(FLAKY_COST / cost, 9),
        ("durability", "Runs recovered"): 1,
        ("durability", "Steps reused"): 5,
        ("durability", "Attempts lost"): 1,
        ("health", "Processes that report"): 3,
        ("health", "Spans lost"): 0,
        ("health", "Spans that wait"): 0,
        ("health", "Fullest spool"): 0,
        ("health", "Fullest queue of the Collector"): 0,
        ("health", "Calls without a price"): 2,
    }


async def test_what_each_step_costs(scene: Scene) -> None:
    [table] = [panel for panel in panels("overview") if panel["type"] == "table"]
    cost = {
        (labels["temporal_workflow_type"], labels["temporal_activity_type"], labels["gen_ai_request_model"]): value
        for labels, value in scene.ask(table["targets"][0]["expr"])
    }
    research = sum(
        price(r.usage.input_tokens, r.usage.output_tokens, r.usage.cached_tokens) for r in scene.requests if r.usage
    )
    assert {key: round(value, 9) for key, value in cost.items()} == {
        ("ResearchAgentWorkflow", "call_llm", "gpt-4o"): round(research, 9),
        ("Newsroom", "flaky", "gpt-4o"): round(2 * FLAKY_COST, 9),
        ("Newsroom", "write", "gpt-4o"): round(WRITE_COST, 9),
    }


async def test_why_attempts_failed_and_runs_were_recovered(scene: Scene) -> None:
    def shown(title: str, *labels: str) -> dict[tuple[str, ...], float]:
        [panel] = [panel for panel in panels("durability") if panel["title"] == title]
        return {
            tuple(found.get(label, "") for label in labels): value
            for found, value in scene.ask(panel["targets"][0]["expr"])
        }

    assert shown("Failed attempts by error", "temporal_activity_type", "error_type") == {
        ("call_llm", "InternalServerError"): 1,
        ("call_llm", "BadRequestError"): 1,
        ("flaky", "Unlucky"): 1,
    }
    assert shown("Recoveries by cause", "durable_recovery_cause") == {("worker_change",): 1, ("evicted",): 3}
    assert shown("Lost attempts by step", "temporal_activity_type") == {("call_llm",): 1}
    assert shown("What was not done again", "temporal_activity_type") == {("call_llm",): 2, ("search_web",): 3}


async def test_every_rule_is_healthy_and_has_something_to_judge(scene: Scene) -> None:
    rules = [rule for group in scene.prometheus.ask("rules")["groups"] for rule in group["rules"]]
    assert len(rules) == 26
    assert [(rule["name"], rule["lastError"]) for rule in rules if rule["health"] != "ok"] == []
    for rule in rules:
        judged = rule["query"] if rule["type"] == "recording" else without_threshold(rule["query"])
        values = [value for _, value in scene.ask(judged)]
        assert values, rule["name"]
        assert [value for value in values if not math.isfinite(value)] == [], rule["name"]


def without_threshold(expr: str) -> str:
    """What an alert compares, or that which must not be absent."""
    found = re.fullmatch(r"absent\((.+)\)|(.+) [<>] [\d.]+", expr, re.DOTALL)
    assert found is not None
    return found[1] or found[2]


async def test_records_are_what_was_counted(scene: Scene) -> None:
    [(_, cost)] = scene.ask("sum(durable:cost_usd:increase1h)")
    assert math.isclose(cost, scene.value("overview", "Cost"))
    [(_, attempts)] = scene.ask("sum(durable:attempts:increase15m)")
    assert attempts == 15
    [(_, recoveries)] = scene.ask('sum(durable:recoveries:increase15m{durable_recovery_cause="worker_change"})')
    assert recoveries == 1


async def test_no_label_has_an_id_of_a_run(scene: Scene) -> None:
    names = {label for found, _ in scene.ask('{__name__=~"durable_.+|gen_ai_.+"}') for label in found}
    assert not {name for name in names if name.lower().endswith("id")}
