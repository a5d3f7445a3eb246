"""Does Temporal answer, and does a worker poll each task queue?"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    DescribeNamespaceRequest,
    DescribeTaskQueueRequest,
    GetSystemInfoRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from tracing.cli.connection import Connection, TemporalUnreachableError
from tracing.cli.findings import Finding

_FRESH_SECONDS: Final = 70.0
"""The server remembers pollers for minutes after they ended; one that lives polls again within a minute."""

_REFUSED: Final = "Check TEMPORAL_NAMESPACE, TEMPORAL_API_KEY and the TEMPORAL_TLS settings."


async def temporal_findings(connection: Connection, task_queues: Sequence[str]) -> list[Finding]:
    """Look at the server, its namespace and these task queues."""
    try:
        address, _ = connection.server()
        client = await connection.connect()
    except TemporalUnreachableError as error:
        found, _, mend = error.message.partition(". ")
        unknown = [
            Finding(_queue_name(queue), "failed", "unknown: Temporal cannot be reached", "Mend Temporal first.")
            for queue in task_queues
        ]
        return [Finding("Temporal", "failed", found, mend), *unknown]
    return [await _server(client, address), *[await _queue(client, queue) for queue in task_queues]]


async def _server(client: Client, address: str) -> Finding:
    try:
        info = await client.workflow_service.get_system_info(GetSystemInfoRequest())
        version = info.server_version or "of unknown version"
        await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=client.namespace))
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return Finding(
                "Temporal",
                "failed",
                f"{address} has no namespace {client.namespace}",
                f"Set TEMPORAL_NAMESPACE, or run `temporal operator namespace create --namespace {client.namespace}`.",
            )
        if error.status is not RPCStatusCode.PERMISSION_DENIED:
            return Finding("Temporal", "failed", f"{address} says: {error.message}", _REFUSED)
        # Somebody may run workflows in a namespace and not describe it.
    return Finding("Temporal", "ok", f"{address}, namespace {client.namespace}, server {version}")


async def _queue(client: Client, queue: str) -> Finding:
    name = _queue_name(queue)
    kinds = {
        "workflow": TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
        "activity": TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
    }
    try:
        pollers = {kind: await _pollers(client, queue, number) for kind, number in kinds.items()}
    except RPCError as error:
        return Finding(name, "failed", f"the server says: {error.message}", _REFUSED)
    identities = sorted({identity for found in pollers.values() for identity in found})
    unpolled = [kind for kind, found in pollers.items() if not found]
    if not identities:
        mend = "Start a worker for it; the research agent's is `python -m agent.research.worker`."
        return Finding(name, "failed", f"no worker polls it in namespace {client.namespace}", mend)
    found = f"polled by {', '.join(identities)}"
    if unpolled:
        # Workers for one kind of task only are legal: the other kind may have its own queue.
        found += f", for {' and '.join(kind for kind in kinds if kind not in unpolled)} tasks only"
    return Finding(name, "ok", found)


async def _pollers(client: Client, queue: str, kind: TaskQueueType.ValueType) -> set[str]:
    request = DescribeTaskQueueRequest(
        namespace=client.namespace, task_queue=TaskQueue(name=queue), task_queue_type=kind
    )
    described = await client.workflow_service.describe_task_queue(request)
    oldest = time.time() - _FRESH_SECONDS
    return {poller.identity for poller in described.pollers if poller.last_access_time.seconds > oldest}


def _queue_name(queue: str) -> str:
    return f"task queue {queue}"
