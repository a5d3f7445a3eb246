"""The agent on DBOS, traced live: killed and recovered, then forked."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from agent.demo.pairs import paired
from agent.local.control_client import ControlClient
from agent.local.faults import Fault
from agent.local.model_server import model_server
from agent.local.search_server import search_server
from agent.servers.locate import ServerNotFoundError
from agent.servers.postgresql import find_postgresql, postgresql
from tests.e2e.conftest import hermetic
from tests.rendering import render
from tracing import conventions as c
from tracing.cli import run as command
from tracing.cost import account, compare
from tracing.tracefile import read_trace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.local.journal import RequestRecord
    from agent.servers.collector import Collector
    from tests.e2e.conftest import CollectorFactory, Eventually
    from tracing.spans.model import Span

pytestmark = pytest.mark.e2e

KILLED_AT = "Synthesis 2 of 3"
"""What the request asks that is not answered when its process is killed: step 6."""

RECOVERED = """
RunWorkflow:DurableAgent.research_and_report SERVER
  StartActivity:DurableAgent.call_llm CLIENT (1)
    RunActivity:DurableAgent.call_llm SERVER (1)
      chat gpt-4o CLIENT (1)
  StartActivity:DurableAgent.search_web CLIENT (2)
    RunActivity:DurableAgent.search_web SERVER (2)
  StartActivity:DurableAgent.search_web CLIENT (3)
    RunActivity:DurableAgent.search_web SERVER (3)
  StartActivity:DurableAgent.search_web CLIENT (4)
    RunActivity:DurableAgent.search_web SERVER (4)
  StartActivity:DurableAgent.call_llm CLIENT (5)
    RunActivity:DurableAgent.call_llm SERVER (5)
      chat gpt-4o CLIENT (5)
  StartActivity:DurableAgent.call_llm CLIENT (6)
    RunActivity:DurableAgent.call_llm SERVER (6)
      chat gpt-4o CLIENT (6)
  StartActivity:DurableAgent.call_llm CLIENT (7)
    RunActivity:DurableAgent.call_llm SERVER (7)
      chat gpt-4o CLIENT (7)
  StartActivity:DurableAgent.call_llm CLIENT (8)
    RunActivity:DurableAgent.call_llm SERVER (8)
      chat gpt-4o CLIENT (8)
  StartActivity:DurableAgent.format_report CLIENT (9)
    RunActivity:DurableAgent.format_report SERVER (9)
"""
"""The trace of two processes; of what the second one replayed, nothing is in it twice."""


@pytest.fixture
def database(tmp_path: Path) -> Iterator[str]:
    """URL of a database that DBOS may make: on PostgreSQL where that is installed. The demo runs on SQLite."""
    try:
        find_postgresql()
    except ServerNotFoundError:
        yield f"sqlite:///{tmp_path / 'agent.sqlite'}"
        return
    with postgresql() as url:
        yield f"{url}/agent"


@dataclass
class Agents:
    """Starts the agent, each time as a process of its own."""

    settings: dict[str, str]

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "agent.dbos_agent.run", *arguments],
            env=hermetic(**self.settings),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    async def run(self, *arguments: str) -> str:
        process = self.start(*arguments)
        printed, said = await asyncio.to_thread(process.communicate, timeout=120)
        assert (process.returncode, said) == (0, "")
        return printed


class Exporter(Protocol):
    def __call__(self, database: str) -> dict[str, list[Span]]: ...


@pytest.fixture
def exported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Exporter:
    """Exports the workflows of a database: the spans of each, by workflow ID."""

    def export(database: str) -> dict[str, list[Span]]:
        monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "SPAN_ONLY")
        assert command(["export", "--dbos", database, "-o", str(tmp_path / "traces"), "--json"]) == 0
        printed = capsys.readouterr()
        assert printed.err == ""
        runs = json.loads(printed.out)["exported"]
        return {run["workflow_id"]: list(read_trace(Path(run["files"][0]))) for run in runs}

    return export


def agents(database: str, model: str, search: str, collector: Collector) -> Agents:
    return Agents(
        {
            "DBOS_SYSTEM_DATABASE_URL": database,
            "OPENAI_BASE_URL": model,
            "SEARCH_BASE_URL": search,
            "OTEL_SERVICE_NAME": "researcher",
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.otlp_http,
            "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY",
        }
    )


def sent_steps(collector: Collector) -> set[object]:
    """Numbers of the steps whose spans have arrived."""
    found = read_trace(collector.traces_file) if collector.traces_file.exists() else ()
    return {span.attributes[c.ACTIVITY_ID] for span in found if span.name.startswith("StartActivity:")}


async def test_the_agent_is_killed_recovered_and_forked(
    database: str,
    collector: CollectorFactory,
    eventually: Eventually,
    exported: Exporter,
) -> None:
    backend = collector()
    async with model_server() as model, search_server() as search:
        control = ControlClient(model.control)
        start = agents(database, model.url, search.url, backend)
        question = ("Is it durable?", "--id", "base", "--session", "chat-17", "--user", "ada", "--tag", "demo")

        await control.arm(Fault(kind="hold", contains=KILLED_AT))
        first = start.start(*question)
        await control.wait(step=KILLED_AT, timeout_s=60)
        await asyncio.to_thread(eventually, lambda: sent_steps(backend), {"1", "2", "3", "4", "5"})
        first.kill()
        await asyncio.to_thread(first.communicate)
        await control.wait(step=KILLED_AT, state="disconnected")

        report = await start.run(*question)
        assert await start.run("--fork-from", "base", "--step", "7", "--id", "fork") == report
        requests = await control.requests()
    asked = [request.asked.client_request_id for request in requests]
    assert asked == [
        *("base/1/1", "base/5/1", "base/6/1", "base/6/1", "base/7/1", "base/8/1"),
        *("fork/7/1", "fork/8/1"),
    ]

    backend.stop()
    traces = exported(database)
    base, fork = traces["base"], traces["fork"]
    assert tree(base) == RECOVERED

    live = list(read_trace(backend.traces_file))
    assert len({span.span_id for span in live}) == len(live), "a span came twice"
    reused = [span for span in fork if span.attributes.get(c.REUSED)]
    assert [span.attributes[c.ACTIVITY_ID] for span in reused] == ["1", "2", "3", "4", "5", "6"]
    assert different(live, [span for span in (*base, *fork) if span not in reused]) == []

    for spans in (base, fork):
        told = spans[0].attributes
        assert (told[c.SESSION_ID], told[c.USER_ID], told[c.TAGS]) == ("chat-17", "ada", ("demo",))
    of_base, of_fork = account(base), account(fork)
    assert spent(of_base) == given(requests, "base")
    assert spent(of_fork) == given(requests, "fork")
    # What the killed process asked for is unknown, and which step that was.
    assert [step.key for step in of_base.steps if step.unknown_attempts] == ["activity:6"]
    assert of_fork.unknown_attempts == 0
    comparison = compare(of_base, of_fork)
    assert [step.state for step in comparison.steps] == ["reused"] * 6 + ["executed"] * 3


def tree(spans: list[Span]) -> str:
    lines = render(spans, only=(c.ACTIVITY_ID,), times=False).splitlines()
    shown: list[str] = []
    for line in lines:
        if line.strip().startswith(c.ACTIVITY_ID):
            shown[-1] += " ({})".format(line.split("'")[1])
        else:
            shown.append(line)
    return "\n" + "\n".join(shown) + "\n"


def different(live: list[Span], exported: list[Span]) -> list[tuple[str, list[str]]]:
    """What is on one side only, or not the same on both."""
    sides = {(True, False): ["live only"], (False, True): ["exported only"]}
    found = []
    for pair in paired(live, exported):
        span = pair.live or pair.exported
        assert span is not None
        differences = sides.get((pair.live is not None, pair.exported is not None), pair.differences)
        found.append((span.name, differences))
    return [each for each in found if each[1]]


def spent(told: Any) -> tuple[int, int, int]:
    return told.usage.calls, told.usage.input_tokens, told.usage.output_tokens


def given(requests: list[RequestRecord], workflow_id: str) -> tuple[int, int, int]:
    """Calls and tokens of the answers that the model server gave a workflow."""
    usages = [
        request.usage
        for request in requests
        if request.asked.client_request_id.startswith(f"{workflow_id}/") and request.state == "answered"
    ]
    known = [usage for usage in usages if usage is not None]
    return len(known), sum(usage.input_tokens for usage in known), sum(usage.output_tokens for usage in known)
