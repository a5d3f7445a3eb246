"""How is the approval gate asked, looked at and decided on?

python -m agent.approval.client ask "What does durable execution cost?" --reviewer ada
python -m agent.approval.client status WORKFLOW_ID
python -m agent.approval.client approve WORKFLOW_ID --reviewer ada --comment "Well sourced."
python -m agent.approval.client reject WORKFLOW_ID --reviewer ada --comment "Too thin."
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import json
import sys
import uuid
from typing import TYPE_CHECKING

from temporalio.client import WorkflowQueryRejectedError, WorkflowUpdateFailedError
from temporalio.common import QueryRejectCondition
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError

from agent.approval.payloads import DAY_S, Decision, GateRequest, Review
from agent.approval.workflow import TASK_QUEUE, ApprovalGateWorkflow
from agent.running.connection import TemporalUnavailableError, connect
from tracing import TracingPlugin, configure, exit_process, session

if TYPE_CHECKING:
    from collections.abc import Sequence

    from temporalio.client import WorkflowHandle

    from agent.approval.payloads import GateResult, GateStatus

_POLL_SECONDS = 0.5
_INTERRUPTED = 130


async def _do(arguments: argparse.Namespace) -> str:
    client = await connect([TracingPlugin()])
    if arguments.command == "ask":
        request = GateRequest(
            arguments.question, arguments.reviewer, arguments.escalation_contact, arguments.decide_within
        )
        with session(user=arguments.user):
            handle = await client.start_workflow(
                ApprovalGateWorkflow.run, request, id=arguments.id, task_queue=TASK_QUEUE
            )
        status = await _drafted(handle)
    else:
        handle = client.get_workflow_handle_for(ApprovalGateWorkflow.run, arguments.id)
    if arguments.command == "status":
        status = await handle.query(ApprovalGateWorkflow.status)
    elif arguments.command != "ask":
        review = Review(arguments.reviewer, arguments.comment)
        # The trace of the run says who answered: the user of this session.
        with session(user=arguments.reviewer):
            status = await handle.execute_update(
                ApprovalGateWorkflow.decide, Decision(review, approved=arguments.command == "approve")
            )
    return json.dumps(dataclasses.asdict(status), ensure_ascii=False, indent=2)


async def _drafted(handle: WorkflowHandle[ApprovalGateWorkflow, GateResult]) -> GateStatus:
    """Wait until there is a draft, and tell how the run then stands.

    Raises:
        WorkflowQueryRejectedError: The run has ended meanwhile.
    """
    while True:
        status = await handle.query(ApprovalGateWorkflow.status, reject_condition=QueryRejectCondition.NOT_OPEN)
        if status.draft is not None:
            return status
        await asyncio.sleep(_POLL_SECONDS)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Ask the approval gate, and decide on its drafts.")
    commands = parser.add_subparsers(dest="command", required=True)
    ask = commands.add_parser("ask", help="have a question researched, and print the draft that then waits")
    ask.add_argument("question", help="the question")
    ask.add_argument("--id", default=f"approval-{uuid.uuid4()}", help="the workflow ID (default: a new one)")
    ask.add_argument("--reviewer", default="reviewer", help="who is asked first")
    ask.add_argument("--escalation-contact", default="escalation contact", help="who is asked after the timeout")
    ask.add_argument(
        "--decide-within", type=float, default=DAY_S, metavar="SECONDS", help="timeout (default: %(default)s, a day)"
    )
    ask.add_argument("--user", help="the user that the run is made for, in traces")
    status = commands.add_parser("status", help="print how a run stands, as JSON")
    status.add_argument("id", help="the workflow ID")
    for name in ("approve", "reject"):
        decide = commands.add_parser(name, help=f"{name} the draft, and print how the run then stands")
        decide.add_argument("id", help="the workflow ID")
        decide.add_argument("--reviewer", required=True, help="who decides")
        decide.add_argument("--comment", default="", help="why")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Ask a question, or look at or decide on a draft.

    Returns:
        The exit code: 0 where it was done, 130 after Ctrl-C, else 1.
    """
    arguments = _parser().parse_args(argv)
    configure()
    try:
        sys.stdout.write(asyncio.run(_do(arguments)) + "\n")
    except TemporalUnavailableError as error:
        problem = str(error)
    except WorkflowAlreadyStartedError:
        problem = f"A run of workflow {arguments.id} is going on already: decide on it, or choose another --id."
    except WorkflowQueryRejectedError as error:
        how = error.status.name if error.status is not None else "CLOSED"
        problem = (
            f"Run {arguments.id} has ended ({how}) before anybody was asked: "
            "`status` and Temporal's UI tell how far it came."
        )
    except WorkflowUpdateFailedError as error:
        problem = f"The decision does not count: {getattr(error.cause, 'message', error.cause)}"
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
