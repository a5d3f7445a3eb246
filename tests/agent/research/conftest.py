"""What the research agent's tests run against: the local servers, and for the marked ones a Temporal dev server."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from temporalio.client import Client
from temporalio.testing import ActivityEnvironment

from agent.servers.temporal import start_temporal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.local.serving import LocalServer


@pytest.fixture
def services(model: LocalServer, search: LocalServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Send the activities to the local servers, as a user does: by environment variables, without a key."""
    for name in ("OPENAI_API_KEY", "RESEARCH_MODEL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OPENAI_BASE_URL", model.url)
    monkeypatch.setenv("SEARCH_BASE_URL", search.url)


@pytest.fixture
def attempt(services: None) -> ActivityEnvironment:  # noqa: ARG001 - sets the environment
    """An attempt of an activity: the first of activity 5 in run `run`, with 20 seconds of time."""
    environment = ActivityEnvironment()
    environment.info = dataclasses.replace(
        environment.info, activity_id="5", workflow_run_id="run", start_to_close_timeout=timedelta(seconds=20)
    )
    return environment


@pytest.fixture(scope="session")
def temporal_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the session's Temporal server listens: a dev server, unless `TEMPORAL_ADDRESS` names one."""
    with start_temporal(tmp_path_factory.mktemp("temporal")) as server:
        yield server.address


@pytest.fixture
async def temporal(temporal_address: str) -> Client:
    """A client of the Temporal server."""
    return await Client.connect(temporal_address)
