"""Steps and runs are counted when their spans are released."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.live.metrics.counting import Counting
from tracing.live.metrics.instruments import Metrics
from tracing.live.metrics.spans import counting
from tracing.spans.model import Span, SpanKind, StatusCode

if TYPE_CHECKING:
    from tracing.runs import Attributes

RUN: Attributes = {
    "temporal.namespace": "default",
    "temporal.workflow.type": "Research",
    "temporal.task_queue": "research",
    "temporalRunID": "run-1",
}
STEP: Attributes = RUN | {"temporal.activity.type": "call_llm", "temporalActivityID": "1"}
S = 10**9


def test_a_step_and_its_run() -> None:
    sent: list[Span] = []
    counted = Counting()
    send = counting(Metrics(counted.provider), sent.append)
    send(Span(1, 2, 3, "StartActivity:call_llm", SpanKind.CLIENT, 10 * S, 12 * S, STEP))
    send(
        Span(
            1,
            3,
            None,
            "RunWorkflow:Research",
            SpanKind.SERVER,
            9 * S,
            13 * S,
            RUN | {"temporal.run.status": "completed"},
        )
    )
    assert len(sent) == 2
    [step] = counted.points()["durable.step.duration"]
    assert step.sum == 2
    assert step.attributes == {
        "temporal.namespace": "default",
        "temporal.workflow.type": "Research",
        "temporal.task_queue": "research",
        "temporal.activity.type": "call_llm",
        "durable.step.kind": "StartActivity",
        "durable.outcome": "completed",
    }
    [run] = counted.points()["durable.run.duration"]
    assert run.sum == 4
    assert run.attributes == {
        "temporal.namespace": "default",
        "temporal.workflow.type": "Research",
        "temporal.task_queue": "research",
        "temporal.run.status": "completed",
    }
    assert counted.sums()["durable.steps"] == 1


def test_how_steps_end() -> None:
    counted = Counting()
    send = counting(Metrics(counted.provider), lambda _: None)
    send(Span(1, 2, 3, "StartActivity:a", SpanKind.CLIENT, 0, 1, STEP | {"error.type": "Bad"}, status=StatusCode.ERROR))
    send(Span(1, 2, 3, "StartActivity:a", SpanKind.CLIENT, 0, 1, STEP | {"error.type": "CanceledError"}))
    send(Span(1, 2, 3, "Timer", SpanKind.INTERNAL, 0, 1, RUN | {"temporal.timer.canceled": True}))
    outcomes = [
        (point.attributes["durable.step.kind"], point.attributes["durable.outcome"], point.value)
        for point in counted.points()["durable.steps"]
    ]
    assert sorted(outcomes) == [
        ("StartActivity", "canceled", 1),
        ("StartActivity", "failed", 1),
        ("Timer", "canceled", 1),
    ]


def test_spans_of_other_things_are_sent_and_not_counted() -> None:
    sent: list[Span] = []
    counted = Counting()
    counting(Metrics(counted.provider), sent.append)(Span(1, 2, 3, "HandleSignal:s", SpanKind.SERVER, 0, 1, RUN))
    assert (len(sent), counted.sums()) == (1, {})
