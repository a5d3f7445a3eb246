"""Where does an attempt stand: in which run and trace, under which step?

An attempt of a workflow's activity finds that in the header of its step, else in its own info. A *standalone* activity
has no workflow: a client started it. It continues the trace that the client's header names, else it has one of its own,
made of its run ID. No history of it can be read, so its spans are live only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Final

import temporalio.activity

from tracing.config import TracingConfig
from tracing.headers import SpanReference, TraceHeader
from tracing.identity import activity_trace_id, attempt_span_id, run_trace_id, step_span_id
from tracing.runs import AttributeValue, Run, StandaloneRun
from tracing.spans.activity import Activity

_EPOCH: Final = datetime.fromtimestamp(0, UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(frozen=True)
class AttemptPlace:
    """Where an attempt stands.

    Attributes:
        run: Its run; of a standalone activity, the activity's own.
        activity: Its activity.
        number: Number of the attempt, from 1.
        started_us: When it started, in µs since the epoch: by the server, of a local activity by its worker.
        scheduled_us: When it was scheduled: the first with the activity, later ones when their retry was due.
        final_errors: Types of errors after which its retry policy has no other attempt made.
    """

    run: Run
    activity: Activity
    number: int
    started_us: int
    scheduled_us: int
    final_errors: Sequence[str] = ()

    @cached_property
    def span_id(self) -> int:
        """Span ID of the attempt."""
        return attempt_span_id(self.run.run_id, self.activity.activity_id, self.number, self.started_us)

    @property
    def history_lacks_scheduled(self) -> bool:
        """Whether history does not say when it was scheduled, so that its ledger must."""
        return self.activity.local or self.number > 1


def place_attempt(
    config: TracingConfig,
    info: temporalio.activity.Info,
    header: TraceHeader | None,
    *,
    resource: Mapping[str, AttributeValue],
    sampled: bool,
) -> AttemptPlace:
    """Find the place of an attempt.

    Args:
        config: Settings.
        info: The SDK's activity info.
        header: Our header, or None (a workflow worker or client without the plugin).
        resource: Service identity of the worker.
        sampled: The sampling decision where no header carries one.
    """
    standalone = info.workflow_run_id is None
    policy = info.retry_policy
    run_id = info.workflow_run_id or info.activity_run_id or ""
    nth = header.nth if header else 1
    parent = header.parent if header else None
    if parent is not None:
        sampled = parent.sampled
        if not standalone and not info.is_local and not _is_step(parent, run_id, info.activity_id, nth):
            # A reset copies the header of an activity that was open: it names the base run's step. (No reset copies
            # that of a local activity. One that backed off has a new activity ID, and the header names its first step.)
            parent = None
    return AttemptPlace(
        run=(StandaloneRun if standalone else Run)(
            namespace=info.namespace,
            workflow_id=info.workflow_id or "",
            run_id=run_id,
            workflow_type=info.workflow_type or "",
            trace_id=parent.trace_id if parent else own_trace_id(info),
            sampled=sampled,
            session_id=(header.session if header else None) or (info.activity_id if standalone else ""),
            user_id=header.user or "" if header else "",
            tags=header.tags if header else (),
            environment=header.environment or "" if header else "",
            ui_address=config.temporal_ui,
            resource=resource,
        ),
        activity=Activity(
            activity_id=info.activity_id,
            activity_type=info.activity_type,
            task_queue=info.task_queue,
            max_attempts=policy.maximum_attempts if policy else 0,
            span_id=parent.span_id if parent else None,
            nth=nth,
            local=info.is_local,
        ),
        number=info.attempt,
        started_us=_microseconds(info.started_time),
        scheduled_us=_microseconds(info.scheduled_time if info.attempt == 1 else info.current_attempt_scheduled_time),
        final_errors=(policy.non_retryable_error_types if policy else None) or (),
    )


def own_trace_id(info: temporalio.activity.Info) -> int:
    """Trace ID of an attempt whose trace no header decides."""
    if info.workflow_run_id is not None:
        return run_trace_id(info.workflow_run_id)
    return activity_trace_id(info.activity_run_id or "")


def _is_step(parent: SpanReference, run_id: str, activity_id: str, nth: int) -> bool:
    return parent.span_id == step_span_id(run_id, "activity", activity_id, nth)


def _microseconds(moment: datetime) -> int:
    # datetime.timestamp() is a float and loses µs in this century: count in integers.
    return (moment - _EPOCH) // _MICROSECOND
