"""A worker of the research agent is killed with SIGKILL: what is made twice, what is lost, and what brings it back."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import uuid
from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from temporalio.client import Client, WorkflowHandle

from agent.demo.pairs import paired
from agent.demo.stage import CONTENT, Stage
from agent.demo.stories.research import tell
from agent.demo.temporal_runs import TemporalRuns
from agent.local.faults import Fault
from agent.research.workflow import TASK_QUEUE, ResearchAgentWorkflow
from agent.servers.progress import Progress
from tests.rendering import render
from tracing import conventions as c
from tracing.cost import account, compare
from tracing.tracefile import read_trace

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tracing.spans.model import Span

pytestmark = pytest.mark.e2e

WHOLE_TRACE = """
RunWorkflow:ResearchAgentWorkflow SERVER
  StartActivity:call_llm CLIENT (1)
    RunActivity:call_llm SERVER attempt 1 on worker-1
      chat gpt-4o CLIENT
  StartActivity:search_web CLIENT (2)
    RunActivity:search_web SERVER attempt 1 on worker-1
  StartActivity:search_web CLIENT (3)
    RunActivity:search_web SERVER attempt 1 on worker-1
  StartActivity:search_web CLIENT (4)
    RunActivity:search_web SERVER attempt 1 on worker-1
  StartActivity:call_llm CLIENT (5)
    RunActivity:call_llm SERVER attempt 1 on worker-1
      chat gpt-4o CLIENT
  StartActivity:call_llm CLIENT (6)
    RunActivity:call_llm SERVER attempt 2 on worker-2
      chat gpt-4o CLIENT
  StartActivity:call_llm CLIENT (7)
    RunActivity:call_llm SERVER attempt 1 on worker-2
      chat gpt-4o CLIENT
  StartActivity:call_llm CLIENT (8)
    RunActivity:call_llm SERVER attempt 1 on worker-2
      chat gpt-4o CLIENT
  StartActivity:generate_report CLIENT (9)
    RunActivity:generate_report SERVER attempt 1 on worker-2
"""
"""The run's whole trace, whichever worker made it; the attempt of activity 6 that died is no span: it has no times."""


def tree(spans: list[Span]) -> str:
    """The trace, with step, attempt and worker in each span's own line."""
    named = [
        replace(span, name=span.name + _told(span), attributes={c.ACTIVITY_ID: span.attributes.get(c.ACTIVITY_ID, "")})
        for span in spans
    ]
    lines = render([replace(span, events=()) for span in named], only=(), times=False)
    # The renderer writes the kind behind the name.
    return "\n" + re.sub(r"(?m)^( *\S+(?: gpt-4o)?)( .+)? ([A-Z]+)$", r"\1 \3\2", lines) + "\n"


def _told(span: Span) -> str:
    if c.ATTEMPT in span.attributes and c.ACTIVITY_TYPE in span.attributes:
        return f" attempt {span.attributes[c.ATTEMPT]} on {span.attributes[c.WORKER_IDENTITY]}"
    return f" ({span.attributes[c.ACTIVITY_ID]})" if c.ACTIVITY_TYPE in span.attributes else ""


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """Temporal, the Collector, the model and search servers, and workers as processes."""
    with Stage(tmp_path / "stage", Progress(io.StringIO()), with_phoenix=False) as stage:
        yield stage


async def start(stage: Stage) -> WorkflowHandle[ResearchAgentWorkflow, str]:
    client = await Client.connect(stage.temporal.address)
    return await client.start_workflow(
        ResearchAgentWorkflow.run, "Is it durable?", id=f"research-{uuid.uuid4()}", task_queue=TASK_QUEUE
    )


async def requests(stage: Stage) -> Counter[str]:
    """Requests at the model server, by activity ID."""
    return Counter(r.asked.client_request_id.split("/")[1] for r in await stage.control().requests())


async def answers(stage: Stage, attempts: Mapping[str, int]) -> dict[str, Decimal]:
    """What the model server would bill for the answer to an attempt of each activity, at the prices of gpt-4o."""
    bills: dict[str, Decimal] = {}
    for request in await stage.control().requests():
        _, activity_id, attempt = request.asked.client_request_id.split("/")
        if int(attempt) == attempts[activity_id]:
            usage = request.usage
            assert usage is not None
            fresh = usage.input_tokens - usage.cached_tokens
            millionths = fresh * Decimal("2.5") + usage.cached_tokens * Decimal("1.25") + usage.output_tokens * 10
            bills[activity_id] = millionths / 1_000_000
    return bills


def export(stage: Stage, workflow_id: str, folder: Path) -> list[Span]:
    """Export a run in a process of its own, which knows nothing but the server's address."""
    done = subprocess.run(
        [sys.executable, "-m", "tracing.cli", "export", "--workflow-id", workflow_id, "-o", str(folder)],
        env={"TEMPORAL_ADDRESS": stage.temporal.address, **CONTENT},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return list(read_trace(folder))


async def finish(
    stage: Stage, handle: WorkflowHandle[ResearchAgentWorkflow, str], folder: Path
) -> tuple[list[Span], list[Span]]:
    """Let a second worker finish the run; live spans as the Collector got them, and exported ones without these."""
    worker = stage.start_worker("worker-2")
    await handle.result()
    worker.stop()
    stage.collector.stop()
    live = list(read_trace(stage.collector.traces_file))
    stage.collector.traces_file.unlink()
    return live, export(stage, handle.id, folder)


def assert_live_is_exported(live: list[Span], exported: list[Span]) -> None:
    assert live
    assert [
        (pair.live.name, "not exported" if pair.exported is None else pair.differences)
        for pair in paired(live, exported)
        if pair.live and (pair.exported is None or pair.differences)
    ] == []


@pytest.mark.parametrize("fault", ["hold", "hold_end"])
async def test_a_kill_inside_a_model_call_makes_one_more_request_and_it_is_named_as_waste(
    stage: Stage, tmp_path: Path, fault: str
) -> None:
    """`hold`: the model has the request. `hold_end`: it has answered and billed, and the worker has no answer yet."""
    control = stage.control()
    await control.arm(Fault(kind="hold" if fault == "hold" else "hold_end", contains="# Synthesis 2 of 3"))
    worker = stage.start_worker("worker-1")
    handle = await start(stage)
    await control.wait(step="Synthesis 2 of 3", state="received" if fault == "hold" else "answered")
    worker.kill()
    live, exported = await finish(stage, handle, tmp_path / "exported")

    assert await requests(stage) == {"1": 1, "5": 1, "6": 2, "7": 1, "8": 1}
    assert_live_is_exported(live, exported)
    assert tree(exported) == WHOLE_TRACE
    # The live spans of what worker-1 did had not been sent yet.
    assert {span.span_id for span in live} < {span.span_id for span in exported}

    run = account(exported)
    [wasted] = [step for step in run.steps if step.unknown_attempts]
    assert (wasted.key, len(wasted.attempts), wasted.missing_attempts) == ("activity:6", 1, 1)
    assert run.waste.at_least
    assert run.amount.at_least
    assert run.usage.calls == 5

    # By hand, from what the model server counted: what each step's answer cost, and once more what steps 1 and 5 cost,
    # which a program begun again from nothing would have paid for twice.
    paid = await answers(stage, {"1": 1, "5": 1, "6": 2, "7": 1, "8": 1})
    comparison = compare(run, run)
    assert run.amount.known == sum(paid.values())
    assert [point.completed for point in comparison.recoveries] == [
        ("activity:1", "activity:2", "activity:3", "activity:4", "activity:5")
    ]
    assert comparison.counterfactual.known == sum(paid.values()) + paid["1"] + paid["5"]
    assert (comparison.counterfactual.at_least, comparison.retry_waste.usd) == (True, None)


async def test_a_kill_between_steps_makes_no_request_twice(stage: Stage, tmp_path: Path) -> None:
    """As the demo does it: killed as soon as the second model call's completion is in the history."""
    story = await tell(stage)
    stage.collector.stop()
    live = list(read_trace(stage.collector.traces_file))
    stage.collector.traces_file.unlink()
    [told] = story.told
    assert isinstance(told.source, TemporalRuns)
    exported = export(stage, told.source.workflow_id, tmp_path / "exported")

    counted = story.requests_of()
    assert {step.activity_id for step in story.completed} == {"1", "2", "3", "4", "5"}
    assert [counted[step] for step in sorted(story.completed)] == [1, 0, 0, 0, 1]
    assert_live_is_exported(live, exported)
    assert {span.attributes[c.ACTIVITY_ID] for span in exported if c.ACTIVITY_ID in span.attributes} == set("123456789")
