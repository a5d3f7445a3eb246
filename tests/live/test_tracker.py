"""What follows from the activations of a run and the commands it answers with: told task by task."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, Sampler
from temporalio.api.common.v1 import Payload, RetryPolicy, SearchAttributes
from temporalio.api.enums.v1 import RetryState
from temporalio.api.failure.v1 import ActivityFailureInfo, ApplicationFailureInfo, CanceledFailureInfo
from temporalio.api.failure.v1 import Failure as FailureProto
from temporalio.bridge.proto.activity_result import ActivityResolution, Cancellation, Failure, Success
from temporalio.bridge.proto.workflow_activation import (
    FireTimer,
    InitializeWorkflow,
    ResolveActivity,
    SignalWorkflow,
    WorkflowActivation,
    WorkflowActivationJob,
)
from temporalio.bridge.proto.workflow_commands import (
    CancelTimer,
    CancelWorkflowExecution,
    CompleteWorkflowExecution,
    ContinueAsNewWorkflowExecution,
    FailWorkflowExecution,
    RequestCancelActivity,
    ScheduleActivity,
    ScheduleLocalActivity,
    StartTimer,
    WorkflowCommand,
)
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.testing import ActivityEnvironment

from tests.rendering import render
from tracing.config import TracingConfig
from tracing.headers import ClientStart, TraceHeader, read_header
from tracing.identity import step_span_id
from tracing.ledger import Ledger, LedgerSpan, encode_ledger
from tracing.live.emitter import Emitter
from tracing.live.tracker import RunTracker, TrackerFactory
from tracing.spans.model import Link, Span

RUN_ID = "0199c0de-0000-7000-8000-000000000001"
EARLIER = "0199c0de-0000-7000-8000-000000000000"
TRACEPARENT = "00-11111111111111111111111111111111-2222222222222222-01"
STARTED_S = 1_763_884_800
MS = 1_000_000

ON, OFF = TracingConfig(capture_content=True), TracingConfig()


def text(value: str) -> Payload:
    return Payload(metadata={"encoding": b"json/plain"}, data=f'"{value}"'.encode())


def ledger(activity_id: str = "1", *, attempt: int = 1, run_id: str = RUN_ID) -> bytes:
    """The ledger of an attempt that made one model call."""
    call = LedgerSpan(
        "1111111111111111",
        "chat gpt-4o",
        STARTED_S * 1_000 * MS,
        STARTED_S * 1_000 * MS,
        attributes={
            "gen_ai.operation.name": "chat",
            "gen_ai.usage.input_tokens": 101,
            "gen_ai.usage.output_tokens": 53,
            "durable.cost.usd": 0.00078,
        },
    )
    return encode_ledger(Ledger(run=run_id, activity=activity_id, attempt=attempt, started=1, duration=1, spans=[call]))


def with_ledger(payload: Payload, data: bytes) -> Payload:
    payload.metadata["durable-trace"] = data
    return payload


def schedule(seq: int, activity_id: str = "", activity_type: str = "call_llm") -> WorkflowCommand:
    return WorkflowCommand(
        schedule_activity=ScheduleActivity(
            seq=seq,
            activity_id=activity_id or str(seq),
            activity_type=activity_type,
            arguments=[text("why?")],
            retry_policy=RetryPolicy(maximum_attempts=5),
        )
    )


def completed(seq: int, result: Payload | None = None) -> WorkflowActivationJob:
    resolution = ActivityResolution(completed=Success(result=result or text("because")))
    return WorkflowActivationJob(resolve_activity=ResolveActivity(seq=seq, result=resolution))


def failed(seq: int, cause: FailureProto) -> WorkflowActivationJob:
    failure = FailureProto(
        message="Activity task failed",
        activity_failure_info=ActivityFailureInfo(retry_state=RetryState.RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED),
        cause=cause,
    )
    resolution = (
        ActivityResolution(cancelled=Cancellation(failure=failure))
        if cause.HasField("canceled_failure_info")
        else ActivityResolution(failed=Failure(failure=failure))
    )
    return WorkflowActivationJob(resolve_activity=ResolveActivity(seq=seq, result=resolution))


def signal(name: str, event_id: int) -> WorkflowActivationJob:
    return WorkflowActivationJob(
        signal_workflow=SignalWorkflow(signal_name=name, originating_event_id=event_id, input=[text("yes")])
    )


def fired(seq: int) -> WorkflowActivationJob:
    return WorkflowActivationJob(fire_timer=FireTimer(seq=seq))


def timer(seq: int, seconds: int = 5) -> WorkflowCommand:
    return WorkflowCommand(start_timer=StartTimer(seq=seq, start_to_fire_timeout=Duration(seconds=seconds)))


def complete(result: str = "done") -> WorkflowCommand:
    return WorkflowCommand(complete_workflow_execution=CompleteWorkflowExecution(result=text(result)))


@dataclass
class Held:
    """Stands where the outbox stands, and keeps what it is told."""

    spans: list[Span] = field(default_factory=list)
    may_idle: list[bool] = field(default_factory=list)
    begun: list[int] = field(default_factory=list)

    def begin(self, run_id: str, task: int) -> None:
        assert run_id == RUN_ID
        self.begun.append(task)

    def hold(self, run_id: str, task: int, spans: list[Span], *, may_idle: bool) -> None:
        assert (run_id, task) == (RUN_ID, self.begun[-1])
        self.spans += spans
        self.may_idle.append(may_idle)


class Worker:
    """A worker that has one run in its cache. Its task `n` starts 10 ms times n after the run did."""

    def __init__(
        self,
        config: TracingConfig = OFF,
        *,
        header: TraceHeader | None = None,
        sampler: Sampler = ALWAYS_ON,
        **start: Any,
    ) -> None:
        self.held = Held()
        provider = TracerProvider(
            sampler=sampler, resource=Resource({"service.name": "agents"}), shutdown_on_exit=False
        )
        start = {
            "workflow_type": "Research",
            "workflow_id": "research-1",
            "arguments": [text("a question")],
            "first_execution_run_id": RUN_ID,
            "attempt": 1,
            "start_time": Timestamp(seconds=STARTED_S, nanos=999),
            "headers": {} if header is None else {"durable-trace": Payload(data=header.encode())},
            **start,
        }
        info: Any = ActivityEnvironment.default_info()  # has what is read of a workflow's: namespace, task queue
        outbox: Any = self.held
        factory = TrackerFactory(config, Emitter(provider), outbox, "worker-1")
        self.tracker: RunTracker = factory.create(info, RUN_ID, InitializeWorkflow(**start))
        self._tasks = 0

    def task(
        self,
        *jobs: WorkflowActivationJob,
        commands: list[WorkflowCommand] | None = None,
        replaying: bool = False,
        same_task: bool = False,
        fails: bool = False,
    ) -> list[WorkflowCommand]:
        """Do a workflow task; returns its commands as they go to the server."""
        self._tasks += 0 if same_task else 1
        act = WorkflowActivation(
            run_id=RUN_ID,
            history_length=self._tasks * 5,
            is_replaying=replaying,
            timestamp=Timestamp(seconds=STARTED_S, nanos=self._tasks * 10 * MS + 999),
            jobs=jobs,
        )
        completion = WorkflowActivationCompletion(run_id=RUN_ID)
        if fails:
            completion.failed.failure.message = "boom"
        else:
            completion.successful.commands.extend(commands or [])
        self.tracker.before(act)
        self.tracker.after(act, completion)
        return list(completion.successful.commands)

    def trace(self, *only: str) -> str:
        """The spans held so far, with the attributes to look at."""
        return f"\n{render(self.held.spans, only=only)}\n"


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
RunWorkflow:Research SERVER 0..40.000999 ms
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
  StartActivity:call_llm CLIENT 10..30.000999 ms
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
  Timer INTERNAL 10..20.000999 ms
    temporal.timer.id: '1'
    temporal.timer.timeout: 5.0
  HandleSignal:approve SERVER 20..20 ms
    input.mime_type: 'text/plain'
    input.value: 'yes'
    output.mime_type: 'application/json'
    output.value: 'null'
    temporal.signal.name: 'approve'
  StartActivity:report CLIENT 30..40.000999 ms
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
    assert [opened.given for opened in worker.tracker._activities.values()] == [[]]
    worker.task(completed(1), signal("approve", 7), commands=[complete()])
    assert (
        worker.trace("input.value", "output.value")
        == """
RunWorkflow:Research SERVER 0..20.000999 ms
  StartActivity:call_llm CLIENT 10..20.000999 ms
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
StartActivity:call_llm CLIENT 0..10.000999 ms (parent ba9a8c23fb2921d1)
Timer INTERNAL 0..10.000999 ms (parent ba9a8c23fb2921d1)
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
RunWorkflow:Research SERVER 0..30.000999 ms
  durable.llm.calls: 2
  StartActivity:call_llm CLIENT 20..30.000999 ms
    durable.llm.calls: 1
"""
        )

    def test_headers_are_added_to_commands_as_they_were(self) -> None:
        first, again = Worker(), Worker()
        assert first.task(commands=[schedule(1)]) == again.task(commands=[schedule(1)], replaying=True)


class TestActivities:
    def test_a_failed_one(self) -> None:
        cause = FailureProto(message="boom", application_failure_info=ApplicationFailureInfo(type="ValueError"))
        cause.encoded_attributes.CopyFrom(
            with_ledger(Payload(metadata={"encoding": b"json/plain"}, data=b'{"message":"boom"}'), ledger(attempt=5))
        )
        worker = Worker(ON)
        worker.task(commands=[schedule(1)])
        worker.task(failed(1, cause))
        assert (
            worker.trace(
                "temporal.attempts", "durable.llm.calls", "error.type", "temporal.retry_state", "exception.type"
            )
            == """
StartActivity:call_llm CLIENT ERROR 'boom' 0..10.000999 ms (parent ba9a8c23fb2921d1)
  durable.llm.calls: 1
  error.type: 'ValueError'
  temporal.attempts: 5
  temporal.retry_state: 'MAXIMUM_ATTEMPTS_REACHED'
  * exception 10.000999 ms
    exception.type: 'ValueError'
"""
        )

    def test_a_cancelled_one(self) -> None:
        worker = Worker(ON)
        worker.task(commands=[schedule(1)])
        worker.task(commands=[WorkflowCommand(request_cancel_activity=RequestCancelActivity(seq=1))])
        worker.task(failed(1, FailureProto(canceled_failure_info=CanceledFailureInfo())))
        assert (
            worker.trace("error.type")
            == """
StartActivity:call_llm CLIENT 0..20.000999 ms (parent ba9a8c23fb2921d1)
  error.type: 'CanceledError'
"""
        )

    def test_one_cancelled_in_the_task_that_issued_it_was_never_sent(self) -> None:
        worker = Worker()
        worker.task(commands=[schedule(1), WorkflowCommand(request_cancel_activity=RequestCancelActivity(seq=1))])
        worker.task(failed(1, FailureProto(canceled_failure_info=CanceledFailureInfo())))
        assert worker.held.spans == []

    def test_a_second_use_of_an_activity_id_is_another_step(self) -> None:
        worker = Worker()
        worker.task(commands=[schedule(1, "plan")])
        [command] = worker.task(completed(1), commands=[schedule(2, "plan")])
        worker.task(completed(2))
        header = read_header(command.schedule_activity.headers)
        assert header
        assert header.nth == 2
        assert [span.span_id for span in worker.held.spans] == [
            step_span_id(RUN_ID, "activity", "plan", nth) for nth in (1, 2)
        ]

    def test_a_ledger_of_another_run_is_not_believed(self) -> None:
        worker = Worker()
        worker.task(commands=[schedule(1)])
        worker.task(completed(1, with_ledger(text("copied"), ledger(run_id=EARLIER))), commands=[complete()])
        assert (
            worker.trace("durable.llm.calls", "temporal.attempts")
            == """
RunWorkflow:Research SERVER 0..20.000999 ms
  StartActivity:call_llm CLIENT 10..20.000999 ms
"""
        )

    def test_the_header_that_an_activity_gets(self) -> None:
        worker = Worker(header=TraceHeader(session="chat-17", user="ada", tags=("beta",)))
        [command] = worker.task(commands=[schedule(1)])
        assert read_header(command.schedule_activity.headers) == TraceHeader(
            traceparent="00-0884fd559f037feb254717f53be6bb10-d1903ea4e88a9181-01",
            session="chat-17",
            user="ada",
            tags=("beta",),
            resource={"service.name": "agents"},
        )

    def test_the_header_names_what_is_left_of_the_runs_budget_when_half_is_spent(self) -> None:
        size = len(ledger())
        worker = Worker(TracingConfig(max_run_ledger_bytes=2 * size))
        left: list[int | None] = []
        commands = worker.task(commands=[schedule(1)])
        for seq in (1, 2, 3):
            header = read_header(commands[0].schedule_activity.headers)
            assert header
            left.append(header.ledger_left)
            commands = worker.task(
                completed(seq, with_ledger(text("a"), ledger(str(seq)))), commands=[schedule(seq + 1)]
            )
        assert left == [None, None, 0]


class TestTimers:
    def test_a_cancelled_one(self) -> None:
        worker = Worker()
        worker.task(commands=[timer(1)])
        worker.task(commands=[WorkflowCommand(cancel_timer=CancelTimer(seq=1))])
        assert (
            worker.trace("temporal.timer.canceled")
            == """
Timer INTERNAL 0..10.000999 ms (parent ba9a8c23fb2921d1)
  temporal.timer.canceled: True
"""
        )

    def test_one_cancelled_in_the_task_that_set_it_was_never_sent(self) -> None:
        worker = Worker()
        worker.task(commands=[timer(1), WorkflowCommand(cancel_timer=CancelTimer(seq=1))])
        assert worker.held.spans == []


class TestLocalActivities:
    """A workflow task with local activities has several activations: what goes to the server goes with the last."""

    LOCAL = WorkflowCommand(schedule_local_activity=ScheduleLocalActivity(seq=1, activity_id="1"))

    def resolved(self) -> WorkflowActivationJob:
        job = completed(1)
        job.resolve_activity.is_local = True
        return job

    def test_while_one_runs_the_task_is_not_done(self) -> None:
        worker = Worker()
        worker.task(commands=[self.LOCAL, timer(1)])
        worker.task(self.resolved(), commands=[complete()], same_task=True)
        assert worker.held.may_idle == [False, True]
        assert (
            worker.trace()
            == """
RunWorkflow:Research SERVER 0..10.000999 ms
"""
        )

    def test_what_is_cancelled_meanwhile_was_never_sent(self) -> None:
        worker = Worker()
        worker.task(commands=[self.LOCAL, timer(1), schedule(2)])
        worker.task(
            self.resolved(),
            commands=[
                WorkflowCommand(cancel_timer=CancelTimer(seq=1)),
                WorkflowCommand(request_cancel_activity=RequestCancelActivity(seq=2)),
            ],
            same_task=True,
        )
        assert worker.held.spans == []


class TestEndings:
    def test_failed(self) -> None:
        failure = FailureProto(message="boom", application_failure_info=ApplicationFailureInfo(type="ValueError"))
        worker = Worker(ON)
        worker.task(commands=[WorkflowCommand(fail_workflow_execution=FailWorkflowExecution(failure=failure))])
        assert (
            worker.trace("temporal.run.status", "error.type", "output.value", "exception.message")
            == """
RunWorkflow:Research SERVER ERROR 'boom' 0..10.000999 ms
  error.type: 'ValueError'
  output.value: 'null'
  temporal.run.status: 'failed'
  * exception 10.000999 ms
    exception.message: 'boom'
"""
        )

    def test_canceled(self) -> None:
        worker = Worker()
        worker.task(commands=[WorkflowCommand(cancel_workflow_execution=CancelWorkflowExecution())])
        assert (
            worker.trace("temporal.run.status")
            == """
RunWorkflow:Research SERVER 0..10.000999 ms
  temporal.run.status: 'canceled'
"""
        )

    def test_continued_as_new_hands_session_and_sampling_on(self) -> None:
        worker = Worker(ON, header=TraceHeader(traceparent=TRACEPARENT, session="chat-17", start=ClientStart(5)))
        following = ContinueAsNewWorkflowExecution(workflow_type="Research", arguments=[text("page 2")])
        [command] = worker.task(commands=[WorkflowCommand(continue_as_new_workflow_execution=following)])
        assert (
            worker.trace("temporal.run.status", "output.value")
            == """
RunWorkflow:Research SERVER 0..10.000999 ms (parent 2222222222222222)
  output.value: 'page 2'
  temporal.run.status: 'continued_as_new'
"""
        )
        assert read_header(command.continue_as_new_workflow_execution.headers) == TraceHeader(
            session="chat-17", sampled=True
        )

    def test_the_run_after_it_is_a_trace_of_its_own_with_a_link(self) -> None:
        worker = Worker(
            header=TraceHeader(session="chat-17", sampled=True),
            first_execution_run_id=EARLIER,
            continued_from_execution_run_id=EARLIER,
        )
        worker.task(commands=[complete()])
        [span] = worker.held.spans
        assert (span.trace_id, span.parent_id, span.attributes["session.id"], span.links) == (
            0x0884FD559F037FEB254717F53BE6BB10,
            None,
            "chat-17",
            (Link(0xE33E5C5F532FAC0F4232E5B7DB4E65B1, 0xAAB07D3CBB41899E, {"temporalRunID": EARLIER}),),
        )

    def test_a_task_that_fails_leaves_nothing(self) -> None:
        worker = Worker()
        worker.task(signal("approve", 3), fails=True)
        assert (worker.held.spans, worker.held.may_idle) == ([], [])


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


def test_a_signal_whose_event_is_not_known_has_no_span() -> None:
    worker = Worker()
    worker.task(signal("approve", 0))
    assert worker.held.spans == []
