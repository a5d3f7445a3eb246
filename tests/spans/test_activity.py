"""The spans of an activity, whole: its step, and each of its attempts."""

from __future__ import annotations

import dataclasses

import pytest
from msgspec.structs import replace

from tests.spans.research import (
    ANSWER,
    CALL_LLM,
    COMMON,
    OFF,
    ON,
    QUESTION,
    RESOURCE,
    RUN,
    RUN_ID,
    RUN_SPAN,
    SECOND,
    START,
    STEP,
    STEP_SPAN,
    SUMS,
    TRACE,
    USAGE,
)
from tracing.failures import Failure
from tracing.spans.activity import activity_step_span, attempt_span
from tracing.spans.model import Event, Link, Span, SpanKind, StatusCode
from tracing.spans.step import OPEN, Outcome

ATTEMPT_SPAN = 0x3AD2377CCF84F419
STARTED_US = START // 1_000
ENDED = Outcome(START)
BOOM = Failure("application", "ValueError", "boom", "at call_llm", cause=Failure("application", "OSError", "no route"))


def test_a_step_that_completed() -> None:
    span = activity_step_span(
        ON,
        RUN,
        CALL_LLM,
        start=START + 999,
        outcome=Outcome(START + 2 * SECOND, [ANSWER]),
        given=[QUESTION],
        attempts=3,
        usage=USAGE,
    )
    assert span == Span(
        trace_id=TRACE,
        span_id=STEP_SPAN,
        parent_id=RUN_SPAN,
        name="StartActivity:call_llm",
        kind=SpanKind.CLIENT,
        start=START,
        end=START + 2 * SECOND,
        attributes=COMMON
        | STEP
        | SUMS
        | {
            "input.value": "why?",
            "input.mime_type": "text/plain",
            "output.value": '{"answer":"because"}',
            "output.mime_type": "application/json",
            "temporal.attempts": 3,
        },
        resource=RESOURCE,
    )


def test_content_off_leaves_out_input_and_output_only() -> None:
    on, off = (
        activity_step_span(config, RUN, CALL_LLM, start=START, outcome=Outcome(START, [ANSWER]), given=[QUESTION])
        for config in (ON, OFF)
    )
    content = {"input.value", "input.mime_type", "output.value", "output.mime_type"}
    assert off == replace(on, attributes={k: v for k, v in on.attributes.items() if k not in content})
    assert set(on.attributes) - set(off.attributes) == content


def test_a_step_that_failed_names_what_the_activity_raised() -> None:
    raised = Failure("activity", "ActivityError", "failed", retry_state="MAXIMUM_ATTEMPTS_REACHED", cause=BOOM)
    span = activity_step_span(
        ON,
        RUN,
        CALL_LLM,
        start=START,
        outcome=Outcome(START + SECOND, failure=raised),
        given=[QUESTION],
    )
    assert span == Span(
        trace_id=TRACE,
        span_id=STEP_SPAN,
        parent_id=RUN_SPAN,
        name="StartActivity:call_llm",
        kind=SpanKind.CLIENT,
        start=START,
        end=START + SECOND,
        attributes=COMMON
        | STEP
        | {
            "input.value": "why?",
            "input.mime_type": "text/plain",
            "output.value": "null",
            "output.mime_type": "application/json",
            "error.type": "ValueError",
            "temporal.retry_state": "MAXIMUM_ATTEMPTS_REACHED",
        },
        status=StatusCode.ERROR,
        status_message="boom",
        events=(
            Event(
                "exception",
                START + SECOND,
                {
                    "exception.type": "ValueError",
                    "exception.message": "boom",
                    "exception.stacktrace": "at call_llm",
                },
            ),
            Event("exception", START + SECOND, {"exception.type": "OSError", "exception.message": "no route"}),
        ),
        resource=RESOURCE,
    )


def test_content_off_keeps_the_types_of_the_errors() -> None:
    span = activity_step_span(OFF, RUN, CALL_LLM, start=START, outcome=Outcome(START, failure=BOOM), given=[QUESTION])
    assert (span.attributes, span.status, span.status_message, span.events) == (
        COMMON | STEP | {"error.type": "ValueError"},
        StatusCode.ERROR,
        "",
        (
            Event("exception", START, {"exception.type": "ValueError"}),
            Event("exception", START, {"exception.type": "OSError"}),
        ),
    )


def test_a_cancelled_step_is_no_error() -> None:
    failure = Failure("activity", "ActivityError", cause=Failure("canceled", "CanceledError", "Cancelled"))
    span = activity_step_span(ON, RUN, CALL_LLM, start=START, outcome=Outcome(START, failure=failure), given=[])
    assert (span.status, span.status_message, span.events) == (StatusCode.UNSET, "", ())
    assert span.attributes["error.type"] == "CanceledError"


def test_a_step_that_timed_out_names_the_timeout() -> None:
    failure = Failure("timeout", "TimeoutError", "activity timeout", timeout_type="START_TO_CLOSE")
    span = activity_step_span(OFF, RUN, CALL_LLM, start=START, outcome=Outcome(START, failure=failure), given=[])
    assert span.attributes == COMMON | STEP | {"error.type": "TimeoutError", "temporal.timeout_type": "START_TO_CLOSE"}


def test_a_reused_step_links_to_the_base_run_and_spends_nothing() -> None:
    base = Link(1, 2)
    span = activity_step_span(
        OFF, RUN, CALL_LLM, start=START, outcome=ENDED, given=[], usage=USAGE, reused=True, links=(base,)
    )
    assert span.attributes == COMMON | STEP | {"durable.reused": True}
    assert span.links == (base,)


def test_a_step_that_is_open_has_no_end() -> None:
    assert activity_step_span(OFF, RUN, CALL_LLM, start=START, outcome=OPEN, given=[]).end is None


def test_an_end_before_its_start_is_clamped() -> None:
    assert activity_step_span(OFF, RUN, CALL_LLM, start=START, outcome=Outcome(START - SECOND), given=[]).end == START


def test_a_span_id_of_our_header_decides() -> None:
    activity = replace(CALL_LLM, span_id=0x1234)
    step = activity_step_span(OFF, RUN, activity, start=START, outcome=ENDED, given=[])
    attempt = attempt_span(OFF, RUN, activity, attempt=1, started_us=STARTED_US, end=None, worker_identity="")
    assert (step.span_id, attempt.parent_id) == (0x1234, 0x1234)


def test_the_second_use_of_an_activity_id_is_another_step() -> None:
    step = activity_step_span(OFF, RUN, replace(CALL_LLM, nth=2), start=START, outcome=ENDED, given=[])
    assert f"{step.span_id:016x}" == "a29950bcbd780206"


def test_a_first_attempt_has_a_queue_time() -> None:
    span = attempt_span(
        OFF,
        RUN,
        CALL_LLM,
        attempt=1,
        started_us=STARTED_US,
        end=START + SECOND,
        worker_identity="worker-1",
        scheduled_us=STARTED_US - 7_440,
        usage=USAGE,
        ledger_cut=4,
        resource={"service.name": "llm-workers"},
    )
    assert span == Span(
        trace_id=TRACE,
        span_id=ATTEMPT_SPAN,
        parent_id=STEP_SPAN,
        name="RunActivity:call_llm",
        kind=SpanKind.SERVER,
        start=START,
        end=START + SECOND,
        attributes=COMMON
        | STEP
        | SUMS
        | {
            "temporal.attempt": 1,
            "temporal.worker.identity": "worker-1",
            "temporal.queue_time": 0.00744,
            "durable.ledger.cut": 4,
        },
        resource={"service.name": "llm-workers"},
    )


def test_a_later_attempt_has_one_where_it_is_known_when_it_was_due() -> None:
    span = attempt_span(
        ON,
        RUN,
        CALL_LLM,
        attempt=2,
        started_us=STARTED_US,
        end=START + SECOND,
        worker_identity="worker-1",
        scheduled_us=STARTED_US - 7_440,
        failure=BOOM,
    )
    assert span == Span(
        trace_id=TRACE,
        span_id=0x27C2D7C6E3760D53,
        parent_id=STEP_SPAN,
        name="RunActivity:call_llm",
        kind=SpanKind.SERVER,
        start=START,
        end=START + SECOND,
        attributes=COMMON
        | STEP
        | {
            "temporal.attempt": 2,
            "temporal.worker.identity": "worker-1",
            "temporal.queue_time": 0.00744,
            "error.type": "ValueError",
        },
        status=StatusCode.ERROR,
        status_message="boom",
        events=(
            Event(
                "exception",
                START + SECOND,
                {
                    "exception.type": "ValueError",
                    "exception.message": "boom",
                    "exception.stacktrace": "at call_llm",
                },
            ),
            Event("exception", START + SECOND, {"exception.type": "OSError", "exception.message": "no route"}),
        ),
        resource=RESOURCE,
    )


@pytest.mark.parametrize(
    ("scheduled_us", "seconds"), [(STARTED_US + 5, 0.0), (STARTED_US, 0.0), (STARTED_US - 1, 1e-6)]
)
def test_a_queue_time_is_never_negative(scheduled_us: int, seconds: float) -> None:
    span = attempt_span(
        OFF,
        RUN,
        CALL_LLM,
        attempt=1,
        started_us=STARTED_US,
        end=None,
        worker_identity="",
        scheduled_us=scheduled_us,
    )
    assert span.attributes["temporal.queue_time"] == seconds


def test_an_attempt_is_named_by_its_run() -> None:
    span = attempt_span(
        OFF,
        dataclasses.replace(RUN, run_id=RUN_ID[:-1] + "2"),
        CALL_LLM,
        attempt=1,
        started_us=STARTED_US,
        end=None,
        worker_identity="",
    )
    assert span.span_id != ATTEMPT_SPAN


def test_where_it_is_not_known_it_has_none() -> None:
    span = attempt_span(OFF, RUN, CALL_LLM, attempt=2, started_us=STARTED_US, end=START + SECOND, worker_identity="")
    assert "temporal.queue_time" not in span.attributes


def test_an_attempt_that_heartbeat_on_a_named_build_says_so() -> None:
    span = attempt_span(
        OFF,
        RUN,
        CALL_LLM,
        attempt=1,
        started_us=STARTED_US,
        end=None,
        worker_identity="worker-1",
        build_id="agent-7",
        heartbeats=3,
    )
    assert span.attributes == COMMON | STEP | {
        "temporal.attempt": 1,
        "temporal.worker.identity": "worker-1",
        "temporal.worker.build_id": "agent-7",
        "temporal.heartbeats": 3,
    }


def test_a_local_one_says_so_and_has_no_limit_of_attempts_which_its_marker_does_not_name() -> None:
    step = activity_step_span(OFF, RUN, replace(CALL_LLM, local=True), start=START, outcome=ENDED, given=[])
    attributes = {key: value for key, value in STEP.items() if key != "temporal.max_attempts"}
    assert f"{step.span_id:016x}" == "c3a9e7985e63e59c"
    assert step.attributes == COMMON | attributes | {"temporal.local": True}


def test_a_summary_is_content() -> None:
    on, off = (
        activity_step_span(config, RUN, CALL_LLM, start=START, outcome=ENDED, given=[], summary=QUESTION)
        for config in (ON, OFF)
    )
    assert (on.attributes["temporal.summary"], "temporal.summary" in off.attributes) == ("why?", False)


def test_a_step_that_the_run_left_open_says_so() -> None:
    span = activity_step_span(OFF, RUN, CALL_LLM, start=START, outcome=Outcome(START, unclosed=True), given=[])
    assert span.attributes == COMMON | STEP | {"durable.unclosed": True}
    assert span.end == START
