"""A deep research whose client is the guide's: its traces, live and exported, and its account."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace
from opentelemetry.instrumentation.genai.openai import OpenAIInstrumentor
from temporalio.client import Client

from agent.deep_research.worker import build_worker
from agent.local.control_client import ControlClient
from agent.local.model_server import model_server
from agent.local.search_server import search_server
from tests.e2e.bills import billed
from tests.e2e.live import OFF
from tests.e2e.parity import assert_same
from tests.rendering import render
from tracing import conventions as c
from tracing.cost import account, join
from tracing.history import Fetched, Server, to_spans
from tracing.testing import capture

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from agent.local.journal import RequestRecord
    from tracing.spans.model import Span

pytestmark = pytest.mark.e2e

GUIDE = (Path(__file__).parents[2] / "docs" / "agents.md").read_text()
BLOCKS = re.findall(r"^```python\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
[CLIENT] = [block for block in BLOCKS if "DeepResearchWorkflow" in block]

SECOND_RUN = """\
RunWorkflow:DeepResearchWorkflow SERVER
  StartChildWorkflow:SubQuestionWorkflow CLIENT
    RunWorkflow:SubQuestionWorkflow SERVER
      StartActivity:ask_model CLIENT
        RunActivity:ask_model SERVER
          chat gpt-4o CLIENT
      StartActivity:search_web CLIENT
        RunActivity:search_web SERVER
          execute_tool search_web INTERNAL
      StartActivity:ask_model CLIENT
        RunActivity:ask_model SERVER
          chat gpt-4o CLIENT
      StartActivity:calculate CLIENT
        RunActivity:calculate SERVER
          execute_tool calculate INTERNAL
      StartActivity:ask_model CLIENT
        RunActivity:ask_model SERVER
          chat gpt-4o CLIENT
  StartActivity:ask_model CLIENT
    RunActivity:ask_model SERVER
      chat gpt-4o CLIENT
  StartActivity:generate_report CLIENT
    RunActivity:generate_report SERVER
"""


@dataclass(frozen=True)
class Research:
    """What a research left."""

    printed: str
    live: Sequence[Span]
    exported: Sequence[Sequence[Span]]
    requests: Sequence[RequestRecord]

    def runs(self, workflow_type: str) -> list[Sequence[Span]]:
        """The exported runs of a type, in the order they began."""
        return [run for run in self.exported if run[0].name == f"RunWorkflow:{workflow_type}"]


async def _research(address: str, environ: pytest.MonkeyPatch) -> Research:
    async with model_server() as model, search_server() as search:
        environ.setenv("OPENAI_BASE_URL", model.url)
        environ.setenv("SEARCH_BASE_URL", search.url)
        printed: list[str] = []
        with capture(OFF) as traces, _instrumented(traces.provider):
            code = CLIENT.replace("localhost:7233", address).replace("asyncio.run(main())", "")
            code = code.replace("from tracing import TracingPlugin\n", "")
            names: dict[str, Any] = {"TracingPlugin": lambda: traces.plugin, "print": printed.append}
            exec(compile(code, "the guide's client", "exec"), names)
            client = await Client.connect(address, plugins=[traces.plugin])
            async with build_worker(client):
                await names["main"]()
            exported = []
            async for fetched in Server(client).chain("green-tea", children=True):
                assert isinstance(fetched, Fetched)
                exported.append(to_spans(fetched.history(), OFF))
            return Research(
                printed=printed[0],
                live=traces.spans,
                exported=sorted(exported, key=lambda run: run[0].start),
                requests=await ControlClient(model.control).requests(),
            )


@contextmanager
def _instrumented(provider: Any) -> Iterator[None]:
    instrumentor = OpenAIInstrumentor()
    instrumentor.instrument(tracer_provider=provider)
    try:
        yield
    finally:
        instrumentor.uninstrument()


@pytest.fixture(scope="module")
def research(temporal_server: str) -> Research:
    with pytest.MonkeyPatch.context() as environ:
        environ.delenv("OPENAI_API_KEY", raising=False)
        return asyncio.run(_research(temporal_server, environ))


def test_the_guides_client_runs_as_it_stands_there(research: Research) -> None:
    tokens = sum(request.usage.total_tokens for request in research.requests if request.usage)

    assert research.printed.startswith(f"4 sub-questions, {tokens:,} tokens\n\n# Green tea\n\nAn introduction defines")


def test_the_guide_shows_the_trace_of_the_second_run_linked_to_the_first(research: Research) -> None:
    first, second = research.runs("DeepResearchWorkflow")
    trace = [span for run in research.exported for span in run if span.trace_id == second[0].trace_id]
    [link] = second[0].links

    assert f"{render([replace(span, links=()) for span in trace], only=(), times=False)}\n" == SECOND_RUN
    assert (link.trace_id, link.span_id) == (first[0].trace_id, first[0].span_id)
    assert SECOND_RUN in re.findall(r"^```text\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)


def test_children_are_in_their_parents_trace_and_all_runs_in_one_session(research: Research) -> None:
    first, second = research.runs("DeepResearchWorkflow")
    children = research.runs("SubQuestionWorkflow")

    assert Counter(child[0].trace_id for child in children) == {first[0].trace_id: 3, second[0].trace_id: 1}
    assert sorted(str(child[0].attributes[c.WORKFLOW_ID]) for child in children) == [
        "green-tea/1",
        "green-tea/2",
        "green-tea/3",
        "green-tea/4",
    ]
    assert {span.attributes[c.SESSION_ID] for run in research.exported for span in run} == {"green-tea"}


def test_the_live_traces_and_the_exported_ones_are_the_same(research: Research) -> None:
    assert_same(
        research.live,
        [span for run in research.exported for span in run],
        only_live={"HandleQuery:progress": 1},  # the client's, at the end
    )


def test_the_account_of_all_runs_is_to_the_cent_what_the_model_server_bills(research: Research) -> None:
    whole = join([account(run) for run in research.exported])

    assert (whole.usage.calls, len(whole.joined)) == (len(research.requests), 6)
    assert whole.amount.usd == sum(billed(request) for request in research.requests)
    assert (whole.waste.usd, whole.amount.at_least) == (Decimal(0), False)
