"""Which runs come of a chain, and of its children: each once, whatever histories and visibility say."""

from __future__ import annotations

from typing import Any

import pytest
from temporalio.service import RPCStatusCode

from tests.history.recording import Recording
from tests.history.server.memory import MemoryServer, closed, refused, run_id
from tracing.history import Unreadable

FIRST = run_id(1)

AGAIN = "Run it again; if it says so again, look at the server's log."


def page(number: int, after: int | None, *, workflow_id: str = "wf", **started: Any) -> Recording:
    """A run of a chain of continued runs: the first is 1; ``after`` is the number of the run after."""
    before = {"continued_execution_run_id": run_id(number - 1)} if number > 1 else {}
    recording = Recording(
        run_id=run_id(number), workflow_id=workflow_id, **{"first_execution_run_id": FIRST, **before, **started}
    )
    if after is None:
        recording.complete()
    else:
        recording.add("workflow_execution_continued_as_new", new_execution_run_id=run_id(after))
    return recording


def reset_run(number: int, base: int) -> Recording:
    """A run made by a reset; its first event is a copy of its base run's."""
    recording = Recording(run_id=run_id(base), first_execution_run_id=FIRST)
    recording.run_id = run_id(number)
    recording.reset(base=run_id(base))
    recording.complete()
    return recording


async def numbers(server: MemoryServer, run: int | None = None, **options: Any) -> list[object]:
    """The runs of a chain by number, in order; those that are missing by what is said of them."""
    found: list[object] = []
    reader = server.reader(concurrency=options.pop("concurrency", 3))
    async for each in reader.chain("wf", run and run_id(run), **options):
        if isinstance(each, Unreadable):
            found.append(str(each))
        else:
            found.append(int(each.run.run_id[-12:]))
    return sorted(found, key=lambda each: (isinstance(each, str), each))


@pytest.mark.parametrize("start", [None, 1, 2, 4])
@pytest.mark.parametrize("concurrency", [1, 8])
async def test_a_chain_is_the_same_from_whichever_run_it_is_looked_at(start: int | None, concurrency: int) -> None:
    server = MemoryServer(hidden={run_id(number) for number in range(9)})
    for number in range(1, 5):
        server.add(page(number, number + 1 if number < 4 else None))
    assert await numbers(server, start, concurrency=concurrency) == [1, 2, 3, 4]
    assert server.count("history") == 4
    assert server.most <= concurrency


async def test_the_base_run_of_a_reset_and_its_resets() -> None:
    server = MemoryServer(hidden={run_id(3)}, resets={FIRST: run_id(3)})
    server.add(page(1, None))
    server.add(reset_run(2, base=1), run=run_id(2))
    server.add(reset_run(3, base=1), run=run_id(3))
    server.add(reset_run(4, base=3), run=run_id(4))
    server.add(closed(7))  # another chain of the same workflow ID
    # Of 1, the server tells the last reset, 3; visibility knows 2 and 4. 3 is named by 4 as well.
    for start in (1, 2, 3, 4):
        assert await numbers(server, start) == [1, 2, 3, 4]


async def test_another_chain_of_the_same_workflow_id_is_no_part_of_it() -> None:
    server = MemoryServer()
    server.add(page(1, 2))
    server.add(page(2, None))
    server.add(closed(7))
    assert await numbers(server) == [7]
    assert await numbers(server, 2) == [1, 2]


async def test_a_run_whose_retention_is_over_is_named_and_the_others_come() -> None:
    server = MemoryServer()
    for number in (2, 3, 5):
        server.add(page(number, number + 1 if number < 5 else None))
    gone = "Check workflow ID and namespace; a run whose retention is over is gone."
    assert await numbers(server, 5) == [
        2,
        3,
        5,
        *(f"wf {run_id(number)}: the server says: no run {run_id(number)}. {gone}" for number in (1, 4)),
    ]


async def test_nothing_of_that_name() -> None:
    [said] = await numbers(MemoryServer())
    assert said == (
        "wf: the server says: no run. Check workflow ID and namespace; a run whose retention is over is gone."
    )


async def test_runs_that_name_one_another_in_a_circle_come_once() -> None:
    server = MemoryServer()
    server.add(page(1, 2, continued_execution_run_id=run_id(2)))
    server.add(page(2, 1))
    assert await numbers(server) == [1, 2]


async def test_no_more_runs_than_the_limit() -> None:
    server = MemoryServer()
    for number in range(1, 10):
        server.add(page(number, number + 1 if number < 9 else None))
    *runs, said = await numbers(server, 1, limit=4, concurrency=1)
    assert len(runs) == 4
    assert said == (
        f"wf {FIRST}: more than 4 runs belong to it, and the others are left out: give a higher limit, or their "
        "workflow IDs one by one."
    )


async def test_where_visibility_fails_the_chain_is_told_to_be_incomplete() -> None:
    server = MemoryServer()
    server.add(page(1, None))
    server.refusals["list"].append(refused(RPCStatusCode.INTERNAL, "visibility is down"))
    assert await numbers(server) == [1, f"wf {FIRST}: the server says: visibility is down. {AGAIN}"]


async def test_a_run_from_an_archive_stands_nowhere() -> None:
    server = MemoryServer()
    server.add(page(1, None))
    server.refusals["describe"].append(refused(RPCStatusCode.NOT_FOUND))
    assert await numbers(server, 1) == [1]


@pytest.mark.parametrize("workflow_id", ["it's", 'a"b', "a\\b", "a\nb", "wf' OR WorkflowId != 'x"])
async def test_a_workflow_id_can_be_any_text(workflow_id: str) -> None:
    server = MemoryServer(resets={FIRST: run_id(3)})
    server.add(page(1, 2, workflow_id=workflow_id))
    server.add(page(2, None, workflow_id=workflow_id))
    server.add(page(3, None, workflow_id=workflow_id))
    server.add(closed(8, workflow_id="x"))
    reader = server.reader()
    found = [each async for each in reader.chain(workflow_id, run_id(1))]
    assert sorted(str(each.run) for each in found if not isinstance(each, Unreadable)) == [
        f"{workflow_id} {run_id(number)}" for number in (1, 2, 3)
    ]


def with_child(recording: Recording, workflow_id: str, number: int, namespace: str = "") -> Recording:
    initiated = recording.add("start_child_workflow_execution_initiated", workflow_id=workflow_id, namespace=namespace)
    recording.add(
        "child_workflow_execution_started",
        initiated_event_id=initiated,
        workflow_execution={"workflow_id": workflow_id, "run_id": run_id(number)},
    )
    return recording


async def test_children_with_one_workflow_id_are_chains_of_their_own() -> None:
    server = MemoryServer()
    parent = Recording(run_id=FIRST)
    for first in (11, 21):
        with_child(parent, "child", first)
        failed = Recording(run_id=run_id(first), workflow_id="child")
        failed.add("workflow_execution_failed", new_execution_run_id=run_id(first + 1))
        server.add(failed)
        chain = {"first_execution_run_id": run_id(first), "continued_execution_run_id": run_id(first)}
        server.add(closed(first + 1, workflow_id="child", **chain))
    server.add(parent)
    server.add(closed(31, workflow_id="child"))  # not started by the parent
    for concurrency in (1, 2, 8):
        assert await numbers(server, children=True, concurrency=concurrency) == [1, 11, 12, 21, 22]


async def test_children_come_with_their_own_chains_and_children() -> None:
    server = MemoryServer()
    parent = Recording(run_id=FIRST)
    with_child(parent, "child", 11)
    with_child(parent, "gone", 31)
    server.add(parent)
    child = Recording(run_id=run_id(11), workflow_id="child")
    with_child(child, "grandchild", 21, namespace="other")
    child.add("workflow_execution_failed", new_execution_run_id=run_id(12))
    server.add(child)
    first = {"first_execution_run_id": run_id(11), "continued_execution_run_id": run_id(11)}
    server.add(closed(12, workflow_id="child", **first))
    # A child may even start its parent's workflow again: it is there already.
    server.add(with_child(closed(21, workflow_id="grandchild"), "wf", 1, namespace="ns"), namespace="other")

    gone = f"gone {run_id(31)}: the server says: no run {run_id(31)}. "
    gone += "Check workflow ID and namespace; a run whose retention is over is gone."
    assert await numbers(server, children=True) == [1, 11, 12, 21, gone]
    assert await numbers(server) == [1]
