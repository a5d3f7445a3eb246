"""Fetching a run: which run is it really, how does it stand, what if the server is busy?"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.service import RPCError, RPCStatusCode

from tests.history.recording import BASE_RUN_ID, RUN_ID, Recording
from tests.history.server.memory import MemoryServer, closed, refused, run_id
from tracing.history import History, Unreadable, fetch, read

if TYPE_CHECKING:
    from temporalio.client import Client

BUSY = [refused(RPCStatusCode.UNAVAILABLE), refused(RPCStatusCode.RESOURCE_EXHAUSTED)]


def names(history: History) -> tuple[str, str, str]:
    return history.namespace, history.workflow_id, history.run_id


async def test_the_latest_run_is_asked_who_it_is_for_a_reset_run_names_its_base() -> None:
    server = MemoryServer()
    server.add(closed(1))
    made_by_a_reset = Recording(run_id=BASE_RUN_ID)
    made_by_a_reset.complete()
    server.add(made_by_a_reset, run=RUN_ID)

    assert names(await fetch(cast("Client", server), "wf")) == ("ns", "wf", RUN_ID)
    assert server.asked == [("describe", "wf", ""), ("history", "wf", RUN_ID)]


async def test_a_run_that_is_named_is_fetched_at_once() -> None:
    server = MemoryServer()
    server.add(closed(1))
    server.add(closed(2))

    assert names(await fetch(cast("Client", server), "wf", run_id(1))) == ("ns", "wf", run_id(1))
    assert server.asked == [("history", "wf", run_id(1))]


async def test_pages_are_put_together_and_the_sdk_gets_the_same_events() -> None:
    server = MemoryServer(page_size=2)
    recording = Recording()
    for number in range(3):
        recording.activity(recording.task(), str(number))
    recording.complete()
    server.add(recording)

    reader = server.reader()
    fetched = await reader.fetch(reader.run("wf", RUN_ID))
    assert server.count("history") == 7
    [expected] = read((recording.sdk(), RUN_ID), namespace="ns")
    assert fetched.history() == expected
    assert list(fetched.sdk().events) == recording.events


async def test_a_run_still_open_is_fetched_again_where_it_went_on_meanwhile() -> None:
    server = MemoryServer()
    recording = server.add(Recording())
    describe = server.describe_workflow_execution

    async def went_on(*args: object, **options: object) -> object:
        if server.count("describe") == 0:
            recording.activity(recording.task())
            server.pending[RUN_ID] = [PendingActivityInfo(activity_id="1", attempt=1)]
        return await describe(*args, **options)  # type: ignore[arg-type]

    server.describe_workflow_execution = went_on  # type: ignore[assignment,method-assign]
    history = await fetch(cast("Client", server), "wf", RUN_ID)
    assert [name for name, *_ in server.asked] == ["history", "describe", "history", "describe"]
    assert (history.events[-1].type, [it.activity_id for it in history.pending]) == ("ActivityTaskScheduled", ["1"])


async def test_a_busy_server_is_asked_again() -> None:
    server = MemoryServer()
    server.add(closed(1))
    server.refusals["history"] += BUSY
    reader = server.reader()

    assert names((await reader.fetch(reader.run("wf", run_id(1)))).history()) == ("ns", "wf", run_id(1))
    assert server.count("history") == 3


async def test_but_not_for_ever() -> None:
    server = MemoryServer()
    server.add(closed(1))
    server.refusals["history"] += [refused(RPCStatusCode.UNAVAILABLE, "shard is moving")] * 9
    reader = server.reader()

    [found] = [it async for it in reader.runs([reader.run("wf", run_id(1))])]
    assert found == Unreadable(f"wf {run_id(1)}", "the server says again and again: shard is moving. Run it again.")
    assert server.count("history") == 6


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (
            RPCStatusCode.NOT_FOUND,
            "the server says: no. Check workflow ID and namespace; a run whose retention is over is gone.",
        ),
        (
            RPCStatusCode.PERMISSION_DENIED,
            "the server says: no. Check the API key or certificate, and the namespace.",
        ),
        (RPCStatusCode.INVALID_ARGUMENT, "the server says: no. Check workflow ID and run ID."),
        (
            RPCStatusCode.INTERNAL,
            "the server says: no. Run it again; if it says so again, look at the server's log.",
        ),
    ],
    ids=lambda value: value.name if isinstance(value, RPCStatusCode) else "",
)
async def test_a_run_that_is_refused_is_named_and_the_others_come(status: RPCStatusCode, told: str) -> None:
    server = MemoryServer()
    for number in (1, 2):
        server.add(closed(number))
    server.refusals["history"].append(refused(status))
    reader = server.reader(concurrency=1)

    runs = [reader.run("wf", run_id(number)) for number in (1, 2)]
    first, second = [it async for it in reader.runs(runs)]
    assert first == Unreadable(f"wf {run_id(1)}", told)
    assert not isinstance(second, Unreadable)
    assert second.run == runs[1]
    assert server.count("history") == 2


async def test_a_history_without_its_beginning_is_named() -> None:
    server = MemoryServer()
    recording = closed(1)
    del recording.events[0]
    server.add(recording)
    reader = server.reader()
    unreadable = (await reader.fetch(reader.run("wf", run_id(1)))).read()
    assert str(unreadable) == (
        f"wf {run_id(1)}: Its first event is 2 (WorkflowExecutionCompleted), but event 1 (WorkflowExecutionStarted) "
        "says whose history it is: export it again, whole."
    )


async def test_who_fetches_one_run_gets_the_servers_own_error() -> None:
    with pytest.raises(RPCError, match="no run"):
        await fetch(cast("Client", MemoryServer()), "wf")
