"""Who does the research agent's work?

    python -m agent.research.worker

polls the task queue `research-agent-queue` until SIGTERM or SIGINT.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from temporalio.worker import Worker

from agent.research.activities import call_llm, generate_report, search_web
from agent.research.workflow import TASK_QUEUE, ResearchAgentWorkflow
from agent.running.worker import worker_main
from tracing import exit_process

if TYPE_CHECKING:
    from typing import Unpack

    from temporalio.client import Client

    from agent.running.options import WorkerOptions


def build_worker(client: Client, *, task_queue: str = TASK_QUEUE, **options: Unpack[WorkerOptions]) -> Worker:
    """Build a worker for the research agent.

    Args:
        client: A connected client; the worker inherits its plugins.
        task_queue: The task queue to poll.
        options: More arguments of the worker.
    """
    return Worker(
        client,
        task_queue=task_queue,
        workflows=[ResearchAgentWorkflow],
        activities=[search_web, call_llm, generate_report],
        **options,
    )


main = worker_main(build_worker, description="Run a worker of the research agent.")

if __name__ == "__main__":
    exit_process(main())
