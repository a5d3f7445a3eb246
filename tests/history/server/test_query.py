"""The runs of a query: listed and fetched at the same time."""

from __future__ import annotations

import asyncio

import pytest
from temporalio.service import RPCError, RPCStatusCode

from tests.history.server.memory import MemoryServer, closed, refused, run_id
from tracing.history import Fetched, Unreadable

ALL = "WorkflowType = 'Research'"

AGAIN = "Run it again; if it says so again, look at the server's log."


def server_with(count: int) -> MemoryServer:
    server = MemoryServer(page_size=2)
    for number in range(1, count + 1):
        server.add(closed(number, workflow_id=f"wf-{number}"))
    return server


def number(found: Fetched | Unreadable) -> int:
    assert isinstance(found, Fetched)
    return int(found.run.run_id[-12:])


async def test_all_runs_of_all_pages() -> None:
    server = server_with(7)
    found = [number(each) async for each in server.reader(concurrency=3).query(ALL)]
    assert sorted(found) == [1, 2, 3, 4, 5, 6, 7]
    assert 1 < server.most <= 3
    listed = [each async for each in server.reader().find(ALL)]
    assert [(run.workflow_id, run.run_id, run.closed) for run in listed[:1]] == [("wf-1", run_id(1), True)]


async def test_pages_are_listed_while_runs_are_fetched() -> None:
    server = server_with(7)
    server.gates = {run_id(number): asyncio.Event() for number in range(1, 8)}
    reading = asyncio.ensure_future(anext(server.reader(concurrency=3).query(ALL)))
    await server.has_asked("history", 3)
    # The third run stands on the second page.
    assert server.count("list") == 2
    server.gates[run_id(2)].set()
    assert number(await reading) == 2


async def test_in_the_order_of_the_listing() -> None:
    server = server_with(3)
    server.gates = {run_id(1): asyncio.Event()}
    reading = asyncio.ensure_future(anext(results := server.reader(concurrency=3).query(ALL, in_order=True)))
    await server.has_asked("history", 3)
    server.gates[run_id(1)].set()
    assert [number(await reading), *[number(each) async for each in results]] == [1, 2, 3]


async def test_a_listing_that_breaks_off_is_named_after_what_it_gave() -> None:
    server = server_with(7)
    found = []
    async for each in server.reader(concurrency=1).query(ALL):
        found.append(str(each) if isinstance(each, Unreadable) else number(each))
        server.refusals["list"] = [refused(RPCStatusCode.INTERNAL, "visibility is down")]
    assert found == [1, 2, f"{ALL}: the server says: visibility is down. {AGAIN} Runs may be missing."]


async def test_a_query_that_the_server_does_not_understand_is_the_users_error() -> None:
    server = server_with(1)
    server.refusals["list"].append(refused(RPCStatusCode.INVALID_ARGUMENT, "malformed"))
    with pytest.raises(RPCError, match="malformed"):
        _ = [each async for each in server.reader().query("RunId =")]


def test_concurrency_is_at_least_one() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        MemoryServer().reader(concurrency=0)
