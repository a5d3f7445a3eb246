"""A deep research that goes on in new runs because the server says that its histories grow long."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from temporalio.client import Client, WorkflowHandle

from agent.deep_research.payloads import Research, SubQuestion
from agent.deep_research.worker import build_worker
from agent.deep_research.workflow import PER_RUN, TASK_QUEUE, DeepResearchWorkflow
from agent.local.model_server import model_server
from agent.local.search_server import search_server
from agent.servers.temporal import start_temporal
from tests.e2e.conftest import hermetic
from tests.e2e.live import OFF
from tests.e2e.parity import assert_same
from tracing import conventions as c
from tracing.history import Fetched, Server, to_spans
from tracing.testing import capture

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tracing.spans.model import Span

pytestmark = pytest.mark.e2e

# The second needs the first, so they are two rounds, which one run does where nothing is suggested.
PLAN = [SubQuestion(number, f"Green tea, part {number}", [number - 1] if number > 1 else []) for number in (1, 2)]
RESEARCH = Research("Green tea", PLAN)


async def runs(address: str) -> tuple[Sequence[Span], list[list[Span]]]:
    """Do the research; returns the spans that came live, and those of each run's history."""
    async with model_server() as model, search_server() as search:
        with pytest.MonkeyPatch.context() as environ, capture(OFF) as traces:
            environ.delenv("OPENAI_API_KEY", raising=False)
            environ.setenv("OPENAI_BASE_URL", model.url)
            environ.setenv("SEARCH_BASE_URL", search.url)
            client = await Client.connect(address, plugins=[traces.plugin])
            async with build_worker(client):
                run: WorkflowHandle[DeepResearchWorkflow, str] = await client.start_workflow(
                    DeepResearchWorkflow.run, RESEARCH, id="long", task_queue=TASK_QUEUE
                )
                assert (await run.result()).startswith("# Green tea")
            exported = [
                to_spans(found.history(), OFF)
                async for found in Server(client).chain("long", children=True)
                if isinstance(found, Fetched)
            ]
            return traces.spans, exported


@pytest.mark.parametrize(
    ("limit", "value"),
    [("limit.historyCount.suggestContinueAsNew", 10), ("limit.historySize.suggestContinueAsNew", 2_000)],
)
def test_each_round_has_a_run_where_the_server_suggests_it(tmp_path: Path, limit: str, value: int) -> None:
    assert len(PLAN) < PER_RUN  # by their number, one run would do
    with start_temporal(
        tmp_path, environ=hermetic(), arguments=("--dynamic-config-value", f"{limit}={value}")
    ) as server:
        live, exported = asyncio.run(runs(server.address))

    research = sorted(
        (run[0] for run in exported if run[0].name == "RunWorkflow:DeepResearchWorkflow"), key=lambda span: span.start
    )
    assert [span.attributes[c.RUN_STATUS] for span in research] == ["continued_as_new", "completed"]
    [link] = research[1].links
    assert (link.trace_id, link.span_id) == (research[0].trace_id, research[0].span_id)
    assert_same(live, [span for run in exported for span in run])
