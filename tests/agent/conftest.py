"""What the agents' tests run against, for the whole session: the local servers, as good as new for each test, and for
the marked ones a Temporal dev server.
"""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from openai import AsyncOpenAI
from temporalio.client import Client
from temporalio.testing import ActivityEnvironment

from agent.local.control_client import ControlClient
from agent.local.serving import LocalServer
from agent.servers.temporal import start_temporal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

ROOT = Path(__file__).parents[2]


@contextmanager
def server_process(module: str) -> Iterator[LocalServer]:
    """Run a local server as a process of its own."""
    with subprocess.Popen([sys.executable, "-m", module], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield LocalServer(**json.loads(process.stdout.readline()))
        finally:
            process.terminate()


@pytest.fixture(scope="session")
def model_process() -> Iterator[LocalServer]:
    """The session's model server."""
    with server_process("agent.local.model_server") as server:
        yield server


@pytest.fixture(scope="session")
def search_process() -> Iterator[LocalServer]:
    """The session's search server."""
    with server_process("agent.local.search_server") as server:
        yield server


@pytest.fixture
async def model_control(model_process: LocalServer) -> ControlClient:
    """What asks and steers the model server, which has been reset."""
    control = ControlClient(model_process.control)
    await control.reset()
    return control


@pytest.fixture
async def search_control(search_process: LocalServer) -> ControlClient:
    """What asks and steers the search server, which has been reset."""
    control = ControlClient(search_process.control)
    await control.reset()
    return control


@pytest.fixture
def model(model_process: LocalServer, model_control: ControlClient) -> LocalServer:  # noqa: ARG001 - resets it
    """A model server, as good as new."""
    return model_process


@pytest.fixture
def search(search_process: LocalServer, search_control: ControlClient) -> LocalServer:  # noqa: ARG001 - resets it
    """A search server, as good as new."""
    return search_process


@pytest.fixture
def services(model: LocalServer, search: LocalServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Send the activities to the local servers, as a user does: by environment variables, without a key."""
    for name in ("OPENAI_API_KEY", "RESEARCH_MODEL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OPENAI_BASE_URL", model.url)
    monkeypatch.setenv("SEARCH_BASE_URL", search.url)


@pytest.fixture
async def openai_client(model: LocalServer) -> AsyncIterator[AsyncOpenAI]:
    """The real OpenAI client, on the model server, without retries of its own."""
    async with AsyncOpenAI(base_url=model.url, api_key="none", max_retries=0, timeout=20) as client:
        yield client


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
