"""Which spans were live when a run made this history?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tracing.config import TracingConfig
from tracing.failures import Failure, error_type
from tracing.history.activities import activities_of
from tracing.history.activity_spans import activity_spans
from tracing.history.attributes.workflow import (
    WorkflowExecutionCanceled,
    WorkflowExecutionCompleted,
    WorkflowExecutionContinuedAsNew,
    WorkflowExecutionFailed,
    WorkflowExecutionSignaled,
    WorkflowExecutionTerminated,
    WorkflowExecutionTimedOut,
)
from tracing.history.event_ids import with_event_ids
from tracing.history.events import Event
from tracing.history.failures import failure_of
from tracing.history.run_events import run_events
from tracing.history.runs import RunContext, run_context, run_links
from tracing.history.signals import signal_spans
from tracing.history.source import History
from tracing.history.timers import timer_spans, timers_of
from tracing.history.values import Payloads
from tracing.runs import AttributeValue
from tracing.spans.model import Span
from tracing.spans.run import RunStatus, run_span
from tracing.usage import Usage, total

_DECIDED: frozenset[RunStatus] = frozenset({"completed", "failed", "canceled", "continued_as_new"})
"""How a run stands when its own code ended it."""


@dataclass(frozen=True, slots=True)
class _Outcome:
    """How a run stands: its status, when it closed (None while it runs), and with what."""

    status: RunStatus = "running"
    end: int | None = None
    result: Payloads | None = None
    failure: Failure | None = None


@dataclass(slots=True)
class _Steps:
    """Spans of the steps, the events they were built from, and what their model calls add up to."""

    spans: list[Span] = field(default_factory=list)
    claimed: set[int] = field(default_factory=set)
    usages: list[Usage] = field(default_factory=list)


def to_spans(
    history: History,
    config: TracingConfig | None = None,
    *,
    resource: Mapping[str, AttributeValue] | None = None,
) -> list[Span]:
    """Convert a history to the spans of its run.

    They are those that were live, with the same IDs, parents, names, attributes and start times; where something was
    lost live, they are more. Each carries the IDs of its events, and every event of the history is found on some span.

    Args:
        history: The history.
        config: Settings; from the environment where None.
        resource: Resource of the spans where no header in the history names the service.

    Returns:
        The run's span first, then its steps in the order they were asked for, each before its attempts and what is in
        them.
    """
    config = TracingConfig.from_environment() if config is None else config
    context = run_context(history, config, resource)
    outcome, closing = _outcome(history.events)
    steps = _steps(history, context, decided=outcome.status in _DECIDED)
    last = context.tasks.last
    started = history.started
    run = run_span(
        config,
        context.run,
        start=history.events[0].time,
        end=outcome.end,
        status=outcome.status,
        task_queue=started.task_queue.name if started.task_queue is not None else "",
        attempt=started.attempt or 1,
        given=started.input or (),
        result=outcome.result,
        failure=outcome.failure,
        usage=total(steps.usages),
        history_length=last.started_id if last is not None else 0,
        worker_identity=last.worker_identity if last is not None else "",
        events=run_events(config, history.events, steps.claimed | {history.events[0].id, closing}),
        links=run_links(history, context),
    )
    rest = [event.id for event in history.events if event.id not in steps.claimed]
    return [with_event_ids(run, rest), *steps.spans]


def _steps(history: History, context: RunContext, *, decided: bool) -> _Steps:
    steps = _Steps()
    opened: list[tuple[int, list[Span]]] = []
    for activity in activities_of(history.events):
        spans, usage = activity_spans(context, activity, decided=decided)
        steps.claimed.update(activity.ids)
        steps.usages.append(usage)
        opened.append((activity.scheduled.id, spans))
    for timer in timers_of(history.events):
        steps.claimed.update({timer.started.id} if timer.ended is None else {timer.started.id, timer.ended.id})
        opened.append((timer.started.id, timer_spans(context, timer)))
    for event in history.events:
        if isinstance(event.attributes, WorkflowExecutionSignaled):
            spans = signal_spans(context, event, event.attributes)
            if spans:
                steps.claimed.add(event.id)
                opened.append((event.id, spans))
    for _, spans in sorted(opened, key=lambda step: step[0]):
        steps.spans += spans
    return steps


def _outcome(events: tuple[Event, ...]) -> tuple[_Outcome, int]:
    """How the run stands, and the ID of the event that closed it (0 while it runs)."""
    for event in reversed(events):
        outcome = _closing(event)
        if outcome is not None:
            return outcome, event.id
    return _Outcome(), 0


def _closing(event: Event) -> _Outcome | None:
    attributes, end = event.attributes, event.time
    outcome = None
    match attributes:
        case WorkflowExecutionCompleted():
            outcome = _Outcome("completed", end, result=attributes.result)
        case WorkflowExecutionFailed():
            outcome = _Outcome("failed", end, failure=failure_of(attributes.failure))
        case WorkflowExecutionCanceled():
            outcome = _Outcome("canceled", end)
        case WorkflowExecutionContinuedAsNew():
            outcome = _Outcome("continued_as_new", end, result=attributes.input)
        case WorkflowExecutionTerminated():
            terminated = Failure("terminated", error_type("terminated", ""), message=attributes.reason)
            outcome = _Outcome("terminated", end, failure=terminated)
        case WorkflowExecutionTimedOut():
            outcome = _Outcome("timed_out", end, failure=Failure("timeout", error_type("timeout", "")))
    return outcome
