"""What can be set on a worker's command line, or by variable?"""

from __future__ import annotations

import argparse
import contextlib
import math
import os
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, TypedDict

from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.worker import WorkerDeploymentConfig

from agent.running.listening import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MAX_CACHED_WORKFLOWS: Final = 1000
GRACEFUL_SHUTDOWN_SECONDS: Final = 10.0
STICKY_TIMEOUT: Final = timedelta(seconds=3)
"""After this time the tasks of a killed worker's cached workflows go to the other workers."""

HEALTH_HOST: Final = "WORKER_HEALTH_HOST"
HEALTH_PORT: Final = "WORKER_HEALTH_PORT"
GRACEFUL_SHUTDOWN: Final = "WORKER_GRACEFUL_SHUTDOWN_SECONDS"
# As Temporal's Worker Controller for Kubernetes sets them.
DEPLOYMENT_NAME: Final = "TEMPORAL_DEPLOYMENT_NAME"
BUILD_ID: Final = "TEMPORAL_WORKER_BUILD_ID"

VARIABLES: Final = (HEALTH_HOST, HEALTH_PORT, GRACEFUL_SHUTDOWN, DEPLOYMENT_NAME, BUILD_ID)
"""The variables that a worker reads here. Those of Temporal, OpenTelemetry and `tracing` are read by them."""

_LARGEST_PORT: Final = 65_535


class WorkerOptions(TypedDict, total=False):
    """Arguments of `temporalio.worker.Worker` that are the same for every agent, and those that its command sets."""

    identity: str | None
    max_cached_workflows: int
    graceful_shutdown_timeout: timedelta
    sticky_queue_schedule_to_start_timeout: timedelta
    deployment_config: WorkerDeploymentConfig | None


@dataclass(frozen=True)
class RunOptions:
    """How a worker is run.

    Attributes:
        worker: The worker's own options.
        health_host: The address of this machine where probes are answered.
        health_port: The port for it; 0 takes a free one, None is no endpoint.
    """

    worker: WorkerOptions
    health_host: str
    health_port: int | None


def read_options(
    description: str, argv: Sequence[str] | None = None, environ: Mapping[str, str] | None = None
) -> RunOptions:
    """Read a worker's command line; what it does not say is taken from variables.

    Args:
        description: What `--help` says of the worker.
        argv: The arguments; the process's own by default.
        environ: The variables; the process's own by default.

    Raises:
        SystemExit: An argument is wrong (2), or help was asked for (0).
    """
    environ = os.environ if environ is None else environ
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--identity", help="the worker's name in histories (default: process ID and host name)")
    parser.add_argument(
        "--max-cached-workflows",
        type=int,
        metavar="N",
        default=MAX_CACHED_WORKFLOWS,
        help="how many runs stay in memory (default: %(default)s); with 0 every workflow task replays its run",
    )
    parser.add_argument(
        "--graceful-shutdown-timeout",
        type=_seconds,
        metavar="SECONDS",
        default=environ.get(GRACEFUL_SHUTDOWN) or GRACEFUL_SHUTDOWN_SECONDS,
        help="time for running activities to end after a stop signal; then they are cancelled, and Temporal runs them "
        f"again elsewhere (default: %(default)s; {GRACEFUL_SHUTDOWN})",
    )
    parser.add_argument(
        "--health-port",
        type=_port,
        metavar="PORT",
        default=environ.get(HEALTH_PORT) or None,
        help=f"answer /livez and /readyz on this port; 0 takes a free one (default: no endpoint; {HEALTH_PORT})",
    )
    parser.add_argument(
        "--health-host",
        metavar="ADDRESS",
        default=environ.get(HEALTH_HOST) or LOOPBACK,
        help=f"the address to answer them on (default: %(default)s; {HEALTH_HOST})",
    )
    parser.add_argument(
        "--deployment-name",
        metavar="NAME",
        default=environ.get(DEPLOYMENT_NAME) or None,
        help=f"the worker deployment that this worker belongs to (default: none; {DEPLOYMENT_NAME})",
    )
    parser.add_argument(
        "--build-id",
        metavar="ID",
        default=environ.get(BUILD_ID) or None,
        help=f"the deployment's version that this worker is; runs stay on the version that began them ({BUILD_ID})",
    )
    read = parser.parse_args(argv)
    if bool(read.deployment_name) != bool(read.build_id):
        parser.error("worker versioning needs both --deployment-name and --build-id")
    worker = WorkerOptions(
        identity=read.identity,
        max_cached_workflows=read.max_cached_workflows,
        graceful_shutdown_timeout=timedelta(seconds=read.graceful_shutdown_timeout),
        sticky_queue_schedule_to_start_timeout=STICKY_TIMEOUT,
        deployment_config=_deployment(read.deployment_name, read.build_id),
    )
    return RunOptions(worker, read.health_host, read.health_port)


def _deployment(name: str | None, build_id: str | None) -> WorkerDeploymentConfig | None:
    if not name or not build_id:
        return None
    return WorkerDeploymentConfig(
        version=WorkerDeploymentVersion(deployment_name=name, build_id=build_id),
        use_worker_versioning=True,
        # For workflows that do not say it themselves.
        default_versioning_behavior=VersioningBehavior.PINNED,
    )


def _seconds(text: str) -> float:
    with contextlib.suppress(ValueError):
        if 0 <= (seconds := float(text)) < math.inf:
            return seconds
    raise argparse.ArgumentTypeError(f"{text} is no time in seconds")


def _port(text: str) -> int:
    with contextlib.suppress(ValueError):
        if 0 <= (port := int(text)) <= _LARGEST_PORT:
            return port
    raise argparse.ArgumentTypeError(f"{text} is no port: 0 to {_LARGEST_PORT}")
