"""A team of OpenAI Agents on Temporal: what its trace shows, live and exported, and what a killed worker costs it."""

from __future__ import annotations

import asyncio
import re
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from agents import set_trace_processors
from opentelemetry.instrumentation.genai.openai import OpenAIInstrumentor
from temporalio.client import Client, WorkflowFailureError

from agent.local.control_client import ControlClient
from agent.local.faults import Fault
from agent.local.model_server import model_server
from agent.local.search_server import search_server
from agent.openai_agents.model import agents_plugin, model_client
from agent.openai_agents.worker import build_worker
from agent.openai_agents.workflow import TASK_QUEUE, AgentTeamWorkflow, Answer
from tests.agreement import needed_by
from tests.agreement import written as differences
from tests.e2e.bills import billed
from tests.e2e.live import ON, written
from tracing import OpenAIAgentsProcessor
from tracing import conventions as c
from tracing.cost import account, tallies
from tracing.history import History, read, to_spans
from tracing.replay import replay
from tracing.replay.loading import load_plugin
from tracing.testing import Trace, Traces, capture

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from temporalio.client import WorkflowHandle

    from tracing.spans.model import Span

pytestmark = pytest.mark.e2e

GUIDE = (Path(__file__).parents[2] / "docs" / "agents.md").read_text()
BLOCKS = re.findall(r"^```(?:python|text)\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
REQUESTS = {what: int(number) for what, number in re.findall(r"^\| ([^|]+) \| (\d+)[^|]*\|$", GUIDE, re.MULTILINE)}
"""What the guide says of how many requests the model server gets."""

TOO_MANY = 429
SHOWN = (
    c.SUMMARY,
    c.HANDOFF_FROM,
    c.HANDOFF_TO,
    c.GUARDRAIL,
    c.GUARDRAIL_TRIGGERED,
    c.WORKFLOW_CODE,
)

ANSWER = """\
An introduction defines the terms of “Why do agents crash?”. [1]
One team reports a year of work on “Why do agents crash?”. [2]
Forty teams were asked about “Why do agents crash?”. [3]
A glossary lists the words of “Why do agents crash?”. [4]"""

ANSWERED = """
RunWorkflow:AgentTeamWorkflow SERVER
  StartActivity:invoke_model_activity CLIENT
    temporal.summary: 'Guardrail'
    RunActivity:invoke_model_activity SERVER
      chat gpt-4o-mini CLIENT
  invoke_agent Triage INTERNAL
    durable.workflow_code: 'openai-agents'
    guardrail no_advice INTERNAL
      durable.guardrail.name: 'no_advice'
      durable.guardrail.triggered: False
      durable.workflow_code: 'openai-agents'
      invoke_agent Guardrail INTERNAL
        durable.workflow_code: 'openai-agents'
    handoff Research INTERNAL
      durable.handoff.from: 'Triage'
      durable.handoff.to: 'Research'
      durable.workflow_code: 'openai-agents'
  StartActivity:invoke_model_activity CLIENT
    durable.handoff.to: 'Research'
    temporal.summary: 'Triage'
    RunActivity:invoke_model_activity SERVER
      chat gpt-4o CLIENT
  StartActivity:invoke_model_activity CLIENT
    temporal.summary: 'Research'
    RunActivity:invoke_model_activity SERVER
      chat gpt-4o CLIENT
  invoke_agent Research INTERNAL
    durable.workflow_code: 'openai-agents'
    execute_tool today INTERNAL
      durable.workflow_code: 'openai-agents'
  StartActivity:invoke_model_activity CLIENT
    temporal.summary: 'Research'
    RunActivity:invoke_model_activity SERVER
      chat gpt-4o CLIENT
  StartActivity:find_sources CLIENT
    temporal.summary: 'Find web sources about a question.'
    RunActivity:find_sources SERVER
      execute_tool find_sources INTERNAL
  StartActivity:invoke_model_activity CLIENT
    temporal.summary: 'Research'
    RunActivity:invoke_model_activity SERVER
      chat gpt-4o CLIENT
"""

LIVE_ONLY = {
    "live span": {"guardrail", "handoff", "invoke_agent, in workflow code", "execute_tool, in workflow code"},
    "history attribute": {c.EVENT_IDS},
}
"""What the export of its history lacks, and what it has besides."""

REFUSED = """
RunWorkflow:AgentTeamWorkflow SERVER
  StartActivity:invoke_model_activity CLIENT
    temporal.summary: 'Guardrail'
    RunActivity:invoke_model_activity SERVER
      chat gpt-4o-mini CLIENT
  invoke_agent Triage INTERNAL
    durable.workflow_code: 'openai-agents'
    guardrail no_advice INTERNAL
      durable.guardrail.name: 'no_advice'
      durable.guardrail.triggered: True
      durable.workflow_code: 'openai-agents'
      invoke_agent Guardrail INTERNAL
        durable.workflow_code: 'openai-agents'
"""

FAILED = """
RunWorkflow:AgentTeamWorkflow SERVER ERROR 'Non retryable OpenAI status code: 401'
  error.type: 'APIStatusError'
  * exception
  * exception
  StartActivity:invoke_model_activity CLIENT ERROR 'Non retryable OpenAI status code: 401'
    error.type: 'APIStatusError'
    * exception
    * exception
    RunActivity:invoke_model_activity SERVER ERROR 'Non retryable OpenAI status code: 401'
      error.type: 'APIStatusError'
      * exception
      * exception
      chat gpt-4o-mini CLIENT ERROR 'Error code: 401 - The local server was told to fail.'
        error.type: 'openai.AuthenticationError'
        http.response.status_code: 401
  invoke_agent Triage INTERNAL ERROR 'Error in agent run'
    error.type: '_OTHER'
    guardrail no_advice INTERNAL
      invoke_agent Guardrail INTERNAL ERROR 'Error in agent run'
        error.type: '_OTHER'
"""

LIMITED = """
RunWorkflow:AgentTeamWorkflow SERVER
  temporal.attempt: 1
  StartActivity:invoke_model_activity CLIENT
    RunActivity:invoke_model_activity SERVER ERROR 'Retryable OpenAI status code: 429'
      error.type: 'APIStatusError'
      temporal.attempt: 1
      * exception
      * exception
      chat gpt-4o-mini CLIENT ERROR 'Error code: 429 - The local server was told to fail.'
        error.type: 'openai.RateLimitError'
        http.request.resend_count: 1
        http.response.status_code: 429
    RunActivity:invoke_model_activity SERVER
      temporal.attempt: 2
      chat gpt-4o-mini CLIENT
        http.request.resend_count: 1
        http.response.status_code: 200
  invoke_agent Triage INTERNAL
    guardrail no_advice INTERNAL
      invoke_agent Guardrail INTERNAL
  StartActivity:invoke_model_activity CLIENT
    RunActivity:invoke_model_activity SERVER
      temporal.attempt: 1
      chat gpt-4o CLIENT
"""


@pytest.fixture(autouse=True)
def agents_spans() -> Iterator[None]:
    """What the agents do in workflow code is in our trace, and nowhere else."""
    set_trace_processors([OpenAIAgentsProcessor()])
    yield
    set_trace_processors([])


@pytest.fixture
async def control(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ControlClient]:
    """A model server and a search server, for whatever the agents ask."""
    async with model_server() as model, search_server() as search:
        monkeypatch.setenv("OPENAI_BASE_URL", model.url)
        monkeypatch.setenv("SEARCH_BASE_URL", search.url)
        yield ControlClient(model.control)


@pytest.fixture
def traces() -> Iterator[Traces]:
    """What arrives, with messages."""
    with capture(ON) as traces:
        yield traces


@pytest.fixture
def instrumented(traces: Traces) -> Iterator[None]:
    """The OpenAI client is instrumented, as `configure()` does."""
    instrumentor = OpenAIInstrumentor()
    instrumentor.instrument(tracer_provider=traces.provider)
    yield
    instrumentor.uninstrument()


async def ask(
    address: str, traces: Traces, question: str, *, max_cached_workflows: int = 1000, client_retries: int = 0
) -> tuple[Answer | WorkflowFailureError, Trace, list[Span]]:
    """Ask the team; its answer or its failure, its trace as it came, and the trace that its history gives."""
    async with model_client() as model:
        plugin = agents_plugin(model.with_options(max_retries=client_retries))
        client = await Client.connect(address, plugins=[traces.plugin, plugin])
        async with build_worker(client, max_cached_workflows=max_cached_workflows):
            handle: WorkflowHandle[AgentTeamWorkflow, Answer] = await client.start_workflow(
                AgentTeamWorkflow.run, question, id=f"team-{uuid.uuid4()}", task_queue=TASK_QUEUE
            )
            [answer] = await asyncio.gather(handle.result(), return_exceptions=True)
            assert isinstance(answer, (Answer, WorkflowFailureError))
            trace = await traces.of(handle)
    [history] = read(await handle.fetch_history())
    assert isinstance(history, History)
    return answer, trace, to_spans(history, ON)


async def assert_counted(control: ControlClient, spans: list[Span], *, calls: int) -> None:
    """The account of a trace is what the model server counted: each call once, with its tokens."""
    given = [request.usage for request in await control.requests() if request.usage]
    usage = account(spans).usage
    assert (usage.calls, usage.unknown_cost_calls) == (len(given), 0) == (calls, 0)
    assert (usage.input_tokens, usage.output_tokens, usage.cached_tokens, usage.reasoning_tokens) == (
        sum(each.input_tokens for each in given),
        sum(each.output_tokens for each in given),
        sum(each.cached_tokens for each in given),
        sum(each.reasoning_tokens for each in given),
    )


@pytest.mark.usefixtures("instrumented")
@pytest.mark.parametrize("max_cached_workflows", [1000, 0])
async def test_a_question_is_handed_over_and_answered_from_sources(
    temporal_server: str, traces: Traces, control: ControlClient, max_cached_workflows: int
) -> None:
    """With 0 runs in the cache, each workflow task replays the agents' loop from its start: nothing comes twice."""
    answer, trace, exported = await ask(
        temporal_server, traces, "Why do agents crash?", max_cached_workflows=max_cached_workflows
    )
    assert answer == Answer("Research", ANSWER)
    assert written(trace.spans, *SHOWN) == ANSWERED
    assert differences(needed_by(trace.spans, exported)) == LIVE_ONLY
    for spans in (list(trace.spans), exported):
        await assert_counted(control, spans, calls=REQUESTS["nothing"])
        assert {agent: tally.usage.calls for (agent,), tally in tallies(account(spans), ["summary"]).items()} == {
            "Guardrail": 1,
            "Triage": 1,
            "Research": 3,
            "Find web sources about a question.": 0,
        }
    assert f"{trace.render()}\n" in BLOCKS


@pytest.mark.usefixtures("instrumented")
async def test_a_refused_question_costs_one_cheap_call(
    temporal_server: str, traces: Traces, control: ControlClient
) -> None:
    question = "What pills? I want medical advice."
    answer, trace, exported = await ask(temporal_server, traces, question)
    assert answer == Answer("no_advice", question, refused=True)
    assert written(trace.spans, *SHOWN) == REFUSED
    assert [request.asked.model for request in await control.requests()] == ["gpt-4o-mini"]
    for spans in (list(trace.spans), exported):
        await assert_counted(control, spans, calls=REQUESTS["the guardrail refuses"])


async def test_calls_that_nobody_instrumented_are_recognised(
    temporal_server: str, traces: Traces, control: ControlClient
) -> None:
    _, trace, exported = await ask(temporal_server, traces, "Why do agents crash?")
    for spans in (list(trace.spans), exported):
        assert [span.attributes[c.RECOGNISED] for span in spans if c.RECOGNISED in span.attributes] == 5 * [
            "openai_agents"
        ]
        await assert_counted(control, spans, calls=5)


@pytest.mark.usefixtures("instrumented")
async def test_the_clients_retries_and_temporals_are_told_apart(
    temporal_server: str, traces: Traces, control: ControlClient
) -> None:
    """Three times too many requests: the client sends each attempt's request twice, and Temporal makes two attempts."""
    await control.arm(Fault(kind="status", status=TOO_MANY, retry_after=0.01, times=3))
    _, trace, exported = await ask(temporal_server, traces, "Hello", client_retries=1)
    assert written(trace.spans, c.ATTEMPT, c.HTTP_RESENDS, c.HTTP_STATUS, c.ERROR_TYPE) == LIMITED
    assert differences(needed_by(trace.spans, exported)) == {
        "live span": {"guardrail", "invoke_agent, in workflow code"},
        "history attribute": {c.EVENT_IDS, c.LAST_FAILURE},
    }
    [limited, *_] = account(exported).steps
    asked = [request for request in await control.requests() if request.asked.client_request_id.split("/")[1] == "1"]
    assert [(request.asked.client_request_id[-1], request.status) for request in asked] == [
        ("1", TOO_MANY),
        ("1", TOO_MANY),
        ("2", TOO_MANY),
        ("2", 200),
    ]
    more = "the model's service answers 429 three times, and the client sends each request twice"
    assert sum(request.status == TOO_MANY for request in asked) == REQUESTS[more]
    assert (limited.tries, limited.unknown_attempts) == (2, 0)
    assert limited.amount.known == billed(asked[-1])


async def test_the_guides_client_runs_as_it_stands_there_and_its_runs_replay(
    temporal_server: str, control: ControlClient, capsys: pytest.CaptureFixture[str]
) -> None:
    [client] = [block for block in BLOCKS if "AgentTeamWorkflow.run" in block]
    [setting_up] = [block for block in BLOCKS if "set_trace_processors(" in block]
    exec(compile(setting_up, "the guide's setting up", "exec"), {})
    names: dict[str, Any] = {}
    code = client.replace("localhost:7233", temporal_server).replace("asyncio.run(main())", "")
    exec(compile(code, "the guide's client", "exec"), names)
    async with model_client() as model:
        connected = await Client.connect(temporal_server, plugins=[agents_plugin(model)])
        async with build_worker(connected):
            await names["main"]()
    told = [Answer("Research", ANSWER), Answer("no_advice", "What pills? I want medical advice.", refused=True)]
    assert capsys.readouterr().out == "".join(f"{answer}\n" for answer in told)

    asked = len(await control.requests())
    plugin = load_plugin("agent.openai_agents.model:agents_plugin")
    for number in range(len(told)):
        history = await connected.get_workflow_handle(f"team-{number}").fetch_history()
        replayed = await replay(history, [AgentTeamWorkflow], plugins=[plugin])
        assert (replayed.outcome, replayed.guarded) == ("reproduced", True)
    assert len(await control.requests()) == asked


@pytest.mark.usefixtures("instrumented")
async def test_a_call_that_is_refused_for_good_fails_the_run_at_once(
    temporal_server: str, traces: Traces, control: ControlClient
) -> None:
    await control.arm(Fault(kind="status", status=401))
    failure, trace, exported = await ask(temporal_server, traces, "Hello")
    assert isinstance(failure, WorkflowFailureError)
    assert written(trace.spans, c.HTTP_STATUS, c.ERROR_TYPE) == FAILED
    needed_by(trace.spans, exported)
    assert [request.status for request in await control.requests()] == [401]
