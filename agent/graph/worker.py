"""Who does the graph's work?

    python -m agent.graph.worker

polls the task queue `research-graph-queue` until SIGTERM or SIGINT.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from temporalio.worker import Worker

from agent.graph.per_node import NodeByNodeWorkflow, langgraph_plugin
from agent.graph.whole import WholeGraphWorkflow, run_graph
from agent.running.worker import worker_main
from tracing import exit_process

if TYPE_CHECKING:
    from typing import Unpack

    from temporalio.client import Client

    from agent.running.options import WorkerOptions

TASK_QUEUE: Final = "research-graph-queue"


def build_worker(client: Client, *, task_queue: str = TASK_QUEUE, **options: Unpack[WorkerOptions]) -> Worker:
    """Build a worker for both ways to run the graph.

    Args:
        client: A connected client; the worker inherits its plugins.
        task_queue: The task queue to poll.
        options: More arguments of the worker.
    """
    return Worker(
        client,
        task_queue=task_queue,
        workflows=[WholeGraphWorkflow, NodeByNodeWorkflow],
        activities=[run_graph],
        plugins=[langgraph_plugin()],  # brings the activities of the nodes
        **options,
    )


main = worker_main(build_worker, description="Run a worker of the research graph.")

if __name__ == "__main__":
    exit_process(main())
