"""How is the research agent asked a question?

    python -m agent.research.client "What does durable execution cost?"

starts a run, waits for it, and prints the report.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import uuid
from typing import TYPE_CHECKING

from temporalio.client import WorkflowFailureError
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError

from agent.research.workflow import TASK_QUEUE, ResearchAgentWorkflow
from agent.running.causes import root_cause
from agent.running.connection import TemporalUnavailableError, connect
from agent.running.pollers import is_polled
from tracing import TracingPlugin, configure, exit_process, session

if TYPE_CHECKING:
    from collections.abc import Sequence

# A worker that was started with the client may take this long to poll.
_PATIENCE_SECONDS = 2.0
_INTERRUPTED = 130


async def _ask(arguments: argparse.Namespace) -> str:
    client = await connect([TracingPlugin()])
    with session(id=arguments.session, user=arguments.user, tags=arguments.tag):
        handle = await client.start_workflow(
            ResearchAgentWorkflow.run, arguments.query, id=arguments.id, task_queue=TASK_QUEUE
        )
    if arguments.no_wait:
        return f"Started workflow {handle.id}, run {handle.first_execution_run_id}.\n"
    waiting = asyncio.ensure_future(handle.result())
    done, _ = await asyncio.wait({waiting}, timeout=_PATIENCE_SECONDS)
    if not done and not await is_polled(client, TASK_QUEUE):
        sys.stderr.write(f"No worker polls {TASK_QUEUE}: start one with `python -m agent.research.worker`. Waiting…\n")
        sys.stderr.flush()
    return await waiting


def main(argv: Sequence[str] | None = None) -> int:
    """Ask the research agent one question.

    Returns:
        The exit code: 0 if the run completed (or was started, with `--no-wait`), 130 after Ctrl-C, else 1.
    """
    parser = argparse.ArgumentParser(description="Ask the research agent a question and print its report.")
    parser.add_argument("query", help="the question")
    parser.add_argument("--id", default=f"research-{uuid.uuid4()}", help="the workflow ID (default: a new one)")
    parser.add_argument("--no-wait", action="store_true", help="print the run's IDs and do not wait for the report")
    parser.add_argument("--session", help="the session that the run belongs to in traces")
    parser.add_argument("--user", help="the user that the run is made for, in traces")
    parser.add_argument("--tag", action="append", default=[], help="a tag for the run's traces; may be repeated")
    arguments = parser.parse_args(argv)
    configure()
    try:
        sys.stdout.write(asyncio.run(_ask(arguments)))
    except TemporalUnavailableError as error:
        problem = str(error)
    except WorkflowAlreadyStartedError:
        problem = f"A run of workflow {arguments.id} is going on already: wait for it, or choose another --id."
    except WorkflowFailureError as error:
        problem = f"The run of workflow {arguments.id} failed: {root_cause(error)}"
    except KeyboardInterrupt:
        sys.stderr.write(f"Interrupted. If workflow {arguments.id} was started, it goes on.\n")
        return _INTERRUPTED
    except RPCError as error:
        problem = f"Temporal refused: {error.message}"
    else:
        return 0
    sys.stderr.write(f"{problem}\n")
    return 1


if __name__ == "__main__":
    exit_process(main())
