"""What did a run ask of other workflows: signals, cancellations?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import (
    CancelExternalWorkflowExecutionFailedCause,
    SignalExternalWorkflowExecutionFailedCause,
)

from tracing import conventions as c
from tracing.failures import Failure, refused, refused_cause
from tracing.live.client.headers import header_payload
from tracing.live.workflows.steps.following import Following
from tracing.spans.external import ExternalCancel, ExternalSignal, external_cancel_span, external_signal_span
from tracing.spans.step import Outcome
from tracing.spans.wait import Task


@dataclass(frozen=True, slots=True)
class _OpenSignal:
    signal: ExternalSignal
    task: Task
    start: int
    given: Sequence[Payload]
    summary: Payload | None


@dataclass(frozen=True, slots=True)
class _OpenCancel:
    cancel: ExternalCancel
    start: int


class External:
    """What a followed run asks of others."""

    def __init__(self, following: Following) -> None:
        self._following = following
        self._signals: dict[int, _OpenSignal] = {}
        self._cancels: dict[int, _OpenCancel] = {}

    def signal(self, command: Any) -> None:
        """The workflow signals a child or another workflow: give the signal our header."""
        asked, following = command.signal_external_workflow_execution, self._following
        child = asked.WhichOneof("target") == "child_workflow_id"
        signal = ExternalSignal(
            signal_name=asked.signal_name,
            workflow_id=asked.child_workflow_id if child else asked.workflow_execution.workflow_id,
            run_id="" if child else asked.workflow_execution.run_id,
            child=child,
            nth=following.nth("external_signal", ""),
        )
        self._signals[asked.seq] = _OpenSignal(
            signal,
            following.task,
            following.task_start,
            following.captured(asked.args),
            following.summary(command),
        )
        header = following.header(signal.step_id(following.run), nth=signal.nth)
        asked.headers[c.HEADER].CopyFrom(header_payload(header))

    def cancel_signal(self, seq: int) -> None:
        """The workflow takes a signal back."""
        opened = self._signals.get(seq)
        if opened is not None and opened.task is self._following.task:
            # Core never sends what was taken back in the task that asked for it.
            del self._signals[seq]

    def resolve_signal(self, job: Any) -> None:
        """A signal was delivered, or could not be."""
        opened = self._signals.pop(job.seq, None)
        if opened is None:
            return
        self._following.follows(opened.task)
        failure: Failure | None = None
        if job.HasField("failure"):
            failure = refused(refused_cause(SignalExternalWorkflowExecutionFailedCause, job.cause))
        self._close_signal(opened, Outcome(self._following.now, failure=failure))

    def cancel(self, asked: Any) -> None:
        """The workflow asks to cancel another."""
        following, execution = self._following, asked.workflow_execution
        nth = following.nth("external_cancel", execution.workflow_id)
        cancel = ExternalCancel(execution.workflow_id, execution.run_id, nth)
        self._cancels[asked.seq] = _OpenCancel(cancel, following.task_start)

    def resolve_cancel(self, job: Any) -> None:
        """A cancellation was delivered, or could not be."""
        opened = self._cancels.pop(job.seq, None)
        if opened is None:
            return
        failure: Failure | None = None
        if job.HasField("failure"):
            failure = refused(refused_cause(CancelExternalWorkflowExecutionFailedCause, job.cause))
        self._close_cancel(opened, Outcome(self._following.now, failure=failure))

    def unclosed(self) -> None:
        """The run ends before it was told what became of them."""
        outcome = Outcome(self._following.now, unclosed=True)
        for signal in self._signals.values():
            self._close_signal(signal, outcome)
        for cancel in self._cancels.values():
            self._close_cancel(cancel, outcome)
        self._signals.clear()
        self._cancels.clear()

    def _close_signal(self, opened: _OpenSignal, outcome: Outcome) -> None:
        following = self._following
        following.add(
            lambda: external_signal_span(
                following.config,
                following.run,
                opened.signal,
                start=opened.start,
                outcome=outcome,
                given=opened.given,
                summary=opened.summary,
            )
        )

    def _close_cancel(self, opened: _OpenCancel, outcome: Outcome) -> None:
        following = self._following
        following.add(
            lambda: external_cancel_span(
                following.config, following.run, opened.cancel, start=opened.start, outcome=outcome
            )
        )
