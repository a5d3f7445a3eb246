"""A workflow that does everything a workflow can ask for, one thing after the other, and who drives it from outside."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import nexusrpc
import nexusrpc.handler
from temporalio import activity, workflow
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.nexus.v1 import EndpointSpec, EndpointTarget
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, CreateNexusEndpointRequest
from temporalio.client import Client, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.common import RetryPolicy, SearchAttributeKey
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import Worker

with workflow.unsafe.imports_passed_through():
    from tests.e2e.live_workflows import Waiting, ask_model, classify, flaky

SOON = timedelta(milliseconds=10)
SHORT = timedelta(seconds=60)
TOPIC = SearchAttributeKey.for_keyword("Topic")
ENDPOINT = "archive"


@dataclass
class Task:
    """What `Complete` is given."""

    question: str
    other: str
    page: int = 1


@nexusrpc.service
class Archive:
    """A Nexus service."""

    find: nexusrpc.Operation[str, str]


@nexusrpc.handler.service_handler(service=Archive)
class ArchiveHandler:
    """Its handler."""

    @nexusrpc.handler.sync_operation
    async def find(self, _context: nexusrpc.handler.StartOperationContext, topic: str) -> str:
        return topic.upper()


@activity.defn
async def look_up_locally(topic: str) -> str:
    """A local activity without a model call."""
    return topic.upper()


@activity.defn
async def ask_locally(topic: str) -> str:
    """A local activity with a model call."""
    return ask_model(topic)


@activity.defn
async def patient() -> None:
    """Waits until it is cancelled."""
    while True:
        activity.heartbeat()
        await asyncio.sleep(0.01)


@workflow.defn
class Helper:
    """A child: says hello to its parent when that is ready, and works when it is told to."""

    def __init__(self) -> None:
        self._ready = self._go = False

    @workflow.run
    async def run(self, parent: str) -> str:
        await workflow.wait_condition(lambda: self._ready)
        await workflow.get_external_workflow_handle(parent).signal(Complete.hello, "I am here")
        await workflow.wait_condition(lambda: self._go)
        return await workflow.execute_activity(classify, "helping", start_to_close_timeout=SHORT)

    @workflow.signal
    def ready(self) -> None:
        self._ready = True

    @workflow.signal
    def go(self) -> None:
        self._go = True


@workflow.defn
class Complete:
    """Everything that a workflow can ask for."""

    def __init__(self) -> None:
        self._hello = False
        self._answers: list[str] = []
        self._finish = False

    @workflow.run
    async def run(self, task: Task) -> list[str]:
        if task.page > 1:
            return ["the last page"]
        self._never = asyncio.create_task(workflow.sleep(3600))
        await self._compute(task)
        await self._others(task)
        await self._cancel()
        await self._answer()
        return workflow.continue_as_new(Task(task.question, task.other, task.page + 1))

    async def _compute(self, task: Task) -> None:
        if workflow.patched("polite"):
            workflow.upsert_memo({"polite": True})
        workflow.upsert_search_attributes([TOPIC.value_set("cats")])
        await workflow.execute_activity(classify, task.question, start_to_close_timeout=SHORT, summary="Ask the model")
        await workflow.execute_local_activity(look_up_locally, "cats", start_to_close_timeout=SHORT)
        await workflow.execute_local_activity(ask_locally, "dogs", start_to_close_timeout=SHORT)
        await workflow.execute_activity(
            flaky,
            "birds",
            start_to_close_timeout=SHORT,
            retry_policy=RetryPolicy(initial_interval=SOON, maximum_attempts=3),
        )
        await workflow.sleep(SOON, summary="A rest")

    async def _others(self, task: Task) -> None:
        info = workflow.info()
        child = await workflow.start_child_workflow(Helper.run, info.workflow_id, id=f"{info.workflow_id}/helper")
        hello = asyncio.create_task(workflow.wait_condition(lambda: self._hello, timeout=3600))
        await child.signal(Helper.ready)
        await hello
        await child.signal(Helper.go)
        await child
        await workflow.start_child_workflow(
            Waiting.run,
            id=f"{info.workflow_id}/detached",
            parent_close_policy=workflow.ParentClosePolicy.ABANDON,
        )
        other = workflow.get_external_workflow_handle(task.other)
        await other.signal(Waiting.note, "hello, other")
        await other.cancel()
        try:
            await workflow.get_external_workflow_handle(f"{info.workflow_id}/nobody").signal("note")
        except ApplicationError:
            self._answers.append("nobody there")
        archive = workflow.create_nexus_client(endpoint=ENDPOINT, service=Archive)
        await archive.execute_operation(Archive.find, "cats", schedule_to_close_timeout=SHORT)

    async def _cancel(self) -> None:
        handle = workflow.start_activity(
            patient,
            start_to_close_timeout=SHORT,
            heartbeat_timeout=timedelta(seconds=2),
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        )
        await workflow.sleep(SOON)
        handle.cancel()
        try:
            await handle
        except ActivityError:
            self._answers.append("cancelled")

    async def _answer(self) -> None:
        workflow.upsert_memo({"stage": "answering"})
        await workflow.wait_condition(lambda: self._finish)

    @workflow.signal
    def hello(self, _text: str) -> None:
        self._hello = True

    @workflow.signal
    def finish(self) -> None:
        self._finish = True

    @workflow.query
    def progress(self) -> list[str]:
        return self._answers

    @workflow.update
    async def ask(self, question: str) -> str:
        return await workflow.execute_activity(classify, question, start_to_close_timeout=SHORT)

    @ask.validator
    def check(self, question: str) -> None:
        if not question:
            raise ApplicationError("there is no question", type="NoQuestion")


WORKFLOWS = [Complete, Helper, Waiting]
ACTIVITIES: list[Callable[..., Any]] = [classify, flaky, look_up_locally, ask_locally, patient]


def worker(client: Client, task_queue: str, **options: Any) -> Worker:
    """A worker of all this."""
    return Worker(
        client,
        task_queue=task_queue,
        workflows=WORKFLOWS,
        activities=ACTIVITIES,
        max_heartbeat_throttle_interval=timedelta(milliseconds=50),
        **{"identity": "worker-1", **options},
    )


def nexus_worker(client: Client) -> Worker:
    """A worker of the Nexus service, on the one task queue that the endpoint names."""
    return Worker(client, task_queue=ENDPOINT, nexus_service_handlers=[ArchiveHandler()])


async def prepare(client: Client) -> None:
    """Give the namespace what the workflow needs: a search attribute, a Nexus endpoint."""
    try:
        await client.operator_service.add_search_attributes(
            AddSearchAttributesRequest(
                namespace=client.namespace,
                search_attributes={"Topic": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD},
            )
        )
    except RPCError as error:
        if error.status != RPCStatusCode.ALREADY_EXISTS:
            raise
    target = EndpointTarget(worker=EndpointTarget.Worker(namespace=client.namespace, task_queue=ENDPOINT))
    try:
        await client.operator_service.create_nexus_endpoint(
            CreateNexusEndpointRequest(spec=EndpointSpec(name=ENDPOINT, target=target))
        )
    except RPCError as error:
        if error.status != RPCStatusCode.ALREADY_EXISTS:
            raise


async def start(client: Client, workflow_id: str, task_queue: str) -> WorkflowHandle[Any, list[str]]:
    """Start the workflow, and the other one that it signals and cancels."""
    other = f"{workflow_id}/other"
    await client.start_workflow(Waiting.run, id=other, task_queue=task_queue)
    task = Task("Why?", other)
    return await client.start_workflow(
        Complete.run, task, id=workflow_id, task_queue=task_queue, task_timeout=timedelta(seconds=2)
    )


async def drive(client: Client, handle: WorkflowHandle[Any, list[str]]) -> list[str]:
    """Do what the workflow waits for, and let its detached child end."""
    run = client.get_workflow_handle(handle.id, run_id=handle.result_run_id)
    while (await (await run.describe()).memo()).get("stage") != "answering":  # noqa: ASYNC110 - memos tell nobody
        await asyncio.sleep(0.05)
    with contextlib.suppress(WorkflowUpdateFailedError):
        await run.execute_update(Complete.ask, "")
    await run.execute_update(Complete.ask, "Really?")
    await run.query(Complete.progress)
    await run.signal(Complete.finish)
    result = await handle.result()
    detached = client.get_workflow_handle(f"{handle.id}/detached")
    await detached.signal(Waiting.finish)
    await detached.result()
    return result
