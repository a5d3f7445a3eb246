"""How does a version of a worker deployment become the current one?"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from temporalio.api.enums.v1 import RoutingConfigUpdateState
from temporalio.api.workflowservice.v1 import (
    DescribeWorkerDeploymentRequest,
    SetWorkerDeploymentCurrentVersionRequest,
)
from temporalio.service import RPCError, RPCStatusCode

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from temporalio.client import Client

_POLL_SECONDS: Final = 0.1
_PATIENCE_SECONDS: Final = 60.0
# The server learns of a version, and of its task queues, a moment after its worker polls.
_NOT_YET: Final = (RPCStatusCode.NOT_FOUND, RPCStatusCode.FAILED_PRECONDITION)


async def make_current(client: Client, deployment: str, build_id: str) -> None:
    """Have new runs begin on a version, and move those there that follow the current one.

    Args:
        client: A connected client.
        deployment: The deployment's name.
        build_id: The version's build ID; a worker of it polls.

    Raises:
        TimeoutError: The server does not come to know the version.
        RPCError: It refuses for another reason.
    """
    async with asyncio.timeout(_PATIENCE_SECONDS):
        await _until(lambda: _is_set(client, deployment, build_id))
        await _until(lambda: _has_arrived(client, deployment))


async def _until(holds: Callable[[], Awaitable[bool]]) -> None:
    while True:
        if await holds():
            return
        await asyncio.sleep(_POLL_SECONDS)


async def _is_set(client: Client, deployment: str, build_id: str) -> bool:
    request = SetWorkerDeploymentCurrentVersionRequest(
        namespace=client.namespace, deployment_name=deployment, build_id=build_id, identity=client.identity
    )
    try:
        await client.workflow_service.set_worker_deployment_current_version(request)
    except RPCError as error:
        if error.status in _NOT_YET:
            return False
        raise
    return True


async def _has_arrived(client: Client, deployment: str) -> bool:
    """Whether all task queues have been told; older servers tell them before they answer."""
    request = DescribeWorkerDeploymentRequest(namespace=client.namespace, deployment_name=deployment)
    described = await client.workflow_service.describe_worker_deployment(request)
    state = described.worker_deployment_info.routing_config_update_state
    return state != RoutingConfigUpdateState.ROUTING_CONFIG_UPDATE_STATE_IN_PROGRESS
