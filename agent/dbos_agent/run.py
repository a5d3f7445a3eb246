"""How is the agent asked a question?

    python -m agent.dbos_agent.run "What does durable execution cost?" --id research-1

runs the workflow in this process, and prints the report. Killed, and called again in the same way, it goes on where it
was: DBOS takes up what the dead process left in the database. `--fork-from ID --step N` takes over another workflow's
steps before N, and does the rest anew.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import uuid
from typing import TYPE_CHECKING

from dbos import DBOS, SetWorkflowAttributes, SetWorkflowID

from agent.dbos_agent.database import dbos_config
from agent.dbos_agent.durable_agent import DurableAgent
from tracing import configure, exit_process, session, session_attributes

if TYPE_CHECKING:
    from collections.abc import Sequence

_INTERRUPTED = 130


async def _ask(agent: DurableAgent, arguments: argparse.Namespace) -> str:
    with SetWorkflowID(arguments.id):
        if arguments.fork_from is not None:
            handle = await DBOS.fork_workflow_async(arguments.fork_from, arguments.step)
        else:
            with (
                session(id=arguments.session, user=arguments.user, tags=arguments.tag),
                SetWorkflowAttributes(session_attributes()),
            ):
                handle = await DBOS.start_workflow_async(agent.research_and_report, arguments.query)
    report = await handle.get_result()
    return str(report)


def main(argv: Sequence[str] | None = None) -> int:
    """Ask the agent one question.

    Returns:
        The exit code: 0 if the workflow completed, 130 after Ctrl-C, else 1.
    """
    parser = argparse.ArgumentParser(description="Ask the research agent on DBOS a question and print its report.")
    parser.add_argument("query", nargs="?", default="", help="the question")
    parser.add_argument("--id", default=f"research-{uuid.uuid4()}", help="the workflow ID (default: a new one)")
    parser.add_argument("--fork-from", metavar="ID", help="the workflow whose first steps are taken over")
    parser.add_argument("--step", type=int, default=1, help="the first step that a fork does anew (default: 1)")
    parser.add_argument("--session", help="the session that the workflow belongs to in traces")
    parser.add_argument("--user", help="the user that it works for, in traces")
    parser.add_argument("--tag", action="append", default=[], help="a tag for its traces; may be repeated")
    arguments = parser.parse_args(argv)
    if not arguments.query and arguments.fork_from is None:
        parser.error("a question is needed")
    configure()
    DBOS(config=dbos_config())
    agent = DurableAgent("research")
    DBOS.launch()
    try:
        sys.stdout.write(asyncio.run(_ask(agent, arguments)))
    except KeyboardInterrupt:
        sys.stderr.write(f"Interrupted. Call again with --id {arguments.id}, and it goes on.\n")
        return _INTERRUPTED
    except Exception as error:  # noqa: BLE001 - whatever a step failed with at last
        sys.stderr.write(f"Workflow {arguments.id} failed: {error}\n")
        return 1
    finally:
        DBOS.destroy()
    return 0


if __name__ == "__main__":
    exit_process(main())
