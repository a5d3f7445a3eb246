"""What a client adds to a schedule: the header that all its runs will get."""

from __future__ import annotations

import copy
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.client import (
    BackfillScheduleInput,
    CreateScheduleInput,
    DeleteScheduleInput,
    PauseScheduleInput,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleIntervalSpec,
    ScheduleSpec,
    ScheduleUpdate,
    ScheduleUpdateInput,
    TriggerScheduleInput,
    UnpauseScheduleInput,
    UpdateScheduleInput,
)

from tests.live.client.clients import Client, given, header_in, traceparent
from tracing import session
from tracing.headers import TraceHeader

if TYPE_CHECKING:
    from tracing.spans.model import Span

DESCRIBED: Any = object()
"""What the server says of the schedule: the tests' updaters do not look at it."""


def nightly(headers: dict[str, Payload] | None = None) -> Schedule:
    action = ScheduleActionStartWorkflow("Research", id="research", task_queue="q", headers=headers)  # type: ignore[call-overload] # it has headers
    return Schedule(action=action, spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(days=1))]))


def header_of(schedule: Schedule) -> TraceHeader | None:
    assert isinstance(schedule.action, ScheduleActionStartWorkflow)
    return header_in(schedule.action.headers or {})


async def create(client: Client, schedule: Schedule) -> Schedule:
    """Create a schedule; gives it as the server got it."""
    await client.outbound.create_schedule(given(CreateScheduleInput, id="nightly", schedule=schedule))
    assert isinstance(client.sent.schedule, Schedule)
    return client.sent.schedule


class TestCreate:
    async def test_without_span_and_session_the_schedule_is_as_it_was(self) -> None:
        client, schedule = Client(), nightly()
        assert await create(client, schedule) is schedule
        assert header_of(schedule) is None

    async def test_its_runs_get_the_session(self) -> None:
        client = Client()
        with session(id="chat-17", user="ada", tags=["beta"], environment="staging"):
            schedule = await create(client, nightly({"other": Payload(data=b"x")}))
        assert header_of(schedule) == TraceHeader(session="chat-17", user="ada", tags=("beta",), environment="staging")
        assert isinstance(schedule.action, ScheduleActionStartWorkflow)
        assert (schedule.action.headers or {})["other"] == Payload(data=b"x")
        assert client.spans() == []

    async def test_under_a_span_they_can_link_to_it(self) -> None:
        client = Client()
        with client.request(), session(id="chat-17"):
            schedule = await create(client, nightly())
        ours, request = client.spans()
        assert (ours.name, ours.parent_id) == ("CreateSchedule", request.span_id)
        assert ours.attributes == {
            "temporal.schedule.id": "nightly",
            "temporal.workflow.type": "Research",
            "temporal.namespace": "default",
            "session.id": "chat-17",
            "gen_ai.conversation.id": "chat-17",
            "openinference.span.kind": "CHAIN",
        }
        assert header_of(schedule) == TraceHeader(traceparent=traceparent(ours), session="chat-17")

    async def test_the_users_own_object_stays_as_it_is(self) -> None:
        schedule = nightly()
        with session(id="chat-17"):
            sent = await create(Client(), schedule)
        assert (header_of(sent), header_of(schedule)) == (TraceHeader(session="chat-17"), None)
        assert sent.spec is schedule.spec

    async def test_a_header_that_cannot_be_written_does_not_stop_it(
        self, tracing_log: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(TraceHeader, "encode", lambda _header: 1 / 0)
        schedule = nightly()
        with session(id="chat-17"):
            assert await create(Client(), schedule) is schedule
        assert header_of(schedule) is None
        assert len(tracing_log) == 1

    async def test_its_handle_and_its_errors_are_passed_on(self) -> None:
        handle, error = object(), RuntimeError("boom")
        create_input = given(CreateScheduleInput, id="nightly", schedule=nightly())
        assert await Client(handle).outbound.create_schedule(create_input) is handle
        with pytest.raises(RuntimeError) as raised:
            await Client(error=error).outbound.create_schedule(create_input)
        assert raised.value is error


class TestUpdate:
    @staticmethod
    async def updated(client: Client, updater: Any) -> Any:
        """What the updater gives to the server."""
        await client.outbound.update_schedule(given(UpdateScheduleInput, id="nightly", updater=updater))
        return await client.sent.updater(ScheduleUpdateInput(description=DESCRIBED))

    @staticmethod
    async def created() -> tuple[Schedule, Span]:
        client = Client()
        with client.request(), session(id="chat-17", user="ada"):
            schedule = await create(client, nightly())
        return schedule, client.spans()[0]

    async def test_what_it_does_not_say_stays(self) -> None:
        schedule, creation = await self.created()
        update = await self.updated(Client(), lambda _: ScheduleUpdate(schedule))
        assert header_of(update.schedule) == TraceHeader(
            traceparent=traceparent(creation), session="chat-17", user="ada"
        )

    async def test_what_it_says_is_new(self) -> None:
        schedule, _ = await self.created()
        client = Client()

        async def updater(given: ScheduleUpdateInput) -> ScheduleUpdate:
            assert given.description is DESCRIBED
            return ScheduleUpdate(schedule)

        with client.request(), session(id="chat-18"):
            update = await self.updated(client, updater)
        ours, _ = client.spans()
        assert (ours.name, ours.attributes["temporal.schedule.id"]) == ("UpdateSchedule", "nightly")
        assert header_of(update.schedule) == TraceHeader(traceparent=traceparent(ours), session="chat-18", user="ada")

    async def test_a_broken_header_is_left_where_there_is_nothing_to_say(self) -> None:
        broken = nightly({"durable-trace": Payload(data=b"{")})
        update = await self.updated(Client(), lambda _: ScheduleUpdate(broken))
        assert update.schedule is broken

    async def test_none_is_no_update(self) -> None:
        assert await self.updated(Client(), lambda _: None) is None

    async def test_what_is_no_update_is_the_sdks_to_judge(self) -> None:
        assert await self.updated(Client(), lambda _: "nonsense") == "nonsense"

    async def test_the_updaters_errors_pass(self) -> None:
        def updater(_: ScheduleUpdateInput) -> ScheduleUpdate:
            raise ValueError("boom")

        with pytest.raises(ValueError, match="boom"):
            await self.updated(Client(), updater)

    async def test_the_users_own_update_stays_as_it_is(self) -> None:
        schedule = nightly()
        own = ScheduleUpdate(schedule)
        before = copy.copy(own)
        with session(id="chat-17"):
            await self.updated(Client(), lambda _: own)
        assert own == before
        assert own.schedule is schedule
        assert header_of(schedule) is None


@pytest.mark.parametrize(
    ("call", "kind", "name"),
    [
        ("delete_schedule", DeleteScheduleInput, "DeleteSchedule"),
        ("pause_schedule", PauseScheduleInput, "PauseSchedule"),
        ("unpause_schedule", UnpauseScheduleInput, "UnpauseSchedule"),
        ("trigger_schedule", TriggerScheduleInput, "TriggerSchedule"),
        ("backfill_schedule", BackfillScheduleInput, "BackfillSchedule"),
    ],
)
async def test_other_calls_are_spans(call: str, kind: Any, name: str) -> None:
    client = Client()
    with client.request():
        await getattr(client.outbound, call)(given(kind, id="nightly"))
    ours, request = client.spans()
    assert (ours.name, ours.parent_id) == (name, request.span_id)
    assert ours.attributes == {
        "temporal.schedule.id": "nightly",
        "temporal.namespace": "default",
        "openinference.span.kind": "CHAIN",
    }
