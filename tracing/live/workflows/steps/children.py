"""Which children did a run start, and how did each end?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import StartChildWorkflowExecutionFailedCause

from tracing import conventions as c
from tracing.failures import Failure, failure_from_proto, refused, refused_cause
from tracing.headers import Cancellation
from tracing.live.client.headers import header_payload
from tracing.live.workflows.steps.following import Following
from tracing.spans.child import Child, child_span
from tracing.spans.step import Outcome
from tracing.spans.wait import Task

_CANCELLATIONS: Final[dict[int, Cancellation]] = {0: "abandon", 1: "try"}
"""coresdk.child_workflow.ChildWorkflowCancellationType, but the SDK's default, WAIT_CANCELLATION_COMPLETED, and
WAIT_CANCELLATION_REQUESTED, for which Core waits as long."""


@dataclass(slots=True)
class _Open:
    child: Child
    task: Task
    start: int
    given: Sequence[Payload]
    summary: Payload | None
    abandon: bool
    run_id: str = ""


class Children:
    """The children of a followed run."""

    def __init__(self, following: Following) -> None:
        self._following = following
        self._open: dict[int, _Open] = {}

    def start(self, command: Any) -> None:
        """The workflow asks for a child: give it our header, so that its first run joins the trace."""
        asked, following = command.start_child_workflow_execution, self._following
        child = Child(
            workflow_id=asked.workflow_id,
            workflow_type=asked.workflow_type,
            task_queue=asked.task_queue or following.task_queue,
            nth=following.nth("child_workflow", asked.workflow_id),
        )
        cancellation = _CANCELLATIONS.get(asked.cancellation_type)
        self._open[asked.seq] = _Open(
            child,
            following.task,
            following.task_start,
            following.captured(asked.input),
            following.summary(command),
            abandon=cancellation == "abandon",
        )
        following.note_asked(asked, child.step_id(following.run), child.workflow_type)
        header = following.header(
            child.step_id(following.run),
            # One trace, one session: where none was set it is the parent's workflow ID for the child as well.
            session=following.run.session_id or following.run.workflow_id,
            nth=child.nth,
            cancellation=cancellation,
        )
        asked.headers[c.HEADER].CopyFrom(header_payload(header))

    def cancel(self, seq: int) -> None:
        """The workflow cancels a child."""
        opened = self._open.get(seq)
        if opened is not None and opened.abandon:
            # No event says so: the child goes on, and its end is not told here.
            del self._open[seq]

    def resolve_start(self, job: Any) -> None:
        """A child was started, or could not be."""
        status = job.WhichOneof("status")
        opened = self._open.get(job.seq)
        if opened is None:
            return
        if status != "cancelled":
            self._following.follows(opened.task)
        if status == "succeeded":
            opened.run_id = job.succeeded.run_id
            return
        del self._open[job.seq]
        if status == "failed":
            self._close(
                opened,
                Outcome(
                    self._following.now,
                    failure=refused(refused_cause(StartChildWorkflowExecutionFailedCause, job.failed.cause)),
                ),
            )
        # Cancelled before it was sent: history has no event of it.

    def resolve(self, job: Any) -> None:
        """A child has ended."""
        opened = self._open.pop(job.seq, None)
        if opened is None:
            return
        status = job.result.WhichOneof("status")
        result: list[Payload] | None = None
        failure: Failure | None = None
        if status == "completed":
            result = [job.result.completed.result]
        elif status is not None:
            failure = failure_from_proto(getattr(job.result, status).failure)
        if status != "cancelled":
            self._following.follows(opened.task)
        self._close(opened, Outcome(self._following.now, result, failure))

    def unclosed(self) -> None:
        """The run ends, its detached children go on: their steps end here."""
        for opened in self._open.values():
            self._close(opened, Outcome(self._following.now, unclosed=True))
        self._open.clear()

    def _close(self, opened: _Open, outcome: Outcome) -> None:
        following = self._following
        following.add(
            lambda: child_span(
                following.config,
                following.run,
                opened.child,
                start=opened.start,
                outcome=outcome,
                given=opened.given,
                run_id=opened.run_id,
                summary=opened.summary,
            )
        )
