"""In which trace is a run, and what is it linked to?"""

from __future__ import annotations

from typing import Any

import pytest
from temporalio.api.common.v1 import Payload

from tests.history.recording import BASE_RUN_ID, RUN_ID, Recording, ledger, our_header, payload, step_header
from tracing import conventions as c
from tracing.headers import ClientStart, SpanReference
from tracing.history import to_spans
from tracing.identity import run_span_id, run_trace_id, step_span_id
from tracing.runs import Attributes
from tracing.spans.model import Link

CLIENT = SpanReference(trace_id=0xABC, span_id=0xDEF)


def test_the_first_run_of_a_chain_continues_the_clients_trace() -> None:
    start = ClientStart(time_us=7, parent="00000000000000aa")
    recording = Recording(header=our_header(traceparent=str(CLIENT), start=start))
    recording.activity(recording.task(ms=2))
    run, step = recording.spans()

    assert (run.trace_id, run.parent_id, run.links) == (0xABC, 0xDEF, ())
    assert (run.attributes[c.CLIENT_START_TIME], run.attributes[c.CLIENT_START_PARENT]) == (7, "00000000000000aa")
    assert (step.trace_id, step.parent_id) == (0xABC, run.span_id)


EARLIER_RUN: Attributes = {c.RUN_ID: BASE_RUN_ID}
"""What a link to the run before names."""


@pytest.mark.parametrize(
    ("started", "links"),
    [
        (
            {"continued_execution_run_id": BASE_RUN_ID, "first_execution_run_id": BASE_RUN_ID, "attempt": 2},
            (Link(0xABC, run_span_id(BASE_RUN_ID), EARLIER_RUN),),
        ),
        (
            {"continued_execution_run_id": BASE_RUN_ID, "first_execution_run_id": "the-first", "attempt": 3},
            (Link(run_trace_id(BASE_RUN_ID), run_span_id(BASE_RUN_ID), EARLIER_RUN),),
        ),
        (
            {"continued_execution_run_id": BASE_RUN_ID, "first_execution_run_id": ""},
            (Link(0xABC, run_span_id(BASE_RUN_ID), EARLIER_RUN),),
        ),
        ({"cron_schedule": "0 * * * *"}, ()),
        (
            {
                "cron_schedule": "0 * * * *",
                "continued_execution_run_id": BASE_RUN_ID,
                "first_execution_run_id": BASE_RUN_ID,
            },
            (Link(run_trace_id(BASE_RUN_ID), run_span_id(BASE_RUN_ID), EARLIER_RUN),),
        ),
        (
            {"search_attributes": {"indexed_fields": {"TemporalScheduledById": payload('"nightly"')}}},
            (Link(0xABC, 0xDEF),),
        ),
    ],
    ids=[
        "retry of the first run, which is in the client's trace",
        "retry of a later run",
        "retry of the first run on an old server",
        "first turn of a cron",
        "later turn of a cron",
        "schedule",
    ],
)
def test_every_other_run_has_a_trace_of_its_own(started: dict[str, Any], links: tuple[Link, ...]) -> None:
    """The server copies the header of the first run into all of them."""
    recording = Recording(header=our_header(traceparent=str(CLIENT), session="s-1"), **started)
    (run,) = recording.spans()

    assert (run.trace_id, run.parent_id) == (run_trace_id(RUN_ID), None)
    assert run.attributes[c.SESSION_ID] == "s-1"
    assert run.links == links


def test_a_run_that_continues_as_new_names_the_trace_of_the_run_before() -> None:
    previous = SpanReference(CLIENT.trace_id, run_span_id(BASE_RUN_ID))
    recording = Recording(
        header=our_header(previous=str(previous), session="s-1", sampled=True),
        continued_execution_run_id=BASE_RUN_ID,
        first_execution_run_id=BASE_RUN_ID,
    )
    (run,) = recording.spans()

    assert (run.trace_id, run.parent_id, run.attributes[c.SESSION_ID]) == (run_trace_id(RUN_ID), None, "s-1")
    assert run.links == (Link(CLIENT.trace_id, run_span_id(BASE_RUN_ID), EARLIER_RUN),)


def test_its_retry_has_a_copy_of_that_header_and_links_to_the_run_before_itself() -> None:
    previous = SpanReference(CLIENT.trace_id, run_span_id("the-first"))
    recording = Recording(
        header=our_header(previous=str(previous), sampled=True),
        continued_execution_run_id=BASE_RUN_ID,
        first_execution_run_id="the-first",
        attempt=2,
    )
    (run,) = recording.spans()

    assert run.links == (Link(run_trace_id(BASE_RUN_ID), run_span_id(BASE_RUN_ID), EARLIER_RUN),)


def test_a_trace_of_another_tool_is_linked() -> None:
    foreign = Payload(metadata={"encoding": b"json/plain"}, data=b'{"traceparent":"%b"}' % str(CLIENT).encode())
    (run,) = Recording(header={"fields": {"_tracer-data": foreign}}).spans()

    assert (run.trace_id, run.parent_id) == (run_trace_id(RUN_ID), None)
    assert run.links == (Link(0xABC, 0xDEF),)


@pytest.mark.parametrize("data", [b"", b"[]", b'{"traceparent":"00-0-0-00"}', b'{"traceparent":7}', b"{" * 9000])
def test_a_broken_header_of_another_tool_is_left_alone(data: bytes) -> None:
    (run,) = Recording(header={"fields": {"_tracer-data": Payload(data=data)}}).spans()

    assert run.links == ()


def test_the_resource_is_the_services_own_where_a_header_names_it() -> None:
    recording = Recording()
    assert recording.spans()[0].resource == {"service.name": "unknown_service"}
    assert to_spans(recording.read(), resource={"service.name": "given"})[0].resource == {"service.name": "given"}

    task = recording.task(ms=2)
    recording.activity(task)
    recording.activity(task, "2", header=step_header("2"))
    spans = to_spans(recording.read(), resource={"service.name": "given"})
    assert {span.resource["service.name"] for span in spans} == {"agents"}


def _reset(first: str, base: str) -> Recording:
    """A reset of the run `base` after its first activity and timer, while the second activity was open."""
    recording = Recording(
        run_id=RUN_ID,
        original_execution_run_id=first,
        first_execution_run_id=first,
        header=our_header(traceparent=str(CLIENT)),
    )
    recording.add("workflow_execution_signaled", signal_name="go")
    task = recording.task(ms=2)
    trace_id = CLIENT.trace_id if base == first else None
    closed = recording.activity(task, "1", ms=4, header=step_header("1", base, trace_id))
    timer = recording.add("timer_started", timer_id="1", workflow_task_completed_event_id=task)
    open_ = recording.activity(task, "2", header=step_header("2", base, trace_id))
    recording.attempt(closed, ms=10)
    recording.complete_activity(closed, payload(**{c.HEADER: ledger(1, 10, 5, run_id=base)}), ms=15)
    recording.add("timer_fired", timer_id="1", started_event_id=timer)
    scheduled = recording.add("workflow_task_scheduled", ms=17)
    started = recording.add("workflow_task_started", scheduled_event_id=scheduled)
    recording.add(
        "workflow_task_failed",
        scheduled_event_id=scheduled,
        started_event_id=started,
        cause="WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW",
        failure={"message": "again", "reset_workflow_failure_info": {}},
        base_run_id=base,
        new_run_id=RUN_ID,
    )
    recording.attempt(open_, ms=30)
    recording.complete_activity(open_, payload(**{c.HEADER: ledger(1, 30, 5, activity_id="2")}), ms=36)
    recording.task(ms=40)
    recording.complete(ms=42)
    return recording


def test_a_reset_run_reuses_what_closed_before_the_reset() -> None:
    first_run = BASE_RUN_ID
    run, signal, reused, timer, step, attempt, call = _reset(first_run, first_run).spans()
    base: Attributes = {c.RUN_ID: first_run}

    assert (run.trace_id, run.parent_id) == (run_trace_id(RUN_ID), None)
    # the base run was its chain's first, so the client's trace went on in it
    assert run.links == (Link(CLIENT.trace_id, run_span_id(first_run), base),)
    assert run.attributes[c.LLM_CALLS] == 1

    assert (reused.name, reused.attributes[c.REUSED]) == ("StartActivity:call_llm", True)
    assert c.LLM_CALLS not in reused.attributes
    assert reused.span_id == step_span_id(RUN_ID, "activity", "1")
    assert reused.links == (Link(CLIENT.trace_id, step_span_id(first_run, "activity", "1"), base),)

    assert (timer.name, timer.attributes[c.REUSED]) == ("Timer", True)
    assert timer.links == (Link(CLIENT.trace_id, step_span_id(first_run, "timer", "1"), base),)
    assert (signal.name, signal.attributes[c.REUSED]) == ("HandleSignal:go", True)
    assert signal.links == (Link(CLIENT.trace_id, step_span_id(first_run, "signal", "2"), base),)

    assert c.REUSED not in step.attributes
    assert (step.span_id, step.links) == (step_span_id(RUN_ID, "activity", "2"), ())
    assert (attempt.parent_id, call.parent_id) == (step.span_id, attempt.span_id)


def test_a_reset_of_a_reset_links_to_the_run_that_was_reset_last() -> None:
    between = "5f0e4f7e-0000-4000-8000-0000000000bb"
    run, _, reused, *_ = _reset(BASE_RUN_ID, between).spans()

    assert run.links == (Link(run_trace_id(between), run_span_id(between), {c.RUN_ID: between}),)
    expected = Link(run_trace_id(between), step_span_id(between, "activity", "1"), {c.RUN_ID: between})
    assert reused.links == (expected,)
