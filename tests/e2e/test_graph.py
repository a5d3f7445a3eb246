"""A LangGraph graph as one activity and node by node: what is done again when it fails late, and what that costs."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import uuid
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.instrumentation.genai.openai import OpenAIInstrumentor
from temporalio.client import Client

from agent.graph.per_node import NodeByNodeWorkflow, langgraph_plugin
from agent.graph.whole import WholeGraphWorkflow
from agent.graph.worker import TASK_QUEUE, build_worker
from agent.local.control_client import ControlClient
from agent.local.faults import Fault
from agent.local.model_server import model_server
from agent.local.search_server import search_server
from tests.cost.writing import written as accounted
from tests.e2e.bills import billed
from tests.e2e.conftest import hermetic
from tests.e2e.live import OFF, written
from tests.e2e.parity import assert_same
from tracing import conventions as c
from tracing.cli import run as command
from tracing.cost import account, compare
from tracing.history import Server, to_spans
from tracing.replay import replay
from tracing.testing import capture
from tracing.tracefile import write_trace

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from temporalio.client import WorkflowHandle, WorkflowHistory

    from agent.local.journal import RequestRecord
    from tracing.replay import Replay
    from tracing.spans.model import Span

pytestmark = pytest.mark.e2e

GUIDE = (Path(__file__).parents[2] / "docs" / "agents.md").read_text()
BLOCKS = re.findall(r"^```python\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
[CLIENT] = [block for block in BLOCKS if "NodeByNodeWorkflow" in block]
ROWS = {name: cells for name, *cells in re.findall(r"^\| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", GUIDE, re.MULTILINE)}
"""The guide's tables: what it says of one activity, and of an activity for each node, by the name of the row."""

QUESTION = "Green tea"
WAYS = (WholeGraphWorkflow, NodeByNodeWorkflow)

REPORT = """\
# Green tea

An introduction defines the terms of “Green tea in practice”. [1]
One team reports a year of work on “Green tea in practice”. [2]
Forty teams were asked about “Green tea in practice”. [3]
A glossary lists the words of “Green tea in practice”. [4]
An introduction defines the terms of “Green tea measured costs”. [5]
One team reports a year of work on “Green tea measured costs”. [6]
Forty teams were asked about “Green tea measured costs”. [7]
A glossary lists the words of “Green tea measured costs”. [8]

## Further reading

On “Green tea”:

1. [Green tea](<https://example.com/green-tea>)
2. [Field report](<https://example.com/green-tea/field-report>)
3. [Survey](<https://example.com/green-tea/survey>)
4. [Glossary](<https://example.com/green-tea/glossary>)
"""

WHOLE = """
RunWorkflow:WholeGraphWorkflow SERVER
  durable.llm.calls: 5
  StartActivity:run_graph CLIENT
    durable.llm.calls: 5
    RunActivity:run_graph SERVER ERROR
      durable.llm.calls: 5
      * exception
      * exception
      invoke_agent planner INTERNAL
        chat gpt-4o CLIENT
      execute_tool search_web INTERNAL
      execute_tool search_web INTERNAL
      invoke_agent writer INTERNAL
        chat gpt-4o CLIENT
      invoke_agent critic INTERNAL
        chat gpt-4o CLIENT
      invoke_agent writer INTERNAL
        chat gpt-4o CLIENT
      invoke_agent critic INTERNAL
        chat gpt-4o CLIENT
      execute_tool search_web INTERNAL ERROR
    RunActivity:run_graph SERVER
      durable.llm.calls: 5
      invoke_agent planner INTERNAL
        chat gpt-4o CLIENT
      execute_tool search_web INTERNAL
      execute_tool search_web INTERNAL
      invoke_agent writer INTERNAL
        chat gpt-4o CLIENT
      invoke_agent critic INTERNAL
        chat gpt-4o CLIENT
      invoke_agent writer INTERNAL
        chat gpt-4o CLIENT
      invoke_agent critic INTERNAL
        chat gpt-4o CLIENT
      execute_tool search_web INTERNAL
"""

PER_NODE = """
RunWorkflow:NodeByNodeWorkflow SERVER
  durable.llm.calls: 5
  StartActivity:research.plan CLIENT
    durable.llm.calls: 1
    RunActivity:research.plan SERVER
      durable.llm.calls: 1
      invoke_agent planner INTERNAL
        chat gpt-4o CLIENT
  StartActivity:research.search CLIENT
    RunActivity:research.search SERVER
      execute_tool search_web INTERNAL
      execute_tool search_web INTERNAL
  StartActivity:research.draft CLIENT
    durable.llm.calls: 1
    RunActivity:research.draft SERVER
      durable.llm.calls: 1
      invoke_agent writer INTERNAL
        chat gpt-4o CLIENT
  StartActivity:research.critique CLIENT
    durable.llm.calls: 1
    RunActivity:research.critique SERVER
      durable.llm.calls: 1
      invoke_agent critic INTERNAL
        chat gpt-4o CLIENT
  StartActivity:research.draft CLIENT
    durable.llm.calls: 1
    RunActivity:research.draft SERVER
      durable.llm.calls: 1
      invoke_agent writer INTERNAL
        chat gpt-4o CLIENT
  StartActivity:research.critique CLIENT
    durable.llm.calls: 1
    RunActivity:research.critique SERVER
      durable.llm.calls: 1
      invoke_agent critic INTERNAL
        chat gpt-4o CLIENT
  StartActivity:research.report CLIENT
    RunActivity:research.report SERVER ERROR
      * exception
      * exception
      execute_tool search_web INTERNAL ERROR
    RunActivity:research.report SERVER
      execute_tool search_web INTERNAL
"""


@dataclass(frozen=True)
class Run:
    """A run whose last node failed once."""

    handle: WorkflowHandle[Any, str]
    report: str
    live: Sequence[Span]
    exported: Sequence[Span]
    history: WorkflowHistory
    requests: Sequence[RequestRecord]

    @property
    def bills(self) -> list[Decimal]:
        """What the model server would bill for each answer, oldest first."""
        return [billed(request) for request in self.requests]


async def _run(client: Client, way: Any) -> WorkflowHandle[Any, str]:
    handle: WorkflowHandle[Any, str] = await client.start_workflow(
        way.run, QUESTION, id=f"graph-{uuid.uuid4()}", task_queue=TASK_QUEUE
    )
    return handle


async def _exported(client: Client, handle: WorkflowHandle[Any, Any]) -> list[Span]:
    server = Server(client)
    return to_spans((await server.fetch(server.run(handle.id, handle.first_execution_run_id))).history(), OFF)


async def _runs(address: str, environ: pytest.MonkeyPatch) -> dict[Any, Run]:
    """Each way once; the last node's search is refused once."""
    runs = {}
    async with model_server() as model, search_server() as search:
        environ.setenv("OPENAI_BASE_URL", model.url)
        environ.setenv("SEARCH_BASE_URL", search.url)
        models, searches = ControlClient(model.control), ControlClient(search.control)
        with capture(OFF) as traces, _instrumented(traces.provider):
            client = await Client.connect(address, plugins=[traces.plugin])
            async with build_worker(client):
                for way in WAYS:
                    # As good as new: then the same question is answered with the same tokens.
                    await models.reset()
                    await searches.arm(Fault(kind="status", status=503, occurrence=3))
                    handle = await _run(client, way)
                    runs[way] = Run(
                        handle=handle,
                        report=await handle.result(),
                        live=(await traces.of(handle)).spans,
                        exported=await _exported(client, handle),
                        history=await handle.fetch_history(),
                        requests=await models.requests(),
                    )
                    await searches.reset()
    return runs


@contextmanager
def _instrumented(provider: Any) -> Iterator[None]:
    instrumentor = OpenAIInstrumentor()
    instrumentor.instrument(tracer_provider=provider)
    try:
        yield
    finally:
        instrumentor.uninstrument()


@pytest.fixture(scope="module")
def runs(temporal_server: str) -> dict[Any, Run]:
    with pytest.MonkeyPatch.context() as environ:
        environ.delenv("OPENAI_API_KEY", raising=False)
        return asyncio.run(_runs(temporal_server, environ))


@pytest.fixture
def whole(runs: dict[Any, Run]) -> Run:
    return runs[WholeGraphWorkflow]


@pytest.fixture
def per_node(runs: dict[Any, Run]) -> Run:
    return runs[NodeByNodeWorkflow]


@pytest.mark.parametrize("way", WAYS)
def test_either_way_the_report_is_the_same(runs: dict[Any, Run], way: Any) -> None:
    assert runs[way].report == REPORT


@pytest.mark.parametrize(("way", "tree"), [(WholeGraphWorkflow, WHOLE), (NodeByNodeWorkflow, PER_NODE)])
def test_the_trace_shows_what_was_done_again(runs: dict[Any, Run], way: Any, tree: str) -> None:
    assert written(runs[way].exported, c.LLM_CALLS) == tree


@pytest.mark.parametrize("way", WAYS)
def test_the_live_trace_and_the_exported_one_are_the_same(runs: dict[Any, Run], way: Any) -> None:
    assert_same(runs[way].live, runs[way].exported)


def test_the_guide_shows_these_traces() -> None:
    shown = [line for line in (WHOLE + PER_NODE).splitlines() if re.match(r" *(Run|Start|invoke|execute)", line)]
    assert "\n".join([*shown, ""]) in re.findall(r"^```text\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)


def test_the_guides_figures_are_of_these_runs(whole: Run, per_node: Run) -> None:
    accounts = [account(run.exported) for run in (whole, per_node)]

    assert ROWS["model calls"] == [f"{run.usage.calls}" for run in accounts]
    assert ROWS["tokens in + out"] == [f"{run.usage.input_tokens:,} + {run.usage.output_tokens:,}" for run in accounts]
    assert ROWS["cost in USD"] == [_usd(run.amount.known) for run in accounts]
    assert ROWS["of it in vain (retry waste)"] == [_usd(run.waste.known) for run in accounts]
    assert ROWS["activities, events in the history"] == [
        f"{len(ours.steps)}, {len(run.history.events)}" for run, ours in zip((whole, per_node), accounts, strict=True)
    ]


async def test_the_guides_client_runs_as_it_stands_there(
    temporal_server: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async with model_server() as model, search_server() as search:
        monkeypatch.setenv("OPENAI_BASE_URL", model.url)
        monkeypatch.setenv("SEARCH_BASE_URL", search.url)
        names: dict[str, Any] = {}
        client = CLIENT.replace("localhost:7233", temporal_server).replace("asyncio.run(main())", "")
        exec(compile(client, "the guide's client", "exec"), names)
        async with build_worker(await Client.connect(temporal_server)):
            await names["main"]()
    assert capsys.readouterr().out == f"{REPORT}\n" * 2


def test_the_whole_graphs_calls_are_all_made_again(whole: Run) -> None:
    assert Counter(request.asked.client_request_id.split("/", 1)[1] for request in whole.requests) == {
        "1/1": 5,
        "1/2": 5,
    }
    assert Counter(request.asked.step for request in whole.requests) == {
        "Plan": 2,
        "Draft 1": 2,
        "Critique 1": 2,
        "Draft 2": 2,
        "Critique 2": 2,
    }


def test_calls_of_nodes_that_are_in_the_history_are_made_once(per_node: Run) -> None:
    assert [
        (request.asked.client_request_id.split("/", 1)[1], request.asked.step) for request in per_node.requests
    ] == [
        ("1/1", "Plan"),
        ("3/1", "Draft 1"),
        ("4/1", "Critique 1"),
        ("5/1", "Draft 2"),
        ("6/1", "Critique 2"),
    ]


def test_waste_is_to_the_cent_what_the_model_server_billed_for_it(whole: Run, per_node: Run) -> None:
    all_of_it, first_attempt = sum(whole.bills), sum(whole.bills[:5])
    of_whole, of_nodes = account(whole.exported), account(per_node.exported)

    assert (of_whole.amount.usd, of_whole.waste.usd) == (all_of_it, first_attempt)
    assert (of_nodes.amount.usd, of_nodes.waste.usd) == (sum(per_node.bills), Decimal(0))
    assert not any(part.at_least for run in (of_whole, of_nodes) for part in (run.amount, run.waste))
    # Asked the same, the model takes the same tokens: the attempt in vain cost as much as all that was needed.
    assert first_attempt == sum(per_node.bills)
    for run, ours in ((whole, of_whole), (per_node, of_nodes)):
        given = [request.usage for request in run.requests]
        assert (ours.usage.calls, ours.usage.input_tokens, ours.usage.output_tokens) == (
            len(given),
            sum(usage.input_tokens for usage in given if usage),
            sum(usage.output_tokens for usage in given if usage),
        )


def test_compare_tells_the_difference(
    whole: Run, per_node: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [str(write_trace(tmp_path, name, run.exported)) for name, run in (("whole", whole), ("per-node", per_node))]

    assert command(["compare", *files, "--json"]) == 0

    told = json.loads(capsys.readouterr().out)
    first, second = told["runs"]
    paid, paid_per_node = sum(whole.bills), sum(per_node.bills)
    assert [(run["llm_calls"], run["cost_usd"], run["retry_waste_usd"]) for run in (first, second)] == [
        (10, float(paid), float(sum(whole.bills[:5]))),
        (5, float(paid_per_node), 0.0),
    ]
    assert (told["difference"]["llm_calls"], told["difference"]["cost_usd"]) == (-5, float(paid_per_node - paid))
    assert told["at_least"] == []
    assert [(step["key"], step["type"], step["state"]) for step in told["steps"]] == [
        ("activity:1", "research.plan", "new"),
        ("activity:2", "research.search", "new"),
        ("activity:3", "research.draft", "new"),
        ("activity:4", "research.critique", "new"),
        ("activity:5", "research.draft", "new"),
        ("activity:6", "research.critique", "new"),
        ("activity:7", "research.report", "new"),
        ("activity:1", "run_graph", "gone"),
    ]


@pytest.mark.parametrize(("way", "steps"), [(WholeGraphWorkflow, 1), (NodeByNodeWorkflow, 7)])
def test_a_replay_takes_all_from_history(runs: dict[Any, Run], way: Any, steps: int) -> None:
    async def replayed() -> Replay:
        recorded = (runs[way].history, runs[way].handle.first_execution_run_id or "")
        return await replay(recorded, [way], plugins=[langgraph_plugin()])

    found = asyncio.run(replayed())
    assert (found.outcome, found.message, len(found.reused_steps)) == ("reproduced", "", steps)


KILLED_WHOLE = """\
activity:1 run_graph: #2 [gpt-4o gpt-4o gpt-4o gpt-4o gpt-4o] missing, {}, waste unknown
= {}, waste unknown, 1 unknown attempts"""

KILLED_PER_NODE = """\
activity:1 research.plan: #1 [gpt-4o], {}, waste 0 USD
activity:2 research.search: #1 [], 0 calls, 0+0 tokens, 0 USD, waste 0 USD
activity:3 research.draft: #1 [gpt-4o], {}, waste 0 USD
activity:4 research.critique: #1 [gpt-4o], {}, waste 0 USD
activity:5 research.draft: #1 [gpt-4o], {}, waste 0 USD
activity:6 research.critique: #2 [gpt-4o] missing, {}, waste unknown
activity:7 research.report: #1 [], 0 calls, 0+0 tokens, 0 USD, waste 0 USD
= {}, waste unknown, 1 unknown attempts"""


async def test_a_worker_that_is_killed_in_the_last_model_call_takes_with_it_what_is_not_in_the_history(
    temporal_server: str, tmp_path: Path
) -> None:
    async with model_server() as model, search_server() as search:
        environ = hermetic(
            TEMPORAL_ADDRESS=temporal_server,
            OTEL_TRACES_EXPORTER="none",
            OPENAI_BASE_URL=model.url,
            SEARCH_BASE_URL=search.url,
        )
        control = ControlClient(model.control)
        client = await Client.connect(temporal_server)
        await control.arm(Fault(kind="hold", contains="# Critique 2", times=2))
        with _worker(environ, tmp_path / "worker-1.log") as worker:
            handles = [await _run(client, way) for way in WAYS]
            await control.wait(2, step="Critique 2", state="received", timeout_s=60)
            worker.kill()
        with _worker(environ, tmp_path / "worker-2.log") as worker:
            assert [await handle.result() for handle in handles] == [REPORT, REPORT]
            worker.terminate()
        of_whole, of_nodes = [account(await _exported(client, handle)) for handle in handles]
        requests = await control.requests()

    made = {
        run.run_id: [request for request in requests if request.asked.client_request_id.startswith(f"{run.run_id}/")]
        for run in (of_whole, of_nodes)
    }
    last = {
        run_id: [request for request in of_run if request.state == "answered"][-5:] for run_id, of_run in made.items()
    }
    assert accounted(of_whole) == KILLED_WHOLE.format(*[_least(last[of_whole.run_id])] * 2)
    assert accounted(of_nodes) == KILLED_PER_NODE.format(
        *(_exactly(request) for request in last[of_nodes.run_id][:4]),
        _least(last[of_nodes.run_id][4:]),
        _least(last[of_nodes.run_id]),
    )
    # What nobody can know from the histories, the model's side has counted.
    compared = [
        compare(run, run, requests=Counter(_step(request) for request in made[run.run_id])).as_json()["waste"][0]
        for run in (of_whole, of_nodes)
    ]
    assert [(waste["key"], waste["requests"], waste["requests_unrecorded"]) for waste in compared] == [
        ("activity:1", 10, 5),
        ("activity:6", 2, 1),
    ]
    assert ROWS["requests at the model server"] == [f"{len(of_run)}" for of_run in made.values()]
    assert ROWS["of these in no history, their cost unknown (*at least*)"] == [
        f"{waste['requests_unrecorded']}" for waste in compared
    ]


@contextmanager
def _worker(environ: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A worker of the graph, as a process, until the block ends."""
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "agent.graph.worker"], env=environ, stdout=out, stderr=subprocess.STDOUT
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _step(request: RequestRecord) -> str:
    return f"activity:{request.asked.client_request_id.split('/')[1]}"


def _exactly(request: RequestRecord) -> str:
    assert request.usage
    return f"1 calls, {request.usage.input_tokens}+{request.usage.output_tokens} tokens, {_usd(billed(request))} USD"


def _least(requests: Sequence[RequestRecord]) -> str:
    given = [request.usage for request in requests if request.usage]
    tokens = f"{sum(usage.input_tokens for usage in given)}+{sum(usage.output_tokens for usage in given)} tokens"
    return f"{len(given)} calls, {tokens}, ≥ {_usd(sum(map(billed, requests), Decimal(0)))} USD"


def _usd(amount: Decimal) -> str:
    return f"{amount.normalize():f}"
