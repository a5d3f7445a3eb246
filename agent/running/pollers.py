"""Does any worker poll a task queue?"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.service import RPCError

if TYPE_CHECKING:
    from temporalio.client import Client

# The server remembers pollers for minutes after they ended; one that lives polls again within a minute.
_FRESH_SECONDS = 70.0


async def is_polled(client: Client, task_queue: str) -> bool:
    """Whether a worker polls a task queue for workflow tasks; true where the server will not say."""
    request = DescribeTaskQueueRequest(
        namespace=client.namespace,
        task_queue=TaskQueue(name=task_queue),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    )
    try:
        described = await client.workflow_service.describe_task_queue(request)
    except RPCError:
        return True
    return any(time.time() - poller.last_access_time.seconds < _FRESH_SECONDS for poller in described.pollers)
