"""Runs of a server through the bulk export: fetched ahead, refused ones named, chains without fetching twice."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any, cast

import pytest
from temporalio.service import RPCStatusCode

from tests.history.server.memory import MemoryServer, closed, refused, run_id
from tracing.config import TracingConfig
from tracing.export import Export, ExportSettings, RunItem
from tracing.export.listing import QueryError, found_runs, one_run, related_runs
from tracing.export.server import ServerConnection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from temporalio.client import Client

    from tracing.export.items import Item
    from tracing.export.records import Record
    from tracing.history import Unreadable

QUERY = "WorkflowType = 'Research'"


def exported(
    folder: Path,
    memory: MemoryServer,
    listed: Callable[[ServerConnection], Iterator[Any]],
    concurrency: int = 4,
    asked: list[int] | None = None,
) -> list[Record]:
    """The records of an export in this process; and, as each came, how many histories had been asked for."""

    async def connect() -> Client:
        return cast("Client", memory)

    server = ServerConnection(connect, concurrency=concurrency)
    settings = ExportSettings(folder, TracingConfig(), with_history=True, connect=connect, concurrency=concurrency)
    items: Iterator[Item | Unreadable] = listed(server)
    with closing(server), Export(items, settings, server=server) as export:
        done = []
        for records in export.run():
            done += records
            if asked is not None:
                asked.append(memory.count("history"))
        return done


def many(count: int) -> MemoryServer:
    memory = MemoryServer()
    for number in range(1, count + 1):
        memory.add(closed(number, workflow_id=f"wf-{number}"))
    return memory


@pytest.mark.parametrize("concurrency", [1, 4])
def test_runs_are_fetched_while_others_are_converted(tmp_path: Path, concurrency: int) -> None:
    memory, asked = many(12), list[int]()
    records = exported(tmp_path, memory, lambda server: found_runs(server, QUERY, []), concurrency, asked)
    assert [(record.state, record.workflow_id, record.namespace) for record in records] == [
        ("exported", f"wf-{number}", "ns") for number in range(1, 13)
    ]
    # As many again as are fetched at once may wait to be converted.
    assert asked == [min(done + 2 * concurrency, 12) for done in range(12)]
    assert memory.most <= concurrency
    assert [len(record.files) for record in records] == [2] * 12  # its trace and its history


def test_what_was_exported_is_not_fetched_again(tmp_path: Path) -> None:
    memory = many(3)
    for _ in range(2):
        records = exported(tmp_path, memory, lambda server: found_runs(server, QUERY, []))
        assert [record.state for record in records] == ["exported"] * 3
    assert memory.count("history") == 3


def test_a_run_that_is_refused_is_named_and_the_others_are_exported(tmp_path: Path) -> None:
    memory = many(3)
    memory.refusals["history"].append(refused(RPCStatusCode.NOT_FOUND, "gone"))
    records = exported(tmp_path, memory, lambda server: found_runs(server, QUERY, []))
    assert [(record.state, record.refused) for record in records] == [
        (
            "refused",
            "the server says: gone. Check workflow ID and namespace; a run whose retention is over is gone.",
        ),
        ("exported", ""),
        ("exported", ""),
    ]


def test_a_server_that_cannot_be_reached_is_named_with_each_run(tmp_path: Path) -> None:
    async def connect() -> Client:
        raise RuntimeError("no certificate")

    server = ServerConnection(connect)
    settings = ExportSettings(tmp_path, TracingConfig(), connect=connect)
    items = [RunItem("ns", f"wf-{number}", run_id(number)) for number in (1, 2)]
    with closing(server), Export(items, settings, server=server) as export:
        told = [record.refused for records in export.run() for record in records]
    assert told == ["The server cannot be reached: no certificate"] * 2


def test_a_listing_that_breaks_off_is_a_problem_and_one_that_is_not_understood_an_error(tmp_path: Path) -> None:
    memory, problems = many(2), list[str]()
    memory.refusals["list"].append(refused(RPCStatusCode.INTERNAL, "visibility is down"))
    assert exported(tmp_path, memory, lambda server: found_runs(server, QUERY, problems)) == []
    assert problems == [f"--query {QUERY!r}: the server says: visibility is down. Runs may be missing: run it again."]

    memory.refusals["list"].append(refused(RPCStatusCode.INVALID_ARGUMENT, "malformed"))
    with pytest.raises(QueryError, match="malformed"):
        exported(tmp_path, memory, lambda server: found_runs(server, QUERY, problems))


@pytest.mark.parametrize(
    ("status", "message", "told"),
    [
        (RPCStatusCode.NOT_FOUND, "Namespace nope is not found.", "Namespace nope is not found. Check the namespace."),
        (
            RPCStatusCode.PERMISSION_DENIED,
            "Request unauthorized.",
            "Request unauthorized. Check the API key or certificate, and the namespace.",
        ),
    ],
)
def test_a_listing_that_is_refused_for_good_says_what_to_mend(
    tmp_path: Path, status: RPCStatusCode, message: str, told: str
) -> None:
    memory, problems = many(2), list[str]()
    memory.refusals["list"].append(refused(status, message))
    assert exported(tmp_path, memory, lambda server: found_runs(server, QUERY, problems)) == []
    assert problems == [f"--query {QUERY!r}: the server says: {told}"]


def test_the_latest_run_of_a_workflow_id(tmp_path: Path) -> None:
    memory = MemoryServer()
    for number in (1, 2):
        memory.add(closed(number))
    [record] = exported(tmp_path, memory, lambda server: one_run(server, "wf", None))
    assert record.run_id == run_id(2)


def test_a_chain_is_fetched_once(tmp_path: Path) -> None:
    memory = MemoryServer()
    first = {"first_execution_run_id": run_id(1)}
    memory.add(closed(1))
    memory.add(closed(2, continued_execution_run_id=run_id(1), **first))
    memory.add(closed(3, continued_execution_run_id=run_id(4), **first))
    records = exported(tmp_path, memory, lambda server: related_runs(server, "wf", None, children=False))
    assert sorted((record.state, record.run_id) for record in records) == [
        *(("exported", run_id(number)) for number in (1, 2, 3)),
        ("refused", ""),  # the fourth is not there any more
    ]
    assert all(memory.asked.count(("history", "wf", run_id(number))) == 1 for number in (1, 3))
