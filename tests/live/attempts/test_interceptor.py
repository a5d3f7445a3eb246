"""What a worker does around an attempt: which activities it traces, and how they end without a ledger."""

from __future__ import annotations

import asyncio
import dataclasses
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import temporalio.activity
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from temporalio.activity import ActivityCancellationDetails
from temporalio.exceptions import ApplicationError
from temporalio.exceptions import CancelledError as TemporalCancelledError
from temporalio.testing import ActivityEnvironment
from temporalio.worker import ActivityInboundInterceptor, ActivityOutboundInterceptor, ExecuteActivityInput

from tests.live.attempts.attempts import ATTEMPT_SPAN, INFO, LOCAL_STEP_SPAN
from tracing import TracingConfig
from tracing.live.attempts.async_completion import open_attempts
from tracing.live.attempts.attempt import closing_attempt
from tracing.live.attempts.interceptor import WorkerInterceptor
from tracing.live.attempts.recorder import current_recorder
from tracing.live.delivery.emitter import Emitter

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracing.spans.model import Span


class User(ActivityInboundInterceptor):
    """The end of the chain: the user's activity."""

    def __init__(self, activity: Callable[[], Any]) -> None:
        self.activity = activity

    async def execute_activity(self, input: Any) -> Any:  # noqa: A002, ARG002 - the SDK's name
        await asyncio.sleep(0)
        return self.activity()


@dataclasses.dataclass
class Worker:
    """A worker's interceptor, and the spans that it lets go."""

    ledgered: bool = False
    config: TracingConfig = dataclasses.field(default_factory=TracingConfig)
    spans: list[Span] = dataclasses.field(default_factory=list)

    async def run(
        self, activity: Callable[[], Any], *, told: ActivityCancellationDetails | None = None, **info: Any
    ) -> Any:
        """Run an activity as the worker does, which may have `told` it to stop."""
        environment = ActivityEnvironment()
        environment.info = dataclasses.replace(INFO, **info)
        environment._cancellation_details.details = told
        inbound = self.interceptor().intercept_activity(User(activity))
        given = ExecuteActivityInput(fn=activity, args=[], executor=None, headers={})
        return await environment.run(inbound.execute_activity, given)

    def interceptor(self) -> WorkerInterceptor:
        outbox: Any = SimpleNamespace(put=self.spans.append)
        emitter = Emitter(TracerProvider(shutdown_on_exit=False))
        return WorkerInterceptor(self.config, emitter, outbox, "worker-1", ledgered=self.ledgered)

    def ended(self) -> list[tuple[str, str, object]]:
        return [(span.name, span.status.name, span.attributes.get("error.type")) for span in self.spans]


def current() -> tuple[int, bool]:
    return trace.get_current_span().get_span_context().span_id, current_recorder() is not None


async def test_inside_is_the_attempts_context() -> None:
    assert await Worker().run(current) == (ATTEMPT_SPAN, True)
    assert current() == (0, False)


async def test_the_outcome_waits_for_its_ledger_where_the_client_has_the_plugin() -> None:
    worker = Worker(ledgered=True)

    async def task() -> bool:
        await worker.run(lambda: "because")
        return True

    assert await asyncio.create_task(task())
    assert worker.spans == []
    assert closing_attempt() is None


class TestWithoutALedger:
    """A plugin on the worker alone: no converter of ours sees the outcome, so the attempt ends with its code."""

    async def test_success(self) -> None:
        worker = Worker()
        assert await worker.run(lambda: "because") == "because"
        assert worker.ended() == [("RunActivity:call_llm", "UNSET", None)]

    @pytest.mark.parametrize(
        ("error", "ended"),
        [
            (ValueError("boom"), ("ERROR", "ValueError")),
            (ApplicationError("boom", type="Boom"), ("ERROR", "Boom")),
            (asyncio.CancelledError(), ("UNSET", "CanceledError")),
            (TemporalCancelledError("Cancelled"), ("UNSET", "CanceledError")),
        ],
        ids=repr,
    )
    async def test_errors_pass_and_are_named(self, error: BaseException, ended: tuple[str, str]) -> None:
        worker = Worker()

        def fail() -> None:
            raise error

        with pytest.raises(type(error)):
            await worker.run(fail)
        assert worker.ended() == [("RunActivity:call_llm", *ended)]

    async def test_one_that_is_completed_later_has_not_ended(self) -> None:
        worker = Worker()
        with pytest.raises(temporalio.activity._CompleteAsyncError):
            await worker.run(temporalio.activity.raise_complete_async, task_token=b"later")
        assert worker.spans == []
        attempt = open_attempts.take(b"later")
        assert attempt is not None
        attempt.close(None)
        assert worker.ended() == [("RunActivity:call_llm", "UNSET", None)]


class TestToldToStop:
    """What the server takes of an attempt, or not, is how it ended."""

    TIMED_OUT = ActivityCancellationDetails(timed_out=True, not_found=True)
    GONE = ActivityCancellationDetails(not_found=True)
    PAUSED = ActivityCancellationDetails(paused=True)

    async def test_in_time_or_not_an_attempt_that_timed_out_has_timed_out(self) -> None:
        worker = Worker()
        assert await worker.run(lambda: "because", told=self.TIMED_OUT) == "because"
        assert worker.ended() == [("RunActivity:call_llm", "ERROR", "TimeoutError")]

    @pytest.mark.parametrize("error", [asyncio.CancelledError(), TemporalCancelledError("Cancelled")], ids=repr)
    async def test_one_that_the_server_knows_no_more_is_cancelled(self, error: BaseException) -> None:
        worker = Worker()
        with pytest.raises(type(error)):
            await worker.run(_raising(error), told=self.GONE)
        assert worker.ended() == [("RunActivity:call_llm", "UNSET", "CanceledError")]

    async def test_one_that_fails_otherwise_has_failed(self) -> None:
        worker = Worker()
        with pytest.raises(ValueError, match="boom"):
            await worker.run(_raising(ValueError("boom")), told=self.GONE)
        assert worker.ended() == [("RunActivity:call_llm", "ERROR", "ValueError")]

    async def test_one_that_is_paused_ends_as_its_code_does(self) -> None:
        worker = Worker()
        with pytest.raises(ApplicationError):
            await worker.run(_raising(ApplicationError("boom", type="Boom")), told=self.PAUSED)
        assert worker.ended() == [("RunActivity:call_llm", "ERROR", "Boom")]


def _raising(error: BaseException) -> Callable[[], None]:
    def fail() -> None:
        raise error

    return fail


@pytest.mark.parametrize(
    ("info", "parent"),
    [
        ({"is_local": True}, LOCAL_STEP_SPAN),
        ({"workflow_run_id": None, "workflow_id": None, "workflow_type": None, "activity_run_id": "run-1"}, None),
    ],
    ids=["local", "of no workflow"],
)
async def test_other_kinds_of_activities_have_attempts_as_well(info: dict[str, Any], parent: int | None) -> None:
    worker = Worker()
    _, recorded = await worker.run(current, **info)
    assert recorded
    assert [(span.name, span.parent_id) for span in worker.spans] == [("RunActivity:call_llm", parent)]


async def test_heartbeats_are_counted_on_their_way_to_the_server() -> None:
    class Server(ActivityOutboundInterceptor):
        def __init__(self) -> None:
            self.heard: list[object] = []

        def heartbeat(self, *details: Any) -> None:
            self.heard += details

    class Context(ActivityInboundInterceptor):
        """Takes the outbound chain as the SDK's innermost interceptor does."""

        def __init__(self) -> None:
            self.outbound: ActivityOutboundInterceptor | None = None

        def init(self, outbound: ActivityOutboundInterceptor) -> None:
            self.outbound = outbound

        async def execute_activity(self, input: Any) -> Any:  # noqa: A002, ARG002 - the SDK's name
            await asyncio.sleep(0)
            assert self.outbound
            self.outbound.heartbeat(1)
            self.outbound.heartbeat(2)

    server, worker = Server(), Worker()
    inbound = worker.interceptor().intercept_activity(Context())
    inbound.init(server)
    environment = ActivityEnvironment()
    environment.info = INFO
    given = ExecuteActivityInput(fn=lambda: None, args=[], executor=None, headers={})
    await environment.run(inbound.execute_activity, given)
    assert server.heard == [1, 2]
    assert [span.attributes["temporal.heartbeats"] for span in worker.spans] == [2]


class TestWithoutAHeader:
    """A workflow's worker without the plugin: settings decide what is sampled."""

    @pytest.mark.parametrize(
        ("config", "sent"),
        [
            (TracingConfig(), 1),
            (TracingConfig(exclude_activities=("call_*",)), 0),
            (TracingConfig(exclude_workflows=("Research",)), 0),
            (TracingConfig(include_workflows=("Research",)), 1),
        ],
        ids=["by default", "activity excluded", "workflow excluded", "workflow included"],
    )
    async def test_what_is_not_wanted_is_not_sent(self, config: TracingConfig, sent: int) -> None:
        worker = Worker(config=config)
        await worker.run(current)
        assert len(worker.spans) == sent


async def test_an_attempt_that_cannot_be_traced_just_runs(tracing_log: list[str]) -> None:
    worker = Worker()
    assert await worker.run(current, started_time=None) == (0, False)
    assert worker.spans == []
    assert len(tracing_log) == 1
    assert "the start of an attempt" in tracing_log[0]
