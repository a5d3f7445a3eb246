"""How does a worker run as a process, from its first connection to its last span?

def build_worker(client: Client, *, task_queue: str = TASK_QUEUE, **options: Unpack[WorkerOptions]) -> Worker:
    return Worker(client, task_queue=task_queue, workflows=[…], activities=[…], **options)

main = worker_main(build_worker, description="Run a worker of the research agent.")

if __name__ == "__main__":
    exit_process(main())
"""

from __future__ import annotations

import asyncio
import re
import sys
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Protocol

from temporalio.api.workflowservice.v1 import GetSystemInfoRequest

from agent.running.connection import TemporalUnavailableError, connect
from agent.running.health import WorkerHealth, health_endpoint
from agent.running.options import RunOptions, WorkerOptions, read_options
from agent.running.stopping import done_before, stop_signal
from tracing import TracingPlugin, configure

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Unpack

    from temporalio.client import Client, Plugin
    from temporalio.worker import Worker

_REACH_TIMEOUT: Final = timedelta(seconds=2)
_START_POLL_SECONDS: Final = 0.01


class WorkerBuilder(Protocol):
    """Builds an agent's worker."""

    def __call__(self, client: Client, **options: Unpack[WorkerOptions]) -> Worker:
        """Build a worker for the client, which brings its plugins, with these options."""


class WorkerMain(Protocol):
    """A worker's command."""

    def __call__(self, argv: Sequence[str] | None = None) -> int:
        """Run until SIGTERM or SIGINT; returns the exit code."""


class WorkerFailedError(Exception):
    """A worker cannot run; the message says why."""


def worker_main(
    build: WorkerBuilder, *, description: str, plugins: Callable[[], Sequence[Plugin]] = tuple
) -> WorkerMain:
    """Make the command that runs an agent's worker, traced, until SIGTERM or SIGINT.

    Then it takes no new work, running activities get their time to end (`--graceful-shutdown-timeout`), and the spans
    that are left are sent. The command's exit code is 0 after a stop by signal, and 1 where Temporal cannot be reached,
    the health endpoint's port is taken, or the worker failed.

    Args:
        build: Builds the worker.
        description: What `--help` says.
        plugins: Makes the client's other plugins, once tracing is set up.
    """

    def main(argv: Sequence[str] | None = None) -> int:
        options = read_options(description, argv)
        configure()
        try:
            asyncio.run(_run(build, plugins, options))
        except (TemporalUnavailableError, WorkerFailedError) as error:
            sys.stderr.write(f"{error}\n")
            return 1
        return 0

    return main


async def _run(build: WorkerBuilder, plugins: Callable[[], Sequence[Plugin]], options: RunOptions) -> None:
    stop, health = stop_signal(), WorkerHealth()
    async with AsyncExitStack() as stack:
        await _answer_probes(stack, health, options)
        connecting = asyncio.create_task(connect([TracingPlugin(), *plugins()]))
        if not await done_before(stop, connecting):
            connecting.cancel()
            return
        client = connecting.result()
        worker = build(client, **options.worker)
        running = asyncio.create_task(worker.run())
        if not await _started(worker, running, stop):
            running.cancel()
            await asyncio.wait({running})
            return
        health.polls(lambda: _reach(client))
        host = client.service_client.config.target_host
        _say(f"Worker polls {worker.task_queue} in namespace {client.namespace} at {host}.")
        if await done_before(stop, running):
            reason = running.exception()
            raise WorkerFailedError(f"The worker of {worker.task_queue} has ended by itself: {reason}") from reason
        # Readiness goes first, so that whoever watches it knows before anything else ends.
        health.stops()
        await worker.shutdown()
        await running


async def _answer_probes(stack: AsyncExitStack, health: WorkerHealth, options: RunOptions) -> None:
    host, port = options.health_host, options.health_port
    if port is None:
        return
    try:
        origin = await stack.enter_async_context(health_endpoint(health, host=host, port=port))
    except OSError as error:
        message = f"Probes cannot be answered on {host}:{port}: {error.strerror}. Choose another --health-port, or 0."
        raise WorkerFailedError(message) from error
    _say(f"Health is told at {origin}/livez and {origin}/readyz.")


async def _started(worker: Worker, running: asyncio.Task[None], stop: asyncio.Event) -> bool:
    """Wait until the worker polls, which it does once the server has told it of its namespace; False after a stop."""
    while not worker.is_running:  # the SDK has no event for it
        if running.done():
            raise _cannot_start(worker, running.exception())
        if stop.is_set():
            return False
        await asyncio.sleep(_START_POLL_SECONDS)
    return True


def _cannot_start(worker: Worker, error: BaseException | None) -> WorkerFailedError:
    # The SDK's error shows the server's whole answer in Rust's notation; what a user needs is in its message.
    said = re.search(r'message: "([^"]+)"', str(error))
    failure = WorkerFailedError(
        f"The worker of {worker.task_queue} cannot start: {said[1] if said else error} "
        "Check TEMPORAL_NAMESPACE, and what the key of TEMPORAL_API_KEY may do."
    )
    failure.__cause__ = error
    return failure


async def _reach(client: Client) -> None:
    """Ask the server what a connecting client asks: it needs no permission that a worker may lack."""
    await client.workflow_service.get_system_info(GetSystemInfoRequest(), timeout=_REACH_TIMEOUT)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
