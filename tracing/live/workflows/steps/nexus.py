"""Which Nexus operations did a run call, and how did each end?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from temporalio.api.common.v1 import Payload

from tracing import conventions as c
from tracing.failures import Failure, failure_from_proto
from tracing.headers import SpanReference
from tracing.live.workflows.steps.following import Following
from tracing.spans.nexus import NexusOperation, nexus_operation_span
from tracing.spans.step import Outcome
from tracing.spans.wait import Task

_WAIT_CANCELLATION_COMPLETED: Final = 0
"""coresdk.nexus.NexusOperationCancellationType: of the others, history does not tell when the operation was over."""


@dataclass(frozen=True, slots=True)
class _Open:
    operation: NexusOperation
    task: Task
    start: int
    given: Sequence[Payload]
    summary: Payload | None
    waits: bool


class NexusOperations:
    """The Nexus operations of a followed run."""

    def __init__(self, following: Following) -> None:
        self._following = following
        self._open: dict[int, _Open] = {}

    def schedule(self, command: Any) -> None:
        """The workflow calls an operation: its header names the step's span, for the handler and for history."""
        asked, following = command.schedule_nexus_operation, self._following
        operation = NexusOperation(asked.endpoint, asked.service, asked.operation)
        nth = following.nth("nexus_operation", operation.key)
        operation = NexusOperation(asked.endpoint, asked.service, asked.operation, nth=nth)
        # A copy: what the SDK's codec or storage makes of it takes the place of the command's own.
        given = Payload()
        given.CopyFrom(asked.input)
        self._open[asked.seq] = _Open(
            operation,
            following.task,
            following.task_start,
            following.captured([given]),
            following.summary(command),
            waits=asked.cancellation_type == _WAIT_CANCELLATION_COMPLETED,
        )
        run = following.run
        asked.nexus_header[c.HEADER] = str(SpanReference(run.trace_id, operation.step_id(run), run.sampled))

    def request_cancel(self, seq: int) -> None:
        """The workflow cancels an operation."""
        opened = self._open.get(seq)
        if opened is not None and (opened.task is self._following.task or not opened.waits):
            # Core never sends what was cancelled in the task that asked for it.
            del self._open[seq]

    def resolve_start(self, job: Any) -> None:
        """An operation was started, or could not be."""
        opened = self._open.get(job.seq)
        if opened is not None:
            self._following.follows(opened.task)
        if job.WhichOneof("status") == "failed":
            self._resolve(job.seq, None, failure_from_proto(job.failed))

    def resolve(self, job: Any) -> None:
        """An operation has ended."""
        opened, status = self._open.get(job.seq), job.result.WhichOneof("status")
        if opened is not None and status != "cancelled":
            self._following.follows(opened.task)
        if status == "completed":
            self._resolve(job.seq, [job.result.completed], None)
        elif status is not None:
            self._resolve(job.seq, None, failure_from_proto(getattr(job.result, status)))

    def unclosed(self) -> None:
        """The run ends before its operations do."""
        for opened in self._open.values():
            self._close(opened, Outcome(self._following.now, unclosed=True))
        self._open.clear()

    def _resolve(self, seq: int, result: Sequence[Payload] | None, failure: Failure | None) -> None:
        opened = self._open.pop(seq, None)
        if opened is not None:
            self._close(opened, Outcome(self._following.now, result, failure))

    def _close(self, opened: _Open, outcome: Outcome) -> None:
        following = self._following
        following.add(
            lambda: nexus_operation_span(
                following.config,
                following.run,
                opened.operation,
                start=opened.start,
                outcome=outcome,
                given=opened.given,
                summary=opened.summary,
            )
        )
