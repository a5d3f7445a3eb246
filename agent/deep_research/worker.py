"""Who does the deep research's work?

    python -m agent.deep_research.worker

polls the task queue `deep-research-queue` until SIGTERM or SIGINT.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from temporalio.worker import Worker

from agent.deep_research.activities import ask_model
from agent.deep_research.sub_question import SubQuestionWorkflow
from agent.deep_research.tools import calculate, search_web
from agent.deep_research.workflow import TASK_QUEUE, DeepResearchWorkflow
from agent.research.activities import generate_report
from agent.running.worker import worker_main
from tracing import exit_process

if TYPE_CHECKING:
    from typing import Unpack

    from temporalio.client import Client

    from agent.running.options import WorkerOptions


def build_worker(client: Client, *, task_queue: str = TASK_QUEUE, **options: Unpack[WorkerOptions]) -> Worker:
    """Build a worker for the deep research.

    Args:
        client: A connected client; the worker inherits its plugins.
        task_queue: The task queue to poll.
        options: More arguments of the worker.
    """
    return Worker(
        client,
        task_queue=task_queue,
        workflows=[DeepResearchWorkflow, SubQuestionWorkflow],
        activities=[ask_model, search_web, calculate, generate_report],
        **options,
    )


main = worker_main(build_worker, description="Run a worker of the deep research.")

if __name__ == "__main__":
    exit_process(main())
