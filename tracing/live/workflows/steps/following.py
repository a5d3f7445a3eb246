"""What do all kinds of steps of a followed run share: the run, the workflow task that goes on, the spans it makes?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from temporalio.api.common.v1 import Payload

from tracing.config import TracingConfig
from tracing.headers import Cancellation, SpanReference, TraceHeader
from tracing.live.workflows.asking import asked_by
from tracing.runs import Run
from tracing.spans.model import Span
from tracing.spans.wait import Answer, Task


class Following:
    """A run that is followed, and where it stands.

    Attributes:
        config: Settings.
        run: The run.
        task_queue: Its task queue.
        task: The workflow task. Its number is the history length that it was given.
        task_start: Start of the workflow task, in ns since the epoch: workflow time, which history has as
            WORKFLOW_TASK_STARTED. All that the task asks for begins then.
        now: Workflow time of the activation. A local activity that ends within a task moves it on.
        replaying: Whether the activation repeats what was done before.
        taking_over: Whether the activation brings what a reset took over from the base run: steps that had ended there
            belong to it. History tells them from one that ended since, and has the spans of both.
        spans: The spans that the activation made.
        asked: Types of steps by their span IDs, by what in workflow code asked for them; see `asking`.
        waits: How many waits for a person go on.
        cancel_requested: Whether it was told that a client asked to cancel the run.
    """

    def __init__(self, config: TracingConfig, run: Run, task_queue: str) -> None:
        self.config = config
        self.run = run
        self.task_queue = task_queue
        self.task = Task(0)
        self.task_start = 0
        self.now = 0
        self.replaying = False
        self.taking_over = False
        self.spans: list[Span] = []
        self.asked: dict[str, dict[int, str]] = {}
        self.waits = 0
        self.cancel_requested = False
        self._service = {key: str(value) for key, value in run.resource.items()}
        self._uses: Counter[tuple[str, str]] = Counter()

    def begin(self, act: Any) -> None:
        """An activation begins (`coresdk.workflow_activation.WorkflowActivation`)."""
        self.spans = []
        if act.history_length != self.task.number:
            self.task, self.cancel_requested = Task(act.history_length), False
        self.replaying = act.is_replaying
        self.now = act.timestamp.ToNanoseconds()
        if not act.jobs or not all(
            job.HasField("resolve_activity") and job.resolve_activity.is_local for job in act.jobs
        ):
            # A local activity that ends brings an activation within the task that goes on, at a later workflow time.
            self.task_start = self.now

    def add(self, build: Callable[[], Span]) -> None:
        """Make a span of what happens now; of what is replayed, taken over, or sampled out, none."""
        if self.run.sampled and not self.replaying and not self.taking_over:
            self.spans.append(build())

    def message(self, answer: Answer) -> None:
        """A signal came, or an update was accepted. It is kept where it may answer a wait that goes on."""
        if self.waits:
            self.task.messages.append(answer)

    def follows(self, task: Task) -> None:
        """A step has ended that an earlier task asked for; kept where that led from a message to this task."""
        if self.waits and task is not self.task and (task.messages or task.after):
            self.task.after.append(task)

    def nth(self, kind: str, key: str) -> int:
        """Count one more use of a key in the run."""
        self._uses[kind, key] += 1
        return self._uses[kind, key]

    def captured(self, payloads: Any) -> list[Payload]:
        """Payloads to be shown once the step ends; none where content is off, for a run may hold many."""
        return list(payloads) if self.config.capture_content else []

    def summary(self, command: Any) -> Payload | None:
        """The summary that the workflow's code gave with a command, where it is shown."""
        if not self.config.capture_content or not command.user_metadata.HasField("summary"):
            return None
        # A copy: the SDK's codec encodes the command's own in its place, before the span is built.
        summary = Payload()
        summary.CopyFrom(command.user_metadata.summary)
        return summary

    def note_asked(self, asked: Any, step_id: int, step_type: str) -> None:
        """Note what in workflow code asked for a step, before its command gets our header."""
        if by := asked_by(asked):
            self.asked.setdefault(by, {})[step_id] = step_type

    def header(
        self,
        span_id: int,
        *,
        sampled: bool = True,
        session: str | None = None,
        nth: int = 1,
        cancellation: Cancellation | None = None,
        ledger_left: int | None = None,
    ) -> TraceHeader:
        """Our header for what a step asks for.

        Args:
            span_id: Span ID of the step.
            sampled: False where the step's type is excluded; the header then says beside it what goes for the run.
            session: Session; the run's own, where the user set one.
            nth: See the header.
            cancellation: See the header.
            ledger_left: See the header.
        """
        run = self.run
        return TraceHeader(
            traceparent=str(SpanReference(run.trace_id, span_id, run.sampled and sampled)),
            session=session or run.session_id or None,
            user=run.user_id or None,
            tags=run.tags,
            sampled=None if sampled else run.sampled,
            environment=run.environment or None,
            resource=self._service,
            nth=nth,
            cancellation=cancellation,
            ledger_left=ledger_left,
        )
