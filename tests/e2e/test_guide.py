"""The agent of docs/live.md runs as it stands there, its test passes, and its trace is the one that is shown."""

from __future__ import annotations

import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from tests.e2e.conftest import hermetic
from tracing import conventions as c
from tracing import session
from tracing.testing import capture

pytestmark = pytest.mark.e2e

GUIDE = (Path(__file__).parents[2] / "docs" / "live.md").read_text()
PYTHON = re.findall(r"^```python\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
[AGENT] = [block for block in PYTHON if "class Agent" in block]
[TEST] = [block for block in PYTHON if "async def test_" in block]
[GATE] = [block for block in PYTHON if "class Gate" in block]
[GATE_TRACE] = re.findall(r"^```text\n(RunWorkflow:Gate.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
[TRACE] = re.findall(r"^```text\n(RunWorkflow:Agent.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def agents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, temporal_server: str) -> Path:
    """The guide's agent as a module `my_agent`, for the test's own server."""
    file = tmp_path / "my_agent.py"
    file.write_text(AGENT.replace("localhost:7233", temporal_server))
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "my_agent", raising=False)
    return file


def test_the_agent_runs_as_it_stands_there(agents: Path) -> None:
    environ = hermetic(OTEL_TRACES_EXPORTER="none", PHOENIX_COLLECTOR_ENDPOINT="http://127.0.0.1:6006")
    ran = subprocess.run(
        [sys.executable, str(agents)], env=environ, capture_output=True, text=True, timeout=120, check=False
    )
    address, result = ran.stdout.splitlines()
    assert re.fullmatch(r"http://127\.0\.0\.1:6006/redirects/traces/[0-9a-f]{32}", address)
    assert result == "all about cats"


@pytest.mark.usefixtures("agents")
async def test_its_trace_is_the_one_that_is_shown(temporal_server: str) -> None:
    module: Any = import_module("my_agent")
    with capture() as traces, ThreadPoolExecutor() as threads:
        client = await Client.connect(temporal_server, plugins=[traces.plugin])
        handle = await client.start_workflow(module.Agent.run, "cats", id="guide-1", task_queue="guide")
        # There before the worker is: so the signal comes with the first workflow task.
        await handle.signal(module.Agent.approve)
        async with Worker(
            client, task_queue="guide", workflows=[module.Agent], activities=[module.answer], activity_executor=threads
        ):
            await handle.result()
        trace = await traces.of(handle)
    assert f"{trace.render()}\n" == TRACE


@pytest.mark.usefixtures("agents")
async def test_its_own_test_passes(temporal_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def start_local() -> WorkflowEnvironment:
        return WorkflowEnvironment.from_client(await Client.connect(temporal_server))

    # The SDK would download a server.
    monkeypatch.setattr(WorkflowEnvironment, "start_local", start_local)
    names: dict[str, Any] = {}
    exec(compile(TEST, "the guide's test", "exec"), names)
    await names["test_the_agent_asks_the_model_once"]()


async def test_its_gate_says_who_answered(
    temporal_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gates.py").write_text(GATE)
    monkeypatch.syspath_prepend(str(tmp_path))
    module: Any = import_module("gates")
    with capture() as traces:
        client = await Client.connect(temporal_server, plugins=[traces.plugin])
        async with Worker(client, task_queue="gates", workflows=[module.Gate]):
            handle = await client.start_workflow(module.Gate.run, id="gate-1", task_queue="gates")
            async for event in handle.fetch_history_events(wait_new_event=True):
                if event.HasField("timer_started_event_attributes"):
                    break
            with session(user="ada"):
                await handle.signal(module.Gate.approve, "ada")
            assert await handle.result() == "approved by ada"
        trace = await traces.of(handle)
    [answer] = [span for span in trace.spans if span.name == "HandleSignal:approve"]
    link = f"trace {answer.trace_id:032x} span {answer.span_id:016x}"
    assert f"{trace.render(*c.WAIT_KEYS)}\n".replace(link, answer.name) == GATE_TRACE
