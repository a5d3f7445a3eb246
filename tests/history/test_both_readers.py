"""The same facts, told to the live reader and written into a history, are the same spans: each kind of step."""

from __future__ import annotations

import json
from typing import Any

import pytest
from temporalio.api.enums.v1 import (
    CancelExternalWorkflowExecutionFailedCause,
    SignalExternalWorkflowExecutionFailedCause,
    StartChildWorkflowExecutionFailedCause,
)
from temporalio.bridge.proto.workflow_activation import WorkflowActivationJob

from tests.history.both_readers import Activation, BothReaders
from tests.history.recording import RUN_ID, START_US, our_header, payload
from tests.live.workflows.steps.commands import (
    TRY,
    accept,
    answer_update,
    call_nexus,
    cancel,
    cancel_activity,
    cancel_child,
    cancel_nexus,
    cancel_other,
    cancel_timer,
    complete,
    continue_as_new,
    fail,
    reject_update,
    schedule,
    schedule_local,
    signal_child,
    signal_other,
    start_child,
    take_signal_back,
    timer,
    with_summary,
)
from tests.live.workflows.steps.jobs import (
    backed_off,
    cancel_refused,
    cancel_sent,
    canceled_activity,
    child_canceled,
    child_completed,
    child_failed,
    child_never_sent,
    child_refused,
    child_started,
    child_terminated,
    child_timed_out,
    completed,
    failed,
    fired,
    nexus_answered_at_once,
    nexus_canceled,
    nexus_completed,
    nexus_failed,
    nexus_failure,
    nexus_not_started,
    nexus_started,
    nexus_timed_out,
    nexus_timeout,
    signal,
    signal_refused,
    signal_sent,
    update,
)
from tests.live.workflows.steps.payloads import (
    TRACEPARENT,
    canceled,
    error,
    error_with_ledger,
    ledger,
    text,
    with_ledger,
)
from tests.live.workflows.steps.worker import OFF, ON
from tracing.config import TracingConfig
from tracing.headers import ClientStart, TraceHeader

CHILD: dict[str, Any] = {
    "workflow_execution": {"workflow_id": "child-1", "run_id": "child-run"},
    "workflow_type": {"name": "Search"},
}


class TestActivities:
    def test_one_that_completes_with_a_ledger(self) -> None:
        both = BothReaders()
        [scheduled] = both.task(ms=2, commands=[with_summary(schedule(1), "Ask the model")])
        data = ledger(attempt=2, run_id=RUN_ID, started_us=START_US + 40_000, duration_ns=9_000_000)
        result = with_ledger(text("because"), data)
        both.recording.attempt(scheduled, 2, ms=40)
        both.recording.complete_activity(scheduled, result, ms=50)
        both.task(completed(1, result), ms=52)
        assert both.check() == ["StartActivity:call_llm"]

    def test_one_that_fails(self) -> None:
        both = BothReaders()
        [scheduled] = both.task(ms=2, commands=[schedule(1)])
        data = ledger(attempt=5, run_id=RUN_ID, started_us=START_US + 40_000, duration_ns=9_000_000)
        cause = error_with_ledger(data)
        both.recording.attempt(scheduled, 5, ms=40)
        state = "RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED"
        both.recording.add(
            "activity_task_failed", ms=50, scheduled_event_id=scheduled, failure=cause, retry_state=state
        )
        both.task(failed(1, cause), ms=52)
        assert both.check() == ["StartActivity:call_llm"]

    def test_ones_with_an_id_that_is_used_twice_where_one_was_never_sent(self) -> None:
        both = BothReaders()
        [first] = both.task(ms=2, commands=[schedule(1, "plan")])
        both.recording.attempt(first, ms=4)
        both.recording.complete_activity(first, text("because"), ms=5)
        # What is cancelled in the task that asks for it is not sent, but counts.
        both.worker.tracker._activities.schedule(schedule(7, "plan"))
        both.worker.tracker._activities.request_cancel(7)
        [second] = both.task(completed(1), ms=10, commands=[schedule(2, "plan")])
        both.recording.attempt(second, ms=14)
        both.recording.complete_activity(second, text("because"), ms=15)
        both.task(completed(2), ms=20)
        assert both.check() == ["StartActivity:call_llm", "StartActivity:call_llm"]

    @pytest.mark.parametrize("cancellation", [0, 1], ids=["try", "wait"])
    def test_one_that_is_cancelled(self, cancellation: int) -> None:
        both = BothReaders()
        [scheduled] = both.task(ms=2, commands=[schedule(1, cancellation_type=cancellation)])
        if cancellation:
            both.task(ms=10, commands=[cancel_activity(1)])
            both.recording.attempt(scheduled, ms=12)
            both.recording.add("activity_task_canceled", ms=30, scheduled_event_id=scheduled)
            both.task(canceled_activity(1), ms=32)
        else:
            both.task(ms=10, commands=[cancel_activity(1)], then=[Activation([canceled_activity(1)], ms=10)])
        assert both.check() == ["StartActivity:call_llm"]

    def test_one_that_is_open_when_the_run_ends(self) -> None:
        both = BothReaders()
        both.task(ms=2, commands=[schedule(1)])
        both.task(ms=10, commands=[complete()])
        assert both.check() == ["StartActivity:call_llm", "RunWorkflow:Research"]


class TestLocalActivities:
    """Their marker says `data` as the SDK's Core writes it; the failure in it is the activity's own."""

    def marker(
        self,
        both: BothReaders,
        task: int,
        *,
        activity_id: str = "1",
        complete_ms: float | None = None,
        scheduled_ns: int = 0,
        backoff: bool = False,
        result: Any = None,
        failure: Any = None,
    ) -> None:
        data = {
            "seq": 1,
            "attempt": 1,
            "activity_id": activity_id,
            "activity_type": "look_up",
            "complete_time": self.moment(START_US * 1_000 + round((complete_ms or 0) * 1_000_000)),
            "backoff": {"seconds": 60, "nanos": 0} if backoff else None,
            "original_schedule_time": self.moment(scheduled_ns or START_US * 1_000 + 2_900_123),
        }
        details = {"data": {"payloads": [payload(json.dumps(data))]}}
        if result is not None:
            details["result"] = {"payloads": [result]}
        both.recording.add(
            "marker_recorded",
            marker_name="core_local_activity",
            details=details,
            failure=failure,
            workflow_task_completed_event_id=task,
        )

    @staticmethod
    def moment(ns: int) -> dict[str, int]:
        return {"seconds": ns // 1_000_000_000, "nanos": ns % 1_000_000_000}

    @staticmethod
    def ran(activity_id: str, started_ms: int, scheduled_ms: int) -> bytes:
        return ledger(
            activity_id,
            run_id=RUN_ID,
            started_us=START_US + started_ms * 1_000,
            scheduled_us=START_US + scheduled_ms * 1_000,
            duration_ns=2_000_000,
        )

    @pytest.mark.parametrize("with_a_ledger", [True, False], ids=["ledger", "no ledger"])
    def test_two_in_one_task(self, *, with_a_ledger: bool) -> None:
        both = BothReaders()
        results = [text("because"), text("therefore")]
        if with_a_ledger:
            results = [
                with_ledger(text("because"), self.ran("1", 4, 3)),
                with_ledger(text("therefore"), self.ran("2", 9, 8)),
            ]
        both.task(
            ms=2,
            commands=[schedule_local(1)],
            then=[
                Activation([completed(1, results[0], local=True)], ms=6, commands=[schedule_local(2)]),
                Activation([completed(2, results[1], local=True)], ms=11, commands=[timer(1)]),
            ],
        )
        task = 4
        self.marker(both, task, complete_ms=6, result=results[0])
        self.marker(both, task, activity_id="2", complete_ms=11, result=results[1])
        fired_id = both.event_of("start_timer", 1)
        both.recording.add("timer_fired", ms=5_011, timer_id="1", started_event_id=fired_id)
        both.task(fired(1), ms=5_012)
        assert both.check() == ["StartActivity:look_up", "StartActivity:look_up", "Timer"]

    def test_one_that_fails(self) -> None:
        both = BothReaders()
        cause = error_with_ledger(self.ran("1", 4, 3))
        both.task(ms=2, commands=[schedule_local(1)], then=[Activation([failed(1, cause, local=True)], ms=6)])
        self.marker(both, 4, complete_ms=6, failure=cause)
        assert both.check() == ["StartActivity:look_up"]

    def test_one_that_is_cancelled(self) -> None:
        both = BothReaders()
        both.task(ms=2, commands=[schedule_local(1)], then=[Activation([failed(1, canceled(), local=True)], ms=2)])
        self.marker(both, 4, failure=canceled())
        assert both.check() == ["StartActivity:look_up"]

    def test_one_that_backs_off(self) -> None:
        both = BothReaders()
        first_scheduled = START_US * 1_000 + 2_900_123
        [timer_id] = both.task(
            ms=2,
            commands=[schedule_local(1)],
            then=[Activation([backed_off(1, first_scheduled)], ms=6, commands=[timer(1, 60)])],
        )
        self.marker(both, 4, complete_ms=6, backoff=True, failure=error_with_ledger(self.ran("1", 4, 3)))
        both.recording.add("timer_fired", ms=60_006, timer_id="1", started_event_id=timer_id)
        result = with_ledger(text("because"), self.ran("2", 60_010, 60_009))
        both.task(
            fired(1),
            ms=60_008,
            commands=[schedule_local(2, scheduled_ns=first_scheduled)],
            then=[Activation([completed(2, result, local=True)], ms=60_012)],
        )
        self.marker(both, len(both.recording.events), activity_id="2", complete_ms=60_012, result=result)
        assert both.check() == ["Timer", "StartActivity:look_up"]

    def test_one_that_is_longer_than_a_workflow_task(self) -> None:
        both = BothReaders()
        # Core completes the task without a word to the worker, and gets another; the marker is committed by the last.
        both.recording.add("workflow_task_scheduled", ms=1)
        started = both.recording.add("workflow_task_started", ms=2, scheduled_event_id=2)
        both.recording.add("workflow_task_completed", ms=8_000, scheduled_event_id=2, started_event_id=started)
        both.worker.task(commands=[schedule_local(1)], ms=2, length=started)
        last = both.kept_alive(ms=8_002)
        both.worker.task(completed(1, local=True), commands=[], ms=9_000, length=last - 1, same_task=True)
        self.marker(both, last, complete_ms=9_000, result=text("because"))
        assert both.check() == ["StartActivity:look_up"]


class TestTimersAndSignals:
    def test_a_timer_that_fires_one_that_is_cancelled_and_one_that_runs_on(self) -> None:
        both = BothReaders()
        [first, _, _] = both.task(ms=2, commands=[with_summary(timer(1), "A rest"), timer(2), timer(3)])
        both.recording.add("timer_fired", ms=5_002, timer_id="1", started_event_id=first)
        both.task(fired(1), ms=5_004, commands=[cancel_timer(2)])
        both.task(ms=6_000, commands=[complete()])
        assert both.check() == ["Timer", "Timer", "Timer", "RunWorkflow:Research"]

    def test_a_signal_from_a_client_with_a_trace(self) -> None:
        both = BothReaders()
        header = TraceHeader(traceparent=TRACEPARENT)
        event = both.recording.add(
            "workflow_execution_signaled",
            signal_name="approve",
            input={"payloads": [text("yes")]},
            header=our_header(traceparent=TRACEPARENT),
        )
        both.task(signal("approve", event, header.encode()), ms=10)
        assert both.check() == ["HandleSignal:approve"]


class TestChildren:
    def told(self, event: str, job: WorkflowActivationJob, **says: Any) -> list[str]:
        """A child that is started and then ends so."""
        both = BothReaders()
        [child] = both.task(ms=2, commands=[with_summary(start_child(1, task_queue="searches"), "Look for cats")])
        both.recording.add("child_workflow_execution_started", ms=6, initiated_event_id=child, **CHILD)
        both.task(child_started(1), ms=8)
        both.recording.add(event, ms=20, initiated_event_id=child, **CHILD, **says)
        both.task(job, ms=22)
        return both.check()

    def test_one_that_completes(self) -> None:
        result = {"payloads": [text("found")]}
        told = self.told("child_workflow_execution_completed", child_completed(1), result=result)
        assert told == ["StartChildWorkflow:Search"]

    def test_one_that_fails(self) -> None:
        says = {"failure": error(), "retry_state": "RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED"}
        assert self.told("child_workflow_execution_failed", child_failed(1), **says) == ["StartChildWorkflow:Search"]

    def test_one_that_times_out(self) -> None:
        told = self.told("child_workflow_execution_timed_out", child_timed_out(1), retry_state="RETRY_STATE_TIMEOUT")
        assert told == ["StartChildWorkflow:Search"]

    def test_one_that_is_terminated(self) -> None:
        told = self.told("child_workflow_execution_terminated", child_terminated(1))
        assert told == ["StartChildWorkflow:Search"]

    def test_one_that_is_cancelled_by_others(self) -> None:
        told = self.told("child_workflow_execution_canceled", child_canceled(1))
        assert told == ["StartChildWorkflow:Search"]

    def test_one_that_cannot_be_started(self) -> None:
        both = BothReaders()
        [child] = both.task(ms=2, commands=[start_child(1)])
        cause = StartChildWorkflowExecutionFailedCause.START_CHILD_WORKFLOW_EXECUTION_FAILED_CAUSE_NAMESPACE_NOT_FOUND
        both.recording.add("start_child_workflow_execution_failed", ms=6, initiated_event_id=child, cause=cause)
        both.task(child_refused(1, cause), ms=8)
        assert both.check() == ["StartChildWorkflow:Search"]

    def test_one_that_is_cancelled_and_not_waited_for(self) -> None:
        both = BothReaders()
        [child] = both.task(ms=2, commands=[start_child(1, cancellation=TRY)])
        both.recording.add("child_workflow_execution_started", ms=6, initiated_event_id=child, **CHILD)
        both.task(child_started(1), ms=8)
        both.task(ms=10, commands=[cancel_child(1)], then=[Activation([child_canceled(1)], ms=10)])
        both.recording.add("child_workflow_execution_completed", ms=30, initiated_event_id=child, **CHILD)
        both.task(ms=32)
        assert both.check() == ["StartChildWorkflow:Search"]

    def test_one_that_is_cancelled_so_before_the_workflow_is_told_of_its_start(self) -> None:
        both = BothReaders()
        [child] = both.task(ms=2, commands=[start_child(1, cancellation=TRY)])
        both.task(ms=10, commands=[cancel_child(1)], then=[Activation([child_canceled(1)], ms=10)])
        both.recording.add("child_workflow_execution_started", ms=13, initiated_event_id=child, **CHILD)
        assert both.check() == ["StartChildWorkflow:Search"]

    def test_detached_ones_and_one_that_was_never_sent(self) -> None:
        both = BothReaders()
        # The first is cancelled in the task that asks for it: it is no event, but counts as a use of its ID.
        both.worker.tracker._children.start(start_child(7))
        both.worker.tracker._children.resolve_start(child_never_sent(7).resolve_child_workflow_execution_start)
        [child, _] = both.task(ms=2, commands=[start_child(1), start_child(2, "child-2")])
        both.recording.add("child_workflow_execution_started", ms=6, initiated_event_id=child, **CHILD)
        both.task(child_started(1), ms=8, commands=[complete()])
        assert both.check() == ["StartChildWorkflow:Search", "StartChildWorkflow:Search", "RunWorkflow:Research"]


class TestOthers:
    def test_signals_sent_refused_and_without_an_answer(self) -> None:
        both = BothReaders()
        both.worker.tracker._external.signal(signal_other(7))
        both.worker.tracker._external.cancel_signal(take_signal_back(7).cancel_signal_workflow.seq)
        sent, to_child, refused, _ = both.task(
            ms=2,
            commands=[
                with_summary(signal_other(1, run_id="other-run"), "Hurry up"),
                signal_child(2),
                signal_other(3),
                signal_other(4),
            ],
        )
        causes = SignalExternalWorkflowExecutionFailedCause
        cause = causes.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_NAMESPACE_NOT_FOUND
        both.recording.add("external_workflow_execution_signaled", ms=6, initiated_event_id=sent)
        both.recording.add("external_workflow_execution_signaled", ms=7, initiated_event_id=to_child)
        both.recording.add("signal_external_workflow_execution_failed", initiated_event_id=refused, cause=cause)
        both.task(signal_sent(1), signal_sent(2), signal_refused(3, cause), ms=10)
        both.task(ms=20, commands=[complete()])
        assert both.check() == [
            "SignalExternalWorkflow:hurry",
            "SignalChildWorkflow:hurry",
            "SignalExternalWorkflow:hurry",
            "SignalExternalWorkflow:hurry",
            "RunWorkflow:Research",
        ]

    def test_cancellations_sent_refused_and_without_an_answer(self) -> None:
        both = BothReaders()
        sent, refused, _ = both.task(
            ms=2, commands=[cancel_other(1, run_id="other-run"), cancel_other(2), cancel_other(3, "another")]
        )
        causes = CancelExternalWorkflowExecutionFailedCause
        cause = causes.CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND
        both.recording.add("external_workflow_execution_cancel_requested", ms=6, initiated_event_id=sent)
        both.recording.add("request_cancel_external_workflow_execution_failed", initiated_event_id=refused, cause=cause)
        both.task(cancel_sent(1), cancel_refused(2, cause), ms=10)
        both.task(ms=20, commands=[complete()])
        assert both.check() == ["RequestCancelExternalWorkflow"] * 3 + ["RunWorkflow:Research"]


class TestNexusOperations:
    @pytest.mark.parametrize(
        ("event", "jobs", "says"),
        [
            (
                "nexus_operation_completed",
                [nexus_answered_at_once(1), nexus_completed(1)],
                {"result": text("found")},
            ),
            ("nexus_operation_failed", [nexus_failed(1, error())], {"failure": nexus_failure(error())}),
            ("nexus_operation_failed", [nexus_not_started(1, error())], {"failure": nexus_failure(error())}),
            ("nexus_operation_timed_out", [nexus_timed_out(1)], {"failure": nexus_failure(nexus_timeout())}),
            ("nexus_operation_canceled", [nexus_canceled(1)], {"failure": nexus_failure(canceled())}),
        ],
        ids=["completed", "failed", "not started", "timed out", "cancelled"],
    )
    def test_how_one_ends(self, event: str, jobs: list[WorkflowActivationJob], says: dict[str, Any]) -> None:
        both = BothReaders()
        [operation] = both.task(ms=2, commands=[with_summary(call_nexus(1), "Ask the archive")])
        both.recording.add(event, ms=8, scheduled_event_id=operation, **says)
        both.task(*jobs, ms=10)
        assert both.check() == ["StartNexusOperation:Archive/find"]

    def test_one_that_is_cancelled_and_waited_for_and_one_that_runs_on(self) -> None:
        both = BothReaders()
        [operation, _] = both.task(ms=2, commands=[call_nexus(1), call_nexus(2)])
        both.recording.add("nexus_operation_started", ms=8, scheduled_event_id=operation)
        both.task(nexus_started(1), ms=10, commands=[cancel_nexus(1)])
        both.recording.add(
            "nexus_operation_canceled", ms=18, scheduled_event_id=operation, failure=nexus_failure(canceled())
        )
        both.task(nexus_canceled(1), ms=20, commands=[complete()])
        assert both.check() == [
            "StartNexusOperation:Archive/find",
            "StartNexusOperation:Archive/find",
            "RunWorkflow:Research",
        ]


class TestUpdates:
    def test_in_one_task_in_several_failed_and_unfinished(self) -> None:
        both = BothReaders()
        header = TraceHeader(traceparent=TRACEPARENT).encode()
        both.task(update("at-once", "a", header), ms=2, commands=[accept("a"), answer_update("a")])
        both.task(
            update("slow", "b"),
            update("failing", "c"),
            update("endless", "d"),
            ms=10,
            commands=[accept("b"), accept("c"), accept("d")],
        )
        both.task(ms=20, commands=[answer_update("b"), reject_update("c")])
        both.task(ms=30, commands=[complete()])
        assert both.check() == ["HandleUpdate:add"] * 4 + ["RunWorkflow:Research"]


class TestRuns:
    @pytest.mark.parametrize(
        "end",
        [complete(), fail(), cancel(), continue_as_new(text("page 2"))],
        ids=["complete", "fail", "cancel", "continue"],
    )
    @pytest.mark.parametrize("config", [ON, OFF], ids=["content", "no content"])
    def test_how_one_ends(self, end: Any, config: TracingConfig) -> None:
        both = BothReaders(config)
        both.task(ms=2, commands=[end])
        assert both.check() == ["RunWorkflow:Research"]

    @pytest.mark.parametrize(
        "start",
        [
            {
                "header": our_header(
                    traceparent=TRACEPARENT,
                    session="chat-17",
                    user="ada",
                    tags=("beta",),
                    environment="staging",
                    start=ClientStart(5, "00000000000000aa"),
                )
            },
            {"header": our_header(session="chat-17", sampled=True)},
        ],
        ids=["in a client's trace", "with a session"],
    )
    def test_what_its_start_says(self, start: dict[str, Any]) -> None:
        config = TracingConfig(temporal_ui="http://localhost:8233")
        both = BothReaders(config, start)
        [scheduled] = both.task(ms=2, commands=[schedule(1)])
        both.recording.attempt(scheduled, ms=4)
        both.recording.complete_activity(scheduled, text("because"), ms=5)
        both.task(completed(1), ms=10, commands=[complete()])
        assert both.check() == ["StartActivity:call_llm", "RunWorkflow:Research"]
