"""Who does the work of the team?

    python -m agent.openai_agents.worker

polls the task queue `openai-agents-queue` until SIGTERM or SIGINT.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agents import set_trace_processors
from temporalio.worker import Worker

from agent.openai_agents.model import agents_plugin
from agent.openai_agents.tools import find_sources
from agent.openai_agents.workflow import TASK_QUEUE, AgentTeamWorkflow
from agent.running.worker import worker_main
from tracing import OpenAIAgentsProcessor, exit_process

if TYPE_CHECKING:
    from typing import Unpack

    from temporalio.client import Client, Plugin

    from agent.running.options import WorkerOptions


def build_worker(client: Client, *, task_queue: str = TASK_QUEUE, **options: Unpack[WorkerOptions]) -> Worker:
    """Build a worker for the team.

    Args:
        client: A connected client with the plugins of tracing and of OpenAI Agents; the worker inherits them.
        task_queue: The task queue to poll.
        options: More arguments of the worker.
    """
    return Worker(client, task_queue=task_queue, workflows=[AgentTeamWorkflow], activities=[find_sources], **options)


def _plugins() -> list[Plugin]:
    # In place of the SDK's own processor, which sends the agents' traces to OpenAI.
    set_trace_processors([OpenAIAgentsProcessor()])
    return [agents_plugin()]


main = worker_main(build_worker, description="Run a worker of the team of agents.", plugins=_plugins)

if __name__ == "__main__":
    exit_process(main())
