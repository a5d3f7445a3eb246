"""The span of a run, whole."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.spans.research import (
    ANSWER,
    COMMON,
    OFF,
    ON,
    QUESTION,
    RESOURCE,
    RUN,
    RUN_SPAN,
    SECOND,
    START,
    SUMS,
    TRACE,
    USAGE,
)
from tracing.failures import Failure
from tracing.headers import ClientStart
from tracing.spans.model import Event, Link, Span, SpanKind, StatusCode
from tracing.spans.run import RunStatus, run_span


def test_a_run_that_completed() -> None:
    span = run_span(
        ON,
        RUN,
        start=START + 1,
        end=START + 3 * SECOND,
        status="completed",
        task_queue="research",
        attempt=1,
        given=[QUESTION, QUESTION],
        result=[ANSWER],
        usage=USAGE,
        history_length=24,
        worker_identity="worker-1",
    )
    assert span == Span(
        trace_id=TRACE,
        span_id=RUN_SPAN,
        parent_id=None,
        name="RunWorkflow:Research",
        kind=SpanKind.SERVER,
        start=START,
        end=START + 3 * SECOND,
        attributes=COMMON
        | SUMS
        | {
            "temporal.task_queue": "research",
            "temporal.attempt": 1,
            "temporal.run.status": "completed",
            "temporal.history_length": 24,
            "temporal.worker.identity": "worker-1",
            "openinference.span.kind": "CHAIN",
            "langfuse.trace.name": "Research",
            "input.value": '["why?","why?"]',
            "input.mime_type": "application/json",
            "output.value": '{"answer":"because"}',
            "output.mime_type": "application/json",
        },
        resource=RESOURCE,
    )


def test_a_run_that_failed_after_it_was_retried() -> None:
    signal_lost = Event("WorkflowTaskFailed", START + SECOND, {})
    before = (Link(1, 2),)
    span = run_span(
        OFF,
        RUN,
        start=START,
        end=START + SECOND,
        status="failed",
        task_queue="research",
        attempt=2,
        given=[QUESTION],
        failure=Failure("application", "ValueError", "boom"),
        events=(signal_lost,),
        links=before,
    )
    assert span == Span(
        trace_id=TRACE,
        span_id=RUN_SPAN,
        parent_id=None,
        name="RunWorkflow:Research",
        kind=SpanKind.SERVER,
        start=START,
        end=START + SECOND,
        attributes=COMMON
        | {
            "temporal.task_queue": "research",
            "temporal.attempt": 2,
            "temporal.run.status": "failed",
            "openinference.span.kind": "CHAIN",
            "langfuse.trace.name": "Research",
            "error.type": "ValueError",
        },
        status=StatusCode.ERROR,
        events=(signal_lost, Event("exception", START + SECOND, {"exception.type": "ValueError"})),
        links=before,
        resource=RESOURCE,
    )


def test_a_run_under_a_clients_span_tells_of_it() -> None:
    run = replace(RUN, parent=0x2222222222222222, start=ClientStart(1_763_884_800_000_001, "3333333333333333"))
    span = run_span(OFF, run, start=START, end=None, status="running", task_queue="q", attempt=1, given=[])
    assert (span.parent_id, span.end, span.attributes) == (
        0x2222222222222222,
        None,
        COMMON
        | {
            "temporal.task_queue": "q",
            "temporal.attempt": 1,
            "temporal.run.status": "running",
            "openinference.span.kind": "CHAIN",
            "langfuse.trace.name": "Research",
            "durable.client_start.call": "start",
            "durable.client_start.time": 1_763_884_800_000_001,
            "durable.client_start.parent": "3333333333333333",
        },
    )


@pytest.mark.parametrize(
    ("status", "failure", "code"),
    [
        ("completed", None, StatusCode.UNSET),
        ("continued_as_new", None, StatusCode.UNSET),
        ("canceled", None, StatusCode.UNSET),
        ("canceled", Failure("canceled", "CanceledError"), StatusCode.UNSET),
        ("failed", Failure("application", "ValueError"), StatusCode.ERROR),
        ("timed_out", Failure("timeout", "TimeoutError", timeout_type="START_TO_CLOSE"), StatusCode.ERROR),
        ("terminated", Failure("terminated", "TerminatedError"), StatusCode.ERROR),
    ],
)
def test_status(status: RunStatus, failure: Failure | None, code: StatusCode) -> None:
    span = run_span(
        OFF, RUN, start=START, end=START, status=status, task_queue="q", attempt=1, given=[], failure=failure
    )
    assert (span.attributes["temporal.run.status"], span.status) == (status, code)


def test_an_environment_and_an_address_in_temporals_ui_are_on_every_span() -> None:
    run = replace(RUN, environment="staging", ui_address="http://localhost:8233/", workflow_id="chat/17 ö")
    span = run_span(OFF, run, start=START, end=START, status="completed", task_queue="q", attempt=1, given=[])
    assert (
        span.attributes.items()
        >= {
            "deployment.environment.name": "staging",
            "temporal.ui.url": (
                "http://localhost:8233/namespaces/default/workflows/chat%2F17%20%C3%B6/"
                "0199c0de-0000-7000-8000-000000000001/history"
            ),
        }.items()
    )
