"""What follows from the activations of a run and the commands it answers with: told task by task.

Each kind of step has a module of its own in `steps`.
"""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from temporalio.api.common.v1 import SearchAttributes
from temporalio.bridge.proto.workflow_activation import UpdateRandomSeed, WorkflowActivationJob

from tests.live.workflows.steps.commands import (
    answer_query,
    call_nexus,
    cancel,
    cancel_other,
    complete,
    continue_as_new,
    fail,
    schedule,
    signal_other,
    start_child,
    timer,
)
from tests.live.workflows.steps.jobs import completed, fired, query, signal
from tests.live.workflows.steps.payloads import EARLIER, RUN_ID, TRACEPARENT, ledger, text, with_ledger
from tests.live.workflows.steps.worker import OFF, ON, Held, Worker
from tests.rendering import render
from tracing.config import TracingConfig
from tracing.headers import ClientStart, TraceHeader, read_header
from tracing.spans.model import Link


def test_a_whole_run() -> None:
    worker = Worker(ON)
    worker.task(commands=[schedule(1), timer(1)])
    worker.task(signal("approve", 7), fired(1))
    worker.task(
        completed(1, with_ledger(text("because"), ledger(attempt=2))), commands=[schedule(2, activity_type="report")]
    )
    worker.task(completed(2), commands=[complete()])
    assert (
        f"\n{render(worker.held.spans)}\n"
        == """
RunWorkflow:Research SERVER 0..40 ms
  durable.llm.cached_input_tokens: 0
  durable.llm.calls: 1
  durable.llm.cost: 0.00078
  durable.llm.input_tokens: 101
  durable.llm.output_tokens: 53
  durable.llm.reasoning_tokens: 0
  durable.llm.unknown_cost_calls: 0
  input.mime_type: 'text/plain'
  input.value: 'a question'
  output.mime_type: 'text/plain'
  output.value: 'done'
  temporal.attempt: 1
  temporal.history_length: 20
  temporal.run.status: 'completed'
  temporal.task_queue: 'test'
  temporal.worker.identity: 'worker-1'
  StartActivity:call_llm CLIENT 10..30 ms
    durable.llm.cached_input_tokens: 0
    durable.llm.calls: 1
    durable.llm.cost: 0.00078
    durable.llm.input_tokens: 101
    durable.llm.output_tokens: 53
    durable.llm.reasoning_tokens: 0
    durable.llm.unknown_cost_calls: 0
    input.mime_type: 'text/plain'
    input.value: 'why?'
    output.mime_type: 'text/plain'
    output.value: 'because'
    temporal.activity.type: 'call_llm'
    temporal.attempts: 2
    temporal.max_attempts: 5
    temporal.task_queue: 'test'
    temporalActivityID: '1'
  Timer INTERNAL 10..20 ms
    temporal.timer.id: '1'
    temporal.timer.timeout: 5.0
  HandleSignal:approve SERVER 20..20 ms
    input.mime_type: 'text/plain'
    input.value: 'yes'
    output.mime_type: 'application/json'
    output.value: 'null'
    temporal.signal.name: 'approve'
  StartActivity:report CLIENT 30..40 ms
    input.mime_type: 'text/plain'
    input.value: 'why?'
    output.mime_type: 'text/plain'
    output.value: 'because'
    temporal.activity.type: 'report'
    temporal.max_attempts: 5
    temporal.task_queue: 'test'
    temporalActivityID: '2'
"""
    )
    assert worker.held.begun == [5, 10, 15, 20]
    assert {span.trace_id for span in worker.held.spans} == {0x0884FD559F037FEB254717F53BE6BB10}
    assert {span.attributes["temporalRunID"] for span in worker.held.spans} == {RUN_ID}


def test_without_content_inputs_are_not_even_kept() -> None:
    worker = Worker(OFF)
    worker.task(commands=[schedule(1)])
    assert worker.tracker._given == []
    assert [opened.given for opened in worker.tracker._activities._open.values()] == [[]]
    worker.task(completed(1), signal("approve", 7), commands=[complete()])
    assert (
        worker.trace("input.value", "output.value")
        == """
RunWorkflow:Research SERVER 0..20 ms
  StartActivity:call_llm CLIENT 10..20 ms
  HandleSignal:approve SERVER 20..20 ms
"""
    )


class TestReplay:
    def test_what_was_done_before_is_followed_and_makes_no_span(self) -> None:
        worker = Worker()
        worker.task(signal("approve", 3), commands=[schedule(1), timer(1)], replaying=True)
        worker.task(completed(1), fired(1), commands=[schedule(2)], replaying=True)
        assert worker.held == Held()

    def test_a_step_that_was_issued_before_and_closes_now_is_one_span(self) -> None:
        worker = Worker()
        worker.task(commands=[schedule(1), timer(1)], replaying=True)
        worker.task(completed(1), fired(1))
        assert (
            worker.trace()
            == """
StartActivity:call_llm CLIENT 0..10 ms (parent ba9a8c23fb2921d1)
Timer INTERNAL 0..10 ms (parent ba9a8c23fb2921d1)
"""
        )

    def test_usage_of_steps_that_closed_before_counts_for_the_run(self) -> None:
        worker = Worker()
        worker.task(commands=[schedule(1)], replaying=True)
        worker.task(completed(1, with_ledger(text("a"), ledger())), commands=[schedule(2)], replaying=True)
        worker.task(completed(2, with_ledger(text("b"), ledger("2"))), commands=[complete()])
        assert (
            worker.trace("durable.llm.calls")
            == """
RunWorkflow:Research SERVER 0..30 ms
  durable.llm.calls: 2
  StartActivity:call_llm CLIENT 20..30 ms
    durable.llm.calls: 1
"""
        )

    def test_headers_are_added_to_commands_as_they_were(self) -> None:
        first, again = Worker(), Worker()
        assert first.task(commands=[schedule(1)]) == again.task(commands=[schedule(1)], replaying=True)


class TestEndings:
    def test_failed(self) -> None:
        worker = Worker(ON)
        worker.task(commands=[fail()])
        assert (
            worker.trace("temporal.run.status", "error.type", "output.value", "exception.message")
            == """
RunWorkflow:Research SERVER ERROR 'boom' 0..10 ms
  error.type: 'ValueError'
  output.value: 'null'
  temporal.run.status: 'failed'
  * exception 10 ms
    exception.message: 'boom'
"""
        )

    def test_canceled(self) -> None:
        worker = Worker()
        worker.task(commands=[cancel()])
        assert (
            worker.trace("temporal.run.status")
            == """
RunWorkflow:Research SERVER 0..10 ms
  temporal.run.status: 'canceled'
"""
        )

    def test_continued_as_new_hands_on_what_the_next_run_cannot_know(self) -> None:
        given = TraceHeader(
            traceparent=TRACEPARENT,
            session="chat-17",
            user="ada",
            tags=("beta",),
            environment="staging",
            start=ClientStart(5),
        )
        worker = Worker(ON, header=given)
        [command] = worker.task(commands=[continue_as_new(text("page 2"))])
        assert (
            worker.trace("temporal.run.status", "output.value")
            == """
RunWorkflow:Research SERVER 0..10 ms (parent 2222222222222222)
  output.value: 'page 2'
  temporal.run.status: 'continued_as_new'
"""
        )
        assert read_header(command.continue_as_new_workflow_execution.headers) == TraceHeader(
            session="chat-17",
            user="ada",
            tags=("beta",),
            environment="staging",
            sampled=True,
            previous="00-11111111111111111111111111111111-ba9a8c23fb2921d1-01",
        )

    def test_the_run_after_it_is_a_trace_of_its_own_with_a_link(self) -> None:
        worker = Worker(
            header=TraceHeader(
                session="chat-17",
                sampled=True,
                previous="00-11111111111111111111111111111111-aab07d3cbb41899e-01",
            ),
            first_execution_run_id=EARLIER,
            continued_from_execution_run_id=EARLIER,
        )
        worker.task(commands=[complete()])
        [span] = worker.held.spans
        assert (span.trace_id, span.parent_id, span.attributes["session.id"], span.links) == (
            0x0884FD559F037FEB254717F53BE6BB10,
            None,
            "chat-17",
            (Link(0x11111111111111111111111111111111, 0xAAB07D3CBB41899E, {"temporalRunID": EARLIER}),),
        )

    def test_a_task_that_fails_leaves_nothing(self) -> None:
        worker = Worker()
        worker.task(signal("approve", 3), fails=True)
        assert (worker.held.spans, worker.held.may_idle) == ([], [])

    def test_what_is_open_ends_with_the_run(self) -> None:
        worker = Worker()
        worker.task(commands=[schedule(1), timer(1), start_child(1), signal_other(1), cancel_other(1), call_nexus(1)])
        worker.task(commands=[complete()])
        assert (
            worker.trace("durable.unclosed")
            == """
RunWorkflow:Research SERVER 0..20 ms
  RequestCancelExternalWorkflow CLIENT 10..20 ms
    durable.unclosed: True
  SignalExternalWorkflow:hurry CLIENT 10..20 ms
    durable.unclosed: True
  StartActivity:call_llm CLIENT 10..20 ms
    durable.unclosed: True
  StartChildWorkflow:Search CLIENT 10..20 ms
    durable.unclosed: True
  StartNexusOperation:Archive/find CLIENT 10..20 ms
    durable.unclosed: True
  Timer INTERNAL 10..20 ms
    durable.unclosed: True
"""
        )


class TestSampling:
    def test_an_unsampled_run_holds_nothing_and_says_so_to_its_activities(self) -> None:
        worker = Worker(sampler=ALWAYS_OFF)
        [command] = worker.task(signal("approve", 3), commands=[schedule(1)])
        worker.task(completed(1), commands=[complete()])
        header = read_header(command.schedule_activity.headers)
        assert header
        assert header.parent
        assert (header.parent.sampled, worker.held.spans) == (False, [])

    @pytest.mark.parametrize(
        ("header", "sampled"),
        [
            (TraceHeader(traceparent=TRACEPARENT), True),
            (TraceHeader(traceparent=TRACEPARENT[:-1] + "0"), False),
            (TraceHeader(sampled=True), True),
            (TraceHeader(session="chat-17"), False),
            (TraceHeader(traceparent="broken"), False),
        ],
    )
    def test_the_clients_decision_goes_before_the_samplers(self, header: TraceHeader, *, sampled: bool) -> None:
        assert Worker(header=header, sampler=ALWAYS_OFF).tracker.run.sampled is sampled


@pytest.mark.parametrize(
    "start",
    [
        {"cron_schedule": "@daily"},
        {"search_attributes": SearchAttributes(indexed_fields={"TemporalScheduledById": text("nightly")})},
        {"first_execution_run_id": EARLIER},
    ],
    ids=["cron", "schedule", "continued or retried"],
)
def test_runs_that_a_copied_header_reaches_have_traces_of_their_own(start: dict[str, Any]) -> None:
    run = Worker(header=TraceHeader(traceparent=TRACEPARENT), **start).tracker.run
    assert (run.trace_id, run.parent) == (0x0884FD559F037FEB254717F53BE6BB10, None)


def test_what_a_reset_took_over_belongs_to_the_base_run_and_what_is_asked_for_then_to_this_one() -> None:
    worker = Worker()
    worker.task(commands=[schedule(1), timer(1), start_child(1), schedule(2)], replaying=True)
    reset = WorkflowActivationJob(update_random_seed=UpdateRandomSeed(randomness_seed=7))
    worker.task(reset, signal("approve", 7), completed(1), fired(1), commands=[schedule(3)])
    worker.task(completed(2), completed(3), commands=[complete()])
    assert (
        worker.trace("temporalActivityID", "durable.unclosed")
        == """
RunWorkflow:Research SERVER 0..30 ms
  StartActivity:call_llm CLIENT 10..30 ms
    temporalActivityID: '2'
  StartChildWorkflow:Search CLIENT 10..30 ms
    durable.unclosed: True
  StartActivity:call_llm CLIENT 20..30 ms
    temporalActivityID: '3'
"""
    )


class TestExcludedTypes:
    def test_a_run_of_an_excluded_type_is_left_out_with_all_that_it_starts(self) -> None:
        worker = Worker(TracingConfig(exclude_workflows=("Res*",)), header=TraceHeader(traceparent=TRACEPARENT))
        [activity, child] = worker.task(commands=[schedule(1), start_child(1)])
        worker.task(completed(1), query(), commands=[complete(), answer_query()])
        assert (worker.held.spans, worker.held.put_at_once) == ([], [])
        for header in (
            read_header(activity.schedule_activity.headers),
            read_header(child.start_child_workflow_execution.headers),
        ):
            assert header
            assert header.parent
            assert not header.parent.sampled

    def test_an_activity_of_an_excluded_type_has_no_span_and_its_attempts_are_told(self) -> None:
        worker = Worker(TracingConfig(exclude_activities=("call_*",)))
        [excluded, included] = worker.task(commands=[schedule(1), schedule(2, activity_type="report")])
        worker.task(completed(1), completed(2), commands=[schedule(3)])
        worker.task(commands=[complete()])
        assert (
            worker.trace()
            == """
RunWorkflow:Research SERVER 0..30 ms
  StartActivity:report CLIENT 10..20 ms
"""
        )
        told = []
        for command in (excluded, included):
            header = read_header(command.schedule_activity.headers)
            assert header
            assert header.parent
            told.append((header.parent.sampled, header.sampled))
        assert told == [(False, True), (True, None)]  # of the activity, and of the run where that differs
