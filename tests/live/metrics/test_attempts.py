"""What is counted inside attempts: once, in the conventions' buckets, and silently where something fails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import metrics as otel_metrics
from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.metrics._internal import _ProxyMeterProvider
from opentelemetry.sdk.metrics.export import HistogramDataPoint
from temporalio.contrib.opentelemetry import ReplaySafeMeterProvider

from tests.live.metrics.counting import Counting
from tracing.conventions import METRICS, REFERENCE
from tracing.ledger import LedgerSpan
from tracing.live.metrics.attempts import AttemptMetrics
from tracing.live.metrics.instruments import Metrics

if TYPE_CHECKING:
    from tracing.runs import Attributes

PLACE: Attributes = {
    "temporal.namespace": "default",
    "temporal.workflow.type": "Research",
    "temporal.activity.type": "call_llm",
    "temporal.task_queue": "research",
}
CALL: Any = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.response.time_to_first_chunk": 0.5,
    "gen_ai.usage.input_tokens": 101,
    "gen_ai.usage.output_tokens": 53,
    "durable.cost.usd": 0.25,
    "http.request.resend_count": 2,
}


@pytest.fixture
def counting() -> Counting:
    return Counting()


def model_call(scope: str = "durable-trace", **more: Any) -> LedgerSpan:
    return LedgerSpan(
        span_id="1", name="chat gpt-4o", start=10**9, end=3 * 10**9, kind=3, attributes=CALL | more, scope=scope
    )


def test_buckets_are_those_that_the_conventions_advise(counting: Counting) -> None:
    attempt = AttemptMetrics(Metrics(counting.provider), PLACE)
    attempt.inner(model_call())
    for operation in ("execute_tool", "invoke_agent"):
        attributes: Any = {"gen_ai.operation.name": operation}
        attempt.inner(LedgerSpan(span_id="1", name="a", start=0, end=1, attributes=attributes, scope="durable-trace"))
    attempt.ledger(1_000)
    attempt.started(0.5)
    attempt.ended("completed", seconds=2.0)
    points = counting.points()
    bounds = {
        name: found[0].explicit_bounds for name, found in points.items() if isinstance(found[0], HistogramDataPoint)
    }
    seconds = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
    assert bounds == {
        "gen_ai.client.token.usage": (
            *(1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864),
        ),
        "gen_ai.client.operation.duration": seconds,
        "gen_ai.client.operation.time_to_first_chunk": seconds,
        "gen_ai.execute_tool.duration": seconds,
        "gen_ai.invoke_agent.duration": (*(0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 51.2, 102.4, 204.8, 409.6),),
        "durable.attempt.duration": seconds,
        "durable.attempt.queue_time": seconds,
        "durable.ledger.size": (256, 1024, 4096, 16384, 65536, 262144, 1048576),
    }


def test_an_instrumented_call_costs_but_its_instrumentation_measures_it(counting: Counting) -> None:
    AttemptMetrics(Metrics(counting.provider), PLACE).inner(model_call(scope="opentelemetry.instrumentation.openai"))
    assert counting.sums() == {
        "durable.calls": 1,
        "durable.cost": 0.25,
        "durable.client_retries": 2,
        "durable.tokens": 154,
    }


def test_tokens_are_counted_by_model_and_step(counting: Counting) -> None:
    AttemptMetrics(Metrics(counting.provider), PLACE).inner(model_call(scope="app"))
    assert {
        point.attributes["gen_ai.token.type"]: (
            point.value,
            point.attributes["gen_ai.request.model"],
            point.attributes["temporal.activity.type"],
        )
        for point in counting.points()["durable.tokens"]
    } == {"input": (101, "gpt-4o", "call_llm"), "output": (53, "gpt-4o", "call_llm")}


@pytest.mark.parametrize(("outcome", "wasted"), [("completed", None), ("failed", 0.25), ("canceled", 0.25)])
def test_what_an_attempt_spent_that_came_to_nothing(counting: Counting, outcome: str, wasted: float | None) -> None:
    attempt = AttemptMetrics(Metrics(counting.provider), PLACE)
    attempt.inner(model_call(scope="app"))
    assert "durable.failed_cost" not in counting.sums()
    attempt.ended(outcome, seconds=1.5, error="RateLimitError" if outcome == "failed" else None)
    assert counting.sums().get("durable.failed_cost") == wasted
    [made] = counting.points()["durable.attempts"]
    assert made.attributes == PLACE | {"durable.outcome": outcome} | (
        {"error.type": "RateLimitError"} if outcome == "failed" else {}
    )


def test_clocks_of_two_servers_that_differ_make_no_negative_queue_time(counting: Counting) -> None:
    AttemptMetrics(Metrics(counting.provider), PLACE).started(-0.25)
    [waited] = counting.points()["durable.attempt.queue_time"]
    assert (waited.count, waited.sum) == (1, 0)


def test_a_call_of_unknown_cost_is_counted_as_such(counting: Counting) -> None:
    attempt = AttemptMetrics(Metrics(counting.provider), PLACE)
    attempt.inner(model_call(scope="app", **{"durable.cost.usd": "?"}))
    assert counting.sums()["durable.unknown_cost_calls"] == 1


def test_a_replay_safe_provider_will_do(counting: Counting) -> None:
    AttemptMetrics(Metrics(ReplaySafeMeterProvider(counting.provider)), PLACE).ended("completed")
    assert counting.sums() == {"durable.attempts": 1}


def test_without_a_provider_nothing_is_counted_and_nothing_fails() -> None:
    attempt = AttemptMetrics(Metrics(otel_metrics.NoOpMeterProvider()), PLACE)
    attempt.inner(model_call())
    attempt.ended("completed")
    attempt.ledger(5)


def test_a_provider_that_fails_does_no_harm(tracing_log: list[str]) -> None:
    class Broken(otel_metrics.MeterProvider):
        def get_meter(self, *_: Any, **__: Any) -> otel_metrics.Meter:
            raise RuntimeError("no meter")

    attempt = AttemptMetrics(Metrics(Broken()), PLACE)
    attempt.inner(model_call())
    attempt.ended("failed")
    assert len(tracing_log) == 1


def test_no_metric_carries_ids_or_content() -> None:
    keys = {key for metric in METRICS.values() for key in metric.attributes}
    assert not {key for key in keys if key.lower().endswith(("id", "content", "messages", "value"))}
    assert not {name for name in METRICS if name in REFERENCE}


def test_nothing_is_recorded_until_there_is_a_provider() -> None:
    stand_ins = _ProxyMeterProvider()  # what the global provider is until an application sets one
    metrics = Metrics(stand_ins)
    assert not metrics.are_recorded
    assert not Metrics(NoOpMeterProvider()).are_recorded
    stand_ins.on_set_meter_provider(Counting().provider)
    assert metrics.are_recorded
    assert Metrics(ReplaySafeMeterProvider(Counting().provider)).are_recorded
