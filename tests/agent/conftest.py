"""The local servers: one process each for the whole session, as good as new for each test."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from openai import AsyncOpenAI

from agent.local.control_client import ControlClient
from agent.local.serving import LocalServer

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
async def openai_client(model: LocalServer) -> AsyncIterator[AsyncOpenAI]:
    """The real OpenAI client, on the model server, without retries of its own."""
    async with AsyncOpenAI(base_url=model.url, api_key="none", max_retries=0, timeout=20) as client:
        yield client
