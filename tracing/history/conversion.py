"""Which spans were live when a run made this history?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from tracing import conventions as c
from tracing.config import TracingConfig
from tracing.history.activities import activities_of
from tracing.history.activity_spans import activity_spans
from tracing.history.by_kind import EventsByKind
from tracing.history.children import child_spans, children_of
from tracing.history.event_ids import with_event_ids
from tracing.history.external import (
    external_cancel_spans,
    external_cancels_of,
    external_signal_spans,
    external_signals_of,
)
from tracing.history.local_activities import local_activities_of, local_activity_spans
from tracing.history.losses import losses
from tracing.history.nexus import nexus_operation_spans, nexus_operations_of
from tracing.history.run_events import run_events
from tracing.history.runs import RunContext, run_context, run_links
from tracing.history.signals import signal_spans, signals_of
from tracing.history.source import History
from tracing.history.streams import stream_traffic
from tracing.history.timers import timer_spans, timers_of
from tracing.history.updates import update_spans, updates_of
from tracing.runs import AttributeValue
from tracing.spans.hook import with_added
from tracing.spans.model import Span
from tracing.spans.run import run_span
from tracing.spans.tree import with_own_ids
from tracing.usage import Usage, total

_KINDS: Final[tuple[tuple[Callable[[EventsByKind], Sequence[Any]], Callable[[RunContext, Any], list[Span]]], ...]] = (
    (timers_of, timer_spans),
    (children_of, child_spans),
    (external_signals_of, external_signal_spans),
    (external_cancels_of, external_cancel_spans),
    (nexus_operations_of, nexus_operation_spans),
    (updates_of, update_spans),
)
"""Steps without attempts: which events are one step, and its spans."""


@dataclass(slots=True)
class _Steps:
    """Spans of the steps, the events they were built from or would have been, and what their model calls add up to.

    Beside each span stands the event that opened its step, by which steps of all kinds are put in order. (Not a list
    for each step: the garbage collector would go through all of them, again and again.)
    """

    unordered: list[Span] = field(default_factory=list)
    opened: list[int] = field(default_factory=list)
    claimed: set[int] = field(default_factory=set)
    excluded: set[int] = field(default_factory=set)
    usages: list[Usage] = field(default_factory=list)

    @property
    def spans(self) -> list[Span]:
        """The spans, by the events that opened their steps."""
        return [self.unordered[place] for place in sorted(range(len(self.unordered)), key=self.opened.__getitem__)]

    def take(self, ids: list[int], spans: list[Span], *, excluded: bool = False) -> None:
        """Add the spans of a step, and the IDs of its events."""
        if spans:
            self.claimed.update(ids)
            self.unordered += spans
            self.opened += [ids[0]] * len(spans)
        elif excluded:
            self.excluded.update(ids)

    @property
    def told(self) -> set[int]:
        """Events that are no events of the run's span: they made spans, or the user does not want to see them."""
        return self.claimed | self.excluded


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

    Raises:
        TypeError: It is no history that ``read`` gave.
    """
    if not isinstance(history, History):
        raise TypeError(f"to_spans() takes a History, which read() gives, and not {type(history).__name__}")
    config = TracingConfig.from_environment() if config is None else config
    if history.decoded and not config.decode_payloads:
        # As in the worker: the ledgers are read, and what was encoded is not shown.
        config = replace(config, encoded_payloads=True)
    context = run_context(history, config, resource)
    steps = _steps(history, context)
    traffic, counted = stream_traffic(context)
    closing = context.closing
    last = context.tasks.last
    started = history.started
    run = run_span(
        config,
        context.run,
        start=history.events[0].time,
        end=closing.end,
        status=closing.status,
        task_queue=started.task_queue.name if started.task_queue is not None else "",
        attempt=started.attempt or 1,
        given=started.input or (),
        result=closing.result,
        failure=closing.failure,
        usage=total(steps.usages),
        history_length=last.started_id if last is not None else 0,
        worker_identity=last.worker_identity if last is not None else "",
        build_id=last.build_id if last is not None else "",
        events=run_events(config, history.events, steps.told | counted | {history.events[0].id, closing.event_id}),
        links=run_links(history, context),
        traffic=traffic,
    )
    rest = [event.id for event in history.events if event.id not in steps.claimed]
    if not context.run.sampled:
        run.attributes[c.SAMPLED] = False
    run.attributes.update(losses(history))
    spans = with_own_ids([with_event_ids(run, rest), *steps.spans])
    return [with_added(config, span) for span in spans] if config.add_attributes is not None else spans


def _steps(history: History, context: RunContext) -> _Steps:
    """Build the spans of the steps."""
    steps, events = _Steps(), context.events
    for activity in activities_of(events, history.pending):
        spans, usage = activity_spans(context, activity)
        steps.usages.append(usage)
        steps.take(activity.ids, spans, excluded=True)
    task_queue = history.started.task_queue.name if history.started.task_queue is not None else ""
    for local in local_activities_of(events):
        spans, usage = local_activity_spans(context, local, task_queue)
        steps.usages.append(usage)
        steps.take(local.ids, spans, excluded=True)
    for steps_of, spans_of in _KINDS:
        for step in steps_of(events):
            steps.take(step.ids, spans_of(context, step))
    for signal in signals_of(events):
        steps.take([signal.id], signal_spans(context, signal))
    return steps
