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
from temporalio.exceptions import ApplicationError
from temporalio.exceptions import CancelledError as TemporalCancelledError
from temporalio.testing import ActivityEnvironment
from temporalio.worker import ActivityInboundInterceptor

from tests.live.attempts import ATTEMPT_SPAN, INFO
from tracing import TracingConfig
from tracing.live.activity import WorkerInterceptor
from tracing.live.attempt import closing_attempt
from tracing.live.emitter import Emitter
from tracing.live.recorder import current_recorder

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
    spans: list[Span] = dataclasses.field(default_factory=list)

    async def run(self, activity: Callable[[], Any], **info: Any) -> Any:
        """Run an activity as the worker does."""
        outbox: Any = SimpleNamespace(put=self.spans.append)
        emitter = Emitter(TracerProvider(shutdown_on_exit=False))
        interceptor = WorkerInterceptor(TracingConfig(), emitter, outbox, "worker-1", ledgered=self.ledgered)
        environment = ActivityEnvironment()
        environment.info = dataclasses.replace(INFO, **info)
        inbound = interceptor.intercept_activity(User(activity))
        given: Any = SimpleNamespace(headers={})
        return await environment.run(inbound.execute_activity, given)

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
            await worker.run(temporalio.activity.raise_complete_async)
        assert worker.spans == []


@pytest.mark.parametrize("info", [{"is_local": True}, {"workflow_run_id": None}], ids=["local", "of no workflow"])
async def test_other_activities_just_run(info: dict[str, Any]) -> None:
    worker = Worker()
    assert await worker.run(current, **info) == (0, False)
    assert worker.spans == []


async def test_an_attempt_that_cannot_be_traced_just_runs(tracing_log: list[str]) -> None:
    worker = Worker()
    assert await worker.run(current, started_time=None) == (0, False)
    assert worker.spans == []
    assert len(tracing_log) == 1
    assert "the start of an attempt" in tracing_log[0]
