"""Fetching from a server: which run is it really?"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from tests.history.recording import BASE_RUN_ID, RUN_ID, Recording
from tracing.history import fetch

if TYPE_CHECKING:
    from temporalio.client import Client, WorkflowHistory


@dataclass
class Server:
    """Knows the runs of one workflow by run ID, the latest last; answers as the SDK's client does."""

    runs: dict[str, Recording]
    namespace: str = "ns"
    asked: list[str | None] = field(default_factory=list)

    def get_workflow_handle(self, workflow_id: str, *, run_id: str | None = None) -> Handle:
        assert workflow_id == "wf"
        self.asked.append(run_id)
        return Handle(self, run_id or list(self.runs)[-1])


@dataclass
class Handle:
    server: Server
    run_id: str

    async def describe(self) -> Handle:
        return self

    async def fetch_history(self) -> WorkflowHistory:
        return self.server.runs[self.run_id].sdk()


def _server() -> Server:
    # A reset run's first event is a copy and names the base run.
    return Server({BASE_RUN_ID: Recording(run_id=BASE_RUN_ID), RUN_ID: Recording(run_id=BASE_RUN_ID)})


async def _fetch(server: Server, **run: Any) -> tuple[str, str, str]:
    history = await fetch(cast("Client", server), "wf", **run)
    return history.namespace, history.workflow_id, history.run_id


async def test_the_latest_run_is_asked_who_it_is() -> None:
    server = _server()
    assert await _fetch(server) == ("ns", "wf", RUN_ID)
    assert server.asked == [None, RUN_ID]


async def test_a_run_that_is_named_is_fetched_at_once() -> None:
    server = _server()
    assert await _fetch(server, run_id=BASE_RUN_ID) == ("ns", "wf", BASE_RUN_ID)
    assert server.asked == [BASE_RUN_ID]
