"""LangGraph: a node fails late, in a graph that is one activity, and in one whose nodes are activities."""

from __future__ import annotations

import uuid
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from temporalio.client import Client

from agent.demo.story import Step, Story, Told
from agent.demo.temporal_runs import TemporalRuns
from agent.demo.watching import completed_by_now, watched
from agent.graph.nodes import SEARCHES
from agent.graph.per_node import NodeByNodeWorkflow, langgraph_plugin
from agent.graph.whole import WholeGraphWorkflow
from agent.graph.worker import TASK_QUEUE
from agent.local.control_client import ControlClient
from agent.local.faults import Fault
from tracing import TracingConfig, TracingPlugin, session

if TYPE_CHECKING:
    from collections.abc import Iterable

    from temporalio.client import WorkflowHandle

    from agent.demo.stage import Stage
    from agent.local.journal import RequestRecord

QUESTION: Final = "What does durable execution cost an AI agent?"
WAYS: Final[dict[str, Any]] = {"one activity": WholeGraphWorkflow, "node by node": NodeByNodeWorkflow}


async def tell(stage: Stage) -> Story:
    """Run the graph both ways, one after the other; each time the search of its last node is refused once."""
    progress, models, searches = stage.progress, stage.control(), ControlClient(stage.search.control)
    client = await Client.connect(stage.temporal.address, plugins=[TracingPlugin(TracingConfig(capture_content=True))])
    with progress.step("Starting worker-1"):
        worker = stage.start_worker("worker-1", module="agent.graph.worker", service="research-graph")
    told: list[Told] = []
    completed: set[Step] = set()
    asked: list[list[RequestRecord]] = []
    for label, way in WAYS.items():
        # As good as new each time: then the same question takes the same tokens.
        await models.reset()
        await searches.reset()
        await searches.arm(Fault(kind="status", status=503, occurrence=SEARCHES + 1))
        with session(id="demo", tags=["demo"]):
            handle: WorkflowHandle[Any, str] = await client.start_workflow(
                way.run, QUESTION, id=f"graph-{uuid.uuid4().hex[:8]}", task_queue=TASK_QUEUE
            )
        run_id = handle.first_execution_run_id
        assert run_id is not None  # this client started the run
        with progress.step(f"Waiting until the last node of {handle.id} fails ({label})") as tick:
            await watched(tick, searches.wait(state="failed"))
        completed |= await completed_by_now(client, handle.id, run_id)
        with progress.step("Waiting for the run to finish") as tick:
            await watched(tick, handle.result())
        asked.append(await models.requests())
        told.append(Told(label, TemporalRuns(stage.temporal.address, handle.id, run_id, (way,), (langgraph_plugin(),))))
    with progress.step("Stopping worker-1, which sends its last spans"):
        worker.stop()
    whole, per_node = asked
    needed, made = Counter(_steps(per_node)), Counter(_steps(whole))
    return Story(
        title="Demo: a LangGraph graph in one activity, and node by node",
        told=told,
        completed=frozenset(completed),
        requests=[*whole, *per_node],
        checks={
            "one activity: when the last node failed, every model call was made again": made == needed + needed,
            "node by node: none was": set(needed.values()) == {1},
        },
        caption="The gap is where the last node failed.",
    )


def _steps(requests: Iterable[RequestRecord]) -> list[str]:
    return [request.asked.step for request in requests]
