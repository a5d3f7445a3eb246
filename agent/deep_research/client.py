"""How is a deep research begun, and watched?

    python -m agent.deep_research.client "What does durable execution cost?"

starts it, says on standard error how far it is, and prints the report.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import uuid
from typing import TYPE_CHECKING, Any

from temporalio.client import WorkflowFailureError
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError

from agent.deep_research.payloads import Progress, Research
from agent.deep_research.workflow import TASK_QUEUE, DeepResearchWorkflow
from agent.running.causes import root_cause
from agent.running.connection import TemporalUnavailableError, connect
from tracing import TracingPlugin, configure, exit_process, session

if TYPE_CHECKING:
    from collections.abc import Sequence

    from temporalio.client import Client, WorkflowHandle

_SECONDS_BETWEEN_QUERIES = 2.0
_INTERRUPTED = 130


async def _research(question: str, workflow_id: str) -> str:
    client = await connect([TracingPlugin()])
    with session(id=workflow_id):
        handle = await client.start_workflow(
            DeepResearchWorkflow.run, Research(question), id=workflow_id, task_queue=TASK_QUEUE
        )
    report = asyncio.ensure_future(handle.result())
    while not (await asyncio.wait({report}, timeout=_SECONDS_BETWEEN_QUERIES))[0]:
        sys.stderr.write(f"{await _how_far(client, handle)}\n")
        sys.stderr.flush()
    return await report


async def _how_far(client: Client, handle: WorkflowHandle[Any, Any]) -> str:
    # Without a run ID: the query goes to the chain's latest run.
    latest = client.get_workflow_handle_for(DeepResearchWorkflow.run, handle.id)
    try:
        return told(await latest.query(DeepResearchWorkflow.progress))
    except RPCError as error:
        # No worker answers, perhaps because it was killed; the research goes on when one is back.
        return f"Nothing is known: {error.message}"


def told(progress: Progress) -> str:
    """Say in one line how far the research is."""
    now = "".join(f"\n  {question}" for question in progress.researching)
    of = len(progress.answered) + len(progress.researching) + len(progress.waiting)
    return f"{progress.step}: {len(progress.answered)} of {of} answered, {progress.tokens:,} tokens{now}"


def main(argv: Sequence[str] | None = None) -> int:
    """Research one question.

    Returns:
        The exit code: 0 if the research completed, 130 after Ctrl-C, else 1.
    """
    parser = argparse.ArgumentParser(description="Have a question researched and print the report.")
    parser.add_argument("question", help="the question")
    parser.add_argument("--id", default=f"deep-research-{uuid.uuid4()}", help="the workflow ID (default: a new one)")
    arguments = parser.parse_args(argv)
    configure()
    try:
        sys.stdout.write(asyncio.run(_research(arguments.question, arguments.id)))
    except TemporalUnavailableError as error:
        problem = str(error)
    except WorkflowFailureError as error:
        problem = f"The research {arguments.id} failed: {root_cause(error)}"
    except WorkflowAlreadyStartedError:
        problem = f"The research {arguments.id} is going on already: choose another --id."
    except RPCError as error:
        problem = f"Temporal refused: {error.message}"
    except KeyboardInterrupt:
        sys.stderr.write(f"Interrupted. If workflow {arguments.id} was started, it goes on.\n")
        return _INTERRUPTED
    else:
        return 0
    sys.stderr.write(f"{problem}\n")
    return 1


if __name__ == "__main__":
    exit_process(main())
