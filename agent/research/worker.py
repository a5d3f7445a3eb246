"""Who does the research agent's work?

    python -m agent.research.worker

polls the task queue `research-agent-queue` until SIGTERM or SIGINT.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from datetime import timedelta
from typing import TYPE_CHECKING

from temporalio.worker import Worker

from agent.research.activities import call_llm, generate_report, search_web
from agent.research.connection import TemporalUnavailableError, connect
from agent.research.workflow import TASK_QUEUE, ResearchAgentWorkflow
from tracing import TracingPlugin, configure, exit_process

if TYPE_CHECKING:
    from collections.abc import Sequence

    from temporalio.client import Client

MAX_CACHED_WORKFLOWS = 1000
# Time for running activities to end after a stop signal; then they are cancelled, and Temporal retries them elsewhere.
GRACEFUL_SHUTDOWN_TIMEOUT = timedelta(seconds=10)
# After this time the tasks of a killed worker's cached workflows go to the other workers.
STICKY_TIMEOUT = timedelta(seconds=3)


def build_worker(
    client: Client,
    *,
    task_queue: str = TASK_QUEUE,
    identity: str | None = None,
    max_cached_workflows: int = MAX_CACHED_WORKFLOWS,
) -> Worker:
    """Build a worker for the research agent.

    Args:
        client: A connected client; the worker inherits its plugins.
        task_queue: The task queue to poll.
        identity: The worker's name in histories; process ID and host name by default.
        max_cached_workflows: How many runs stay in memory; with 0 every workflow task replays its run from the start.
    """
    return Worker(
        client,
        task_queue=task_queue,
        workflows=[ResearchAgentWorkflow],
        activities=[search_web, call_llm, generate_report],
        identity=identity,
        max_cached_workflows=max_cached_workflows,
        graceful_shutdown_timeout=GRACEFUL_SHUTDOWN_TIMEOUT,
        sticky_queue_schedule_to_start_timeout=STICKY_TIMEOUT,
    )


async def _work(identity: str | None, max_cached_workflows: int) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    client = await connect([TracingPlugin()])
    async with build_worker(client, identity=identity, max_cached_workflows=max_cached_workflows):
        host = client.service_client.config.target_host
        sys.stdout.write(f"Worker polls {TASK_QUEUE} in namespace {client.namespace} at {host}.\n")
        sys.stdout.flush()
        await stop.wait()


def main(argv: Sequence[str] | None = None) -> int:
    """Run a worker until SIGTERM or SIGINT.

    Returns:
        The exit code: 0 after a stop by signal, 1 where Temporal cannot be reached.
    """
    parser = argparse.ArgumentParser(description="Run a worker of the research agent.")
    parser.add_argument("--identity", help="the worker's name in histories (default: process ID and host name)")
    parser.add_argument(
        "--max-cached-workflows",
        type=int,
        default=MAX_CACHED_WORKFLOWS,
        help="how many runs stay in memory (default: %(default)s); with 0 every workflow task replays its run",
    )
    arguments = parser.parse_args(argv)
    configure()
    try:
        asyncio.run(_work(arguments.identity, arguments.max_cached_workflows))
    except TemporalUnavailableError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    exit_process(main())
