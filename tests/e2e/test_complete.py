"""Everything that a workflow can ask for, as one trace: cached, uncached, killed at each task, from its histories."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import uuid
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from temporalio.client import Client

from tests.agreement import entry, needed_by
from tests.agreement import written as written_down
from tests.e2e import complete
from tests.e2e.conftest import hermetic
from tests.e2e.gates import SECONDS
from tests.e2e.live import OFF, VOLATILE
from tests.rendering import REPEATED, render
from tracing import conventions as c
from tracing.history import History, read, to_spans
from tracing.testing import Trace, capture
from tracing.tracefile.missing import missing

if TYPE_CHECKING:
    from temporalio.client import WorkflowHandle

    from tests.e2e.conftest import RecordingBackend
    from tracing.spans.model import Span

pytestmark = pytest.mark.e2e

LLM = {key for key in c.REFERENCE if key.startswith(("durable.llm.", "durable.cost.", "langfuse.", "llm."))}
HIDDEN = REPEATED | VOLATILE | LLM | {c.BUILD_ID, c.HEARTBEATS, c.TASK_QUEUE, c.WORKER_IDENTITY, c.MAX_ATTEMPTS}
LIVE_ONLY = Counter({"HandleUpdate:ask": 1, "HandleQuery:progress": 1, "RunStartNexusOperationHandler:Archive/find": 1})
"""A query, an update that its validator refused, and a Nexus handler leave no event."""


def written(spans: tuple[Span, ...], workflow_id: str) -> str:
    """The trace without what is another in each run."""
    names = {workflow_id: "ID", **{str(span.attributes.get(c.UPDATE_ID)): "UPDATE" for span in spans}}
    names |= {str(span.attributes.get(c.TARGET_RUN_ID)): "RUN" for span in spans}
    names |= {f"{span.trace_id:032x} span {span.span_id:016x}": span.name for span in spans}
    names.pop("None", None)
    shown = [span for span in spans if not span.name.startswith("chat ")]
    return f"\n{render(shown, hide=HIDDEN, times=False, names=names)}\n"


async def histories(client: Client, workflow_id: str, run_id: str) -> list[History]:
    """The histories of the run and of its children, which are in its trace."""
    found = []
    for each, known in ((workflow_id, run_id), (f"{workflow_id}/helper", ""), (f"{workflow_id}/detached", "")):
        handle = client.get_workflow_handle(each, run_id=known or None)
        real = known or (await handle.describe()).run_id
        [history] = read((await handle.fetch_history(), real))
        assert isinstance(history, History)
        found.append(history)
    return found


async def complete_trace(address: str, **worker: Any) -> tuple[Trace, list[Span], str]:
    """Run it: the live trace, the exported one, and the workflow ID."""
    queue = f"complete-{uuid.uuid4()}"
    with capture(OFF) as traces:
        client = await Client.connect(address, plugins=[traces.plugin])
        await complete.prepare(client)
        async with complete.worker(client, queue, **worker), complete.nexus_worker(client):
            handle = await complete.start(client, f"complete-{uuid.uuid4()}", queue)
            assert await complete.drive(client, handle) == ["the last page"]
        trace = await traces.of(str(handle.first_execution_run_id))
        exported = [
            span
            for history in await histories(client, handle.id, str(handle.first_execution_run_id))
            for span in to_spans(history, OFF)
        ]
    return trace, exported, handle.id


DIFFERENCES = {
    "live span": {
        "HandleQuery",
        "HandleUpdate, refused by its validator",
        "RunStartNexusOperationHandler",
    },
    "history attribute": {c.EVENT_IDS, c.LAST_FAILURE, c.UNRECORDED},
    "history event": {"UpsertWorkflowSearchAttributes, of TemporalChangeVersion, beside a patch"},
}
"""What only one reader can know of this run; all of it is on the reference's list."""

TASKS = 18
"""Workflow tasks of the first run; with luck in the timing there is one more."""

SHAPE = Counter(
    {
        "RunActivity:ask_locally > chat gpt-4o": 1,
        "RunActivity:classify > chat gpt-4o": 3,
        "RunActivity:flaky > chat gpt-4o": 2,
        "RunWorkflow:Complete": 1,
        "RunWorkflow:Complete > HandleSignal:finish": 1,
        "RunWorkflow:Complete > HandleSignal:hello": 1,
        "RunWorkflow:Complete > HandleUpdate:ask": 1,
        "RunWorkflow:Complete > RequestCancelExternalWorkflow": 1,
        "RunWorkflow:Complete > SignalChildWorkflow:go": 1,
        "RunWorkflow:Complete > SignalChildWorkflow:ready": 1,
        "RunWorkflow:Complete > SignalExternalWorkflow:note": 2,
        "RunWorkflow:Complete > StartActivity:ask_locally": 1,
        "RunWorkflow:Complete > StartActivity:classify": 2,
        "RunWorkflow:Complete > StartActivity:flaky": 1,
        "RunWorkflow:Complete > StartActivity:look_up_locally": 1,
        "RunWorkflow:Complete > StartActivity:patient": 1,
        "RunWorkflow:Complete > StartChildWorkflow:Helper": 1,
        "RunWorkflow:Complete > StartChildWorkflow:Waiting": 1,
        "RunWorkflow:Complete > StartNexusOperation:Archive/find": 1,
        "RunWorkflow:Complete > Timer": 4,
        "RunWorkflow:Helper > HandleSignal:go": 1,
        "RunWorkflow:Helper > HandleSignal:ready": 1,
        "RunWorkflow:Helper > SignalExternalWorkflow:hello": 1,
        "RunWorkflow:Helper > StartActivity:classify": 1,
        "RunWorkflow:Waiting > HandleSignal:finish": 1,
        "StartActivity:ask_locally > RunActivity:ask_locally": 1,
        "StartActivity:classify > RunActivity:classify": 3,
        "StartActivity:flaky > RunActivity:flaky": 2,
        "StartActivity:look_up_locally > RunActivity:look_up_locally": 1,
        "StartChildWorkflow:Helper > RunWorkflow:Helper": 1,
        "StartChildWorkflow:Waiting > RunWorkflow:Waiting": 1,
    }
)

TRACE = """
RunWorkflow:Complete SERVER
  temporal.attempt: 1
  temporal.run.status: 'continued_as_new'
  * MarkerRecorded
    temporal.marker.name: 'core_patch'
    temporal.patch.id: 'polite'
  * WorkflowPropertiesModified
    temporal.changed_keys: ('polite',)
  * UpsertWorkflowSearchAttributes
    temporal.changed_keys: ('Topic',)
  * WorkflowPropertiesModified
    temporal.changed_keys: ('stage',)
  StartActivity:classify CLIENT
    temporal.activity.type: 'classify'
    temporal.attempts: 1
    temporalActivityID: '1'
    RunActivity:classify SERVER
      temporal.activity.type: 'classify'
      temporal.attempt: 1
      temporalActivityID: '1'
  Timer INTERNAL
    durable.unclosed: True
    temporal.timer.id: '1'
    temporal.timer.timeout: 3600.0
  StartActivity:flaky CLIENT
    temporal.activity.type: 'flaky'
    temporal.attempts: 2
    temporalActivityID: '4'
    RunActivity:flaky SERVER ERROR
      error.type: 'Unlucky'
      temporal.activity.type: 'flaky'
      temporal.attempt: 1
      temporalActivityID: '4'
      * exception
        exception.type: 'Unlucky'
    RunActivity:flaky SERVER
      temporal.activity.type: 'flaky'
      temporal.attempt: 2
      temporalActivityID: '4'
  StartActivity:look_up_locally CLIENT
    temporal.activity.type: 'look_up_locally'
    temporal.attempts: 1
    temporal.local: True
    temporalActivityID: '2'
    RunActivity:look_up_locally SERVER
      temporal.activity.type: 'look_up_locally'
      temporal.attempt: 1
      temporal.local: True
      temporalActivityID: '2'
  StartActivity:ask_locally CLIENT
    temporal.activity.type: 'ask_locally'
    temporal.attempts: 1
    temporal.local: True
    temporalActivityID: '3'
    RunActivity:ask_locally SERVER
      temporal.activity.type: 'ask_locally'
      temporal.attempt: 1
      temporal.local: True
      temporalActivityID: '3'
  Timer INTERNAL
    temporal.timer.id: '2'
    temporal.timer.timeout: 0.01
  StartChildWorkflow:Helper CLIENT
    temporal.target.run_id: 'RUN'
    temporal.target.workflow_id: 'ID/helper'
    temporal.target.workflow_type: 'Helper'
    RunWorkflow:Helper SERVER
      temporal.attempt: 1
      temporal.run.status: 'completed'
      HandleSignal:ready SERVER
        temporal.signal.name: 'ready'
        -> trace SignalChildWorkflow:ready
      SignalExternalWorkflow:hello CLIENT
        temporal.signal.name: 'hello'
        temporal.target.workflow_id: 'ID'
      HandleSignal:go SERVER
        temporal.signal.name: 'go'
        -> trace SignalChildWorkflow:go
      StartActivity:classify CLIENT
        temporal.activity.type: 'classify'
        temporal.attempts: 1
        temporalActivityID: '1'
        RunActivity:classify SERVER
          temporal.activity.type: 'classify'
          temporal.attempt: 1
          temporalActivityID: '1'
  SignalChildWorkflow:ready CLIENT
    temporal.signal.name: 'ready'
    temporal.target.workflow_id: 'ID/helper'
  Timer INTERNAL
    temporal.timer.canceled: True
    temporal.timer.id: '3'
    temporal.timer.timeout: 3600.0
  HandleSignal:hello SERVER
    temporal.signal.name: 'hello'
    -> trace SignalExternalWorkflow:hello
  SignalChildWorkflow:go CLIENT
    temporal.signal.name: 'go'
    temporal.target.workflow_id: 'ID/helper'
  StartChildWorkflow:Waiting CLIENT
    durable.unclosed: True
    temporal.target.run_id: 'RUN'
    temporal.target.workflow_id: 'ID/detached'
    temporal.target.workflow_type: 'Waiting'
    RunWorkflow:Waiting SERVER
      temporal.attempt: 1
      temporal.run.status: 'completed'
      HandleSignal:finish SERVER
        temporal.signal.name: 'finish'
  SignalExternalWorkflow:note CLIENT
    temporal.signal.name: 'note'
    temporal.target.workflow_id: 'ID/other'
  RequestCancelExternalWorkflow CLIENT
    temporal.target.workflow_id: 'ID/other'
  SignalExternalWorkflow:note CLIENT ERROR
    error.type: 'EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND'
    temporal.signal.name: 'note'
    temporal.target.workflow_id: 'ID/nobody'
    * exception
      exception.type: 'EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND'
  StartNexusOperation:Archive/find CLIENT
    temporal.nexus.endpoint: 'archive'
    temporal.nexus.operation: 'find'
    temporal.nexus.service: 'Archive'
    RunStartNexusOperationHandler:Archive/find SERVER
      temporal.nexus.operation: 'find'
      temporal.nexus.service: 'Archive'
  StartActivity:patient CLIENT
    error.type: 'CanceledError'
    temporal.activity.type: 'patient'
    temporal.retry_state: 'CANCEL_REQUESTED'
    temporalActivityID: '5'
    RunActivity:patient SERVER
      error.type: 'CanceledError'
      temporal.activity.type: 'patient'
      temporal.attempt: 1
      temporalActivityID: '5'
  Timer INTERNAL
    temporal.timer.id: '4'
    temporal.timer.timeout: 0.01
  HandleUpdate:ask SERVER ERROR
    error.type: 'NoQuestion'
    temporal.update.id: 'UPDATE'
    temporal.update.name: 'ask'
    * exception
      exception.type: 'NoQuestion'
  HandleUpdate:ask SERVER
    temporal.update.id: 'UPDATE'
    temporal.update.name: 'ask'
  StartActivity:classify CLIENT
    temporal.activity.type: 'classify'
    temporal.attempts: 1
    temporalActivityID: '6'
    RunActivity:classify SERVER
      temporal.activity.type: 'classify'
      temporal.attempt: 1
      temporalActivityID: '6'
  HandleQuery:progress SERVER
    temporal.query.name: 'progress'
  HandleSignal:finish SERVER
    temporal.signal.name: 'finish'
"""


@pytest.mark.parametrize("cached", [1_000, 0], ids=["cached", "uncached"])
async def test_all_of_it_is_one_trace_and_its_histories_make_the_same(temporal_server: str, cached: int) -> None:
    trace, exported, workflow_id = await complete_trace(temporal_server, max_cached_workflows=cached)
    assert written(trace.spans, workflow_id) == TRACE
    from_history = {span.span_id: span for span in exported}
    live_only = Counter(span.name for span in trace.spans if span.span_id not in from_history)
    assert live_only == LIVE_ONLY
    assert written_down(needed_by(trace.spans, exported)) == DIFFERENCES


async def test_killed_at_each_workflow_task_nothing_is_there_twice_and_repair_completes_it(
    temporal_server: str, recording_backend: RecordingBackend
) -> None:
    recording_backend.start()
    with capture(OFF) as traces:
        client = await Client.connect(temporal_server, plugins=[traces.plugin])
        await complete.prepare(client)
        two_at_a_time = asyncio.Semaphore(2)
        async with complete.nexus_worker(client):
            killed = await asyncio.gather(
                *(
                    killed_run(client, temporal_server, recording_backend.url, task, two_at_a_time)
                    for task in range(1, TASKS + 1)
                )
            )
    # Events that come together make one workflow task of two, so that a run may end before its worker is to die.
    assert sum(dead for _, dead in killed) >= TASKS - 4
    runs = [handle for handle, _ in killed]
    live = {(span.trace_id, span.span_id): span for span in traces.spans}
    sent = Counter([*of_dead_workers(recording_backend), *((span.trace_id, span.span_id) for span in traces.spans)])
    assert {key for key, count in sent.items() if count > 1} == set()
    for handle in runs:
        exported = [
            span
            for history in await histories(client, handle.id, str(handle.first_execution_run_id))
            for span in to_spans(history, OFF)
        ]
        trace_id = exported[0].trace_id
        known = {span_id for trace, span_id in sent if trace == trace_id}
        repaired = known | {span.span_id for span in missing(exported, known)}
        # All that the histories tell, and of what they do not tell only what nobody but a worker can know.
        assert {span.span_id for span in exported} <= repaired
        only_live = repaired - {span.span_id for span in exported}
        names = {live[trace_id, span_id].name for span_id in only_live if (trace_id, span_id) in live}
        assert all(entry("span", name.partition(":")[0], "live") for name in names)
        assert names <= {*LIVE_ONLY, "RunActivity:patient"}
        assert shape(exported) == SHAPE


def shape(spans: list[Span]) -> Counter[str]:
    """How often each span is there, and below what. An activity that was cancelled may have had no attempt by then."""
    names = {span.span_id: span.name for span in spans}
    named = (f"{names[span.parent_id]} > {span.name}" if span.parent_id in names else span.name for span in spans)
    return Counter(name for name in named if not name.endswith("RunActivity:patient"))


async def killed_run(
    client: Client, address: str, endpoint: str, task: int, two_at_a_time: asyncio.Semaphore
) -> tuple[WorkflowHandle[Any, Any], bool]:
    """A run whose first worker dies in the workflow task of a number, and whose second one finishes it.

    Returns:
        Its handle, and whether the worker died.
    """
    queue = f"complete-{uuid.uuid4()}"
    arguments = [sys.executable, "-m", "tests.e2e.complete_worker", address, queue, endpoint, str(task)]
    async with two_at_a_time:
        first = await asyncio.create_subprocess_exec(*arguments, env=hermetic(), stderr=subprocess.DEVNULL)
        dying = asyncio.create_task(first.wait())
        try:
            handle = await complete.start(client, f"killed-{task}-{uuid.uuid4()}", queue)
            driving = asyncio.create_task(complete.drive(client, handle))
            done, _ = await asyncio.wait({dying, driving}, timeout=2 * SECONDS, return_when=asyncio.FIRST_COMPLETED)
            assert done
        finally:
            if first.returncode is None:
                first.kill()
                await first.wait()
    if dying in done:
        async with complete.worker(client, queue, sticky_queue_schedule_to_start_timeout=timedelta(seconds=1)):
            await driving
    assert await driving == ["the last page"]
    return handle, dying in done


def of_dead_workers(backend: RecordingBackend) -> list[tuple[int, int]]:
    """Trace and span IDs that arrived from the processes."""
    return [
        (int.from_bytes(span.trace_id, "big"), int.from_bytes(span.span_id, "big"))
        for request in backend.requests
        for resource in ExportTraceServiceRequest.FromString(request.body).resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]
