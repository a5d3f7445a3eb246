"""The research agent's spans, live through the real Collector into a real Phoenix, asked back by Phoenix's API."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import uuid
from collections import defaultdict
from typing import TYPE_CHECKING

import pytest
from temporalio.client import Client

from agent.demo.stage import Stage
from agent.research.workflow import TASK_QUEUE, ResearchAgentWorkflow
from agent.servers.phoenix_api import PhoenixReader, PhoenixSpan
from agent.servers.progress import Progress
from tracing import TracingConfig, TracingPlugin, session
from tracing import conventions as c
from tracing.tracefile import read_trace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.e2e.conftest import Eventually

pytestmark = pytest.mark.e2e

IN_PHOENIX = """
RunWorkflow:ResearchAgentWorkflow CHAIN
  StartActivity:call_llm CHAIN
    RunActivity:call_llm CHAIN
      chat gpt-4o LLM 6977+2803 tokens $0.03898625
  StartActivity:search_web CHAIN
    RunActivity:search_web CHAIN
  StartActivity:search_web CHAIN
    RunActivity:search_web CHAIN
  StartActivity:search_web CHAIN
    RunActivity:search_web CHAIN
  StartActivity:call_llm CHAIN
    RunActivity:call_llm CHAIN
      chat gpt-4o LLM 7159+2903 tokens $0.04066375
  StartActivity:call_llm CHAIN
    RunActivity:call_llm CHAIN
      chat gpt-4o LLM 6761+2161 tokens $0.03171625
  StartActivity:call_llm CHAIN
    RunActivity:call_llm CHAIN
      chat gpt-4o LLM 8243+3037 tokens $0.04596875
  StartActivity:call_llm CHAIN
    RunActivity:call_llm CHAIN
      chat gpt-4o LLM 6373+3719 tokens $0.04593625
  StartActivity:generate_report CHAIN
    RunActivity:generate_report CHAIN
"""
"""Tokens are those that the model server gives to these prompts; costs are Phoenix's own computation."""


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with Stage(tmp_path / "stage", Progress(io.StringIO())) as stage:
        yield stage


def tree(spans: list[PhoenixSpan]) -> str:
    children: defaultdict[str | None, list[PhoenixSpan]] = defaultdict(list)
    for span in spans:
        children[span.parent_id].append(span)

    def lines(parent: str | None, depth: int) -> Iterator[str]:
        for span in children[parent]:
            spent = f" {span.prompt_tokens}+{span.completion_tokens} tokens ${span.cost_usd}" if span.cost_usd else ""
            yield f"{'  ' * depth}{span.name} {span.kind}{spent}\n"
            yield from lines(span.span_id, depth + 1)

    return "\n" + "".join(lines(None, 0))


def repair_from(file: Path, phoenix: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tracing.cli", "send", str(file), "--to", "phoenix", "--repair"],
        env={**os.environ, "PHOENIX_COLLECTOR_ENDPOINT": phoenix},
        capture_output=True,
        text=True,
        check=False,
    )


async def test_phoenix_shows_the_whole_run_and_lacks_nothing_of_the_collectors_file(
    stage: Stage, eventually: Eventually
) -> None:
    assert stage.phoenix is not None, "Phoenix is not installed: run `make servers`"
    worker = stage.start_worker("worker-1")
    plugin = TracingPlugin(TracingConfig(capture_content=True))
    client = await Client.connect(stage.temporal.address, plugins=[plugin])
    with session(id="chat-17", user="user-1", tags=["beta"]):
        handle = await client.start_workflow(
            ResearchAgentWorkflow.run, "Is it durable?", id=f"research-{uuid.uuid4()}", task_queue=TASK_QUEUE
        )
    report = await handle.result()
    worker.stop()
    stage.collector.stop()
    live = list(read_trace(stage.collector.traces_file))
    trace_id = f"{live[0].trace_id:032x}"

    with PhoenixReader(stage.phoenix.base_url) as reader:
        # Costs come a moment after the spans.
        eventually(lambda: tree(reader.spans(trace_id)), IN_PHOENIX)
        spans = reader.spans(trace_id)
        ids = reader.span_ids(trace_id)

        root, plan = spans[0], next(span for span in spans if span.kind == "LLM")
        assert root.attributes[c.INPUT_VALUE] == "Is it durable?"
        assert root.attributes[c.OUTPUT_VALUE] == report
        assert plan.attributes["llm.input_messages.1.message.content"] == (
            "# Plan\n\nWrite 3 web search queries that together answer the question.\n\nQuestion: Is it durable?"
        )
        assert plan.attributes["llm.output_messages.0.message.content"] == (
            "Is it durable in practice\nIs it durable measured costs\nIs it durable known limits"
        )
        assert plan.attributes["llm.token_count.prompt_details.cache_read"] == 5189
        assert plan.attributes["llm.token_count.completion_details.reasoning"] == 919
        assert {span.attributes[c.SESSION_ID] for span in spans} == {"chat-17"}
        assert {span.attributes[c.USER_ID] for span in spans} == {"user-1"}
        assert {span.status for span in spans} == {"UNSET"}
        # Phoenix computes each call's cost itself; ours is the same to the last digit.
        assert [(span.name, span.attributes.get(c.COST)) for span in spans if span.cost_usd] == [
            (span.name, span.cost_usd) for span in spans if span.cost_usd
        ]

        sent = repair_from(stage.collector.traces_file, stage.phoenix.base_url)
        assert (sent.returncode, sent.stderr) == (0, "")
        assert sent.stdout.splitlines()[0] == f"0 spans sent to Phoenix; it had {len(live)} already"
        assert reader.span_ids(trace_id) == ids == {f"{span.span_id:016x}" for span in live}
