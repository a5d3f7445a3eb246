"""The span of an attempt and the budget of its ledger, from what its worker knows."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from temporalio.api.failure.v1 import ApplicationFailureInfo
from temporalio.api.failure.v1 import Failure as FailureProto

from tests.live.attempts.attempts import (
    ATTEMPT_SPAN,
    COMMON,
    DURATION_NS,
    STARTED,
    STARTED_NS,
    STEP_SPAN,
    WorkerAttempt,
)
from tracing.config import TracingConfig
from tracing.headers import SpanReference, TraceHeader
from tracing.live.attempts.attempt import closing_attempt
from tracing.spans.model import Event, Span, SpanKind, StatusCode

TRACE = 0x0884FD559F037FEB254717F53BE6BB10
ATTRIBUTES = COMMON | {
    "temporalActivityID": "1",
    "temporal.activity.type": "call_llm",
    "temporal.task_queue": "research",
    "temporal.max_attempts": 5,
    "openinference.span.kind": "CHAIN",
    "temporal.attempt": 1,
    "temporal.worker.identity": "worker-1",
    "temporal.worker.build_id": "build-7",
    "temporal.queue_time": 0.00744,
}


def span_of(attempt: WorkerAttempt) -> Span:
    [span] = attempt.let_go
    return span


def call_model(attempt: WorkerAttempt, response_id: str = "chatcmpl-1") -> None:
    with attempt.inside(), attempt.provider.get_tracer("app").start_as_current_span("chat gpt-4o") as span:
        span.set_attributes(
            {
                "gen_ai.operation.name": "chat",
                "gen_ai.provider.name": "openai",
                "gen_ai.request.model": "gpt-4o",
                "gen_ai.response.id": response_id,
                "gen_ai.usage.input_tokens": 101,
                "gen_ai.usage.output_tokens": 53,
            }
        )


def test_without_a_header_the_attempt_knows_its_place_all_the_same() -> None:
    attempt = WorkerAttempt()
    attempt.attempt.finish()
    attempt.attempt.close(None)
    assert span_of(attempt) == Span(
        trace_id=TRACE,
        span_id=ATTEMPT_SPAN,
        parent_id=STEP_SPAN,
        name="RunActivity:call_llm",
        kind=SpanKind.SERVER,
        start=STARTED_NS,
        end=STARTED_NS + DURATION_NS,
        attributes=ATTRIBUTES,
        resource={"service.name": "agents"},
    )


def test_a_header_names_trace_step_and_session() -> None:
    header = TraceHeader(traceparent=str(SpanReference(7, STEP_SPAN)), session="chat-17", user="ada", tags=("beta",))
    attempt = WorkerAttempt(header=header)
    attempt.attempt.finish()
    attempt.attempt.close(None)
    span = span_of(attempt)
    assert (span.trace_id, span.span_id, span.parent_id) == (7, ATTEMPT_SPAN, STEP_SPAN)
    assert span.attributes == ATTRIBUTES | {
        "session.id": "chat-17",
        "gen_ai.conversation.id": "chat-17",
        "user.id": "ada",
        "tag.tags": ("beta",),
        "langfuse.trace.tags": ("beta",),
    }


def test_a_header_names_which_use_of_the_activity_id_it_is() -> None:
    second = 0xA29950BCBD780206
    attempt = WorkerAttempt(header=TraceHeader(traceparent=str(SpanReference(7, second)), nth=2))
    attempt.attempt.finish()
    attempt.attempt.close(None)
    span = span_of(attempt)
    assert (span.trace_id, span.parent_id) == (7, second)


@pytest.mark.parametrize("sampled", [True, False])
def test_a_header_of_the_base_run_that_a_reset_copied_decides_the_sampling_only(*, sampled: bool) -> None:
    step_of_the_base_run = SpanReference(7, 8, sampled)
    attempt = WorkerAttempt(header=TraceHeader(traceparent=str(step_of_the_base_run)))
    attempt.attempt.finish()
    attempt.attempt.close(None)
    assert [(span.trace_id, span.parent_id) for span in attempt.let_go] == [(TRACE, STEP_SPAN)] * sampled


def test_a_failed_attempt_with_a_model_call() -> None:
    attempt = WorkerAttempt(TracingConfig(capture_content=True))
    call_model(attempt)
    attempt.attempt.finish()
    attempt.attempt.close(
        FailureProto(message="boom", application_failure_info=ApplicationFailureInfo(type="ValueError"))
    )
    span = span_of(attempt)
    assert (span.status, span.status_message, span.events) == (
        StatusCode.ERROR,
        "boom",
        (
            Event(
                "exception",
                STARTED_NS + DURATION_NS,
                {"exception.type": "ValueError", "exception.message": "boom"},
            ),
        ),
    )
    assert span.attributes == ATTRIBUTES | {
        "error.type": "ValueError",
        "durable.llm.calls": 1,
        "durable.llm.input_tokens": 101,
        "durable.llm.output_tokens": 53,
        "durable.llm.cached_input_tokens": 0,
        "durable.llm.reasoning_tokens": 0,
        "durable.llm.unknown_cost_calls": 0,
        "durable.llm.cost": 0.0007825,
    }


def test_its_span_is_let_go_once() -> None:
    attempt = WorkerAttempt()
    attempt.attempt.finish()
    for _ in range(3):
        attempt.attempt.close(None)
    assert len(attempt.let_go) == 1


def test_it_closes_when_its_outcome_is_encoded_and_not_before() -> None:
    attempt = WorkerAttempt()
    assert closing_attempt() is None
    attempt.attempt.finish()
    assert closing_attempt() is attempt.attempt
    attempt.attempt.close(None)
    assert closing_attempt() is None


def test_an_unsampled_attempt_lets_nothing_go_but_has_its_ledger() -> None:
    attempt = WorkerAttempt(sampled=False)
    call_model(attempt)
    attempt.attempt.finish()
    ledger = attempt.ledger()
    attempt.attempt.close(None)
    assert attempt.let_go == []
    assert [span.name for span in ledger.spans] == ["chat gpt-4o"]


class TestCompletedByAClient:
    async def test_it_takes_until_then(self) -> None:
        attempt = WorkerAttempt()
        with attempt.attempt.completing():
            assert closing_attempt() is attempt.attempt
            attempt.attempt.close(None)
            assert attempt.let_go == []  # the server has not been told
        assert closing_attempt() is None
        assert [span.end for span in attempt.let_go] == [STARTED_NS + DURATION_NS]

    async def test_where_the_server_is_not_told_it_stays_open(self) -> None:
        attempt = WorkerAttempt()

        def refused() -> None:
            with attempt.attempt.completing():
                attempt.attempt.close(None)
                raise ConnectionError

        with pytest.raises(ConnectionError):
            refused()
        assert (attempt.let_go, attempt.attempt.open) == ([], True)
        with attempt.attempt.completing():
            attempt.attempt.close(None)
        assert [span.end for span in attempt.let_go] == [STARTED_NS + 2 * DURATION_NS]


class TestLedger:
    def test_there_is_none_where_nobody_sees_what_happens_inside(self) -> None:
        attempt = WorkerAttempt(with_provider=False)
        attempt.attempt.finish()
        assert attempt.attempt.ledger() is None  # one without calls would say that there were none

    def test_it_names_the_attempt_and_its_worker(self) -> None:
        attempt = WorkerAttempt()
        attempt.attempt.finish()
        ledger = attempt.ledger()
        assert (ledger.attempt, ledger.started, ledger.duration, ledger.identity, ledger.resource, ledger.spans) == (
            1,
            STARTED_NS // 1_000,
            DURATION_NS,
            "worker-1",
            {"service.name": "agents"},
            [],
        )
        assert (ledger.build, ledger.scheduled, ledger.heartbeats) == ("build-7", 0, 0)

    def test_it_has_what_history_lacks_of_a_later_attempt(self) -> None:
        attempt = WorkerAttempt(info={"attempt": 2, "current_attempt_scheduled_time": STARTED - timedelta(seconds=1)})
        attempt.attempt.heartbeats = 3
        attempt.attempt.finish()
        ledger = attempt.ledger(attempt=2)
        attempt.attempt.close(None)
        assert (ledger.scheduled, ledger.heartbeats) == (STARTED_NS // 1_000 - 1_000_000, 3)
        attributes = span_of(attempt).attributes
        assert (attributes["temporal.queue_time"], attributes["temporal.heartbeats"]) == (1.0, 3)

    def test_it_can_be_off(self) -> None:
        attempt = WorkerAttempt(TracingConfig(ledger=False))
        call_model(attempt)
        assert attempt.attempt.ledger() is None

    @pytest.mark.parametrize(
        "limits",
        [
            {"config": TracingConfig(max_ledger_bytes=10)},
            {"header": TraceHeader(ledger_left=10)},
            {"config": TracingConfig(max_ledger_bytes=65_536), "header": TraceHeader(ledger_left=0)},
            {"header": TraceHeader(ledger_left=-5)},
        ],
        ids=["its own limit", "the run's budget", "the smaller of both", "a hostile budget"],
    )
    def test_where_none_fits_the_span_says_how_much_is_missing(self, limits: dict[str, Any]) -> None:
        attempt = WorkerAttempt(**limits)
        call_model(attempt)
        attempt.attempt.finish()
        assert attempt.attempt.ledger() is None
        attempt.attempt.close(None)
        # Six of the call's own, its cost with that of input and output, and the source of the price.
        assert span_of(attempt).attributes["durable.ledger.cut"] == 10

    def test_where_it_is_cut_ledger_and_span_say_the_same(self) -> None:
        # Larger than the limit even when compressed, as the rest is not: random span IDs and times change its size.
        response_id = "".join(f"{number * 2_654_435_761 % 2**32:08x}" for number in range(400))
        attempt = WorkerAttempt(TracingConfig(max_ledger_bytes=1_000))
        call_model(attempt, response_id)
        attempt.attempt.finish()
        ledger = attempt.ledger()
        attempt.attempt.close(None)
        assert (ledger.cut, span_of(attempt).attributes["durable.ledger.cut"]) == (1, 1)  # the response's ID
        assert "durable.ledger.cut" not in ATTRIBUTES
