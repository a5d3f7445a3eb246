"""What does a replay's trace show? The replay, and each step whose result it took from history."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from tracing import conventions as c
from tracing.identity import replay_span_id, replay_step_span_id, replay_trace_id
from tracing.runs import Attributes
from tracing.spans.model import Link, Span, SpanKind, StatusCode

_KEPT: Final = frozenset(
    {
        c.WORKFLOW_ID,
        c.RUN_ID,
        c.NAMESPACE,
        c.WORKFLOW_TYPE,
        c.SESSION_ID,
        c.CONVERSATION_ID,
        c.USER_ID,
        c.TAGS,
        c.LANGFUSE_TAGS,
        c.ACTIVITY_ID,
        c.ACTIVITY_TYPE,
        c.TASK_QUEUE,
        c.MAX_ATTEMPTS,
        c.OPENINFERENCE_KIND,
    }
)
"""Attributes of the run's spans that hold for the replay, too. Usage does not: a replay calls no model."""


def replay_spans(
    run_spans: Sequence[Span], *, replay_id: str, start: int, end: int, outcome: str, event_id: int | None
) -> tuple[Span, ...]:
    """Build the trace of a replay.

    A step is shown where its result was taken from history: all closed steps of a reproduced run, those that closed
    before the event at which the code diverged, none where nobody knows how far it came. Core hands all results over at
    once, so steps have no duration of their own: they begin and end with the replay.

    Args:
        run_spans: Exported spans of the run.
        replay_id: Tells replays of one run apart.
        start: Begin of the replay, in ns since the epoch.
        end: Its end, in ns.
        outcome: Outcome, for `durable.replay.outcome`.
        event_id: Event at which the code diverged, if known.

    Returns:
        The replay's span, then its steps; none where `run_spans` has no run.
    """
    run = next((span for span in run_spans if c.RUN_STATUS in span.attributes), None)
    if run is None:
        return ()
    run_id = str(run.attributes[c.RUN_ID])
    own_id = replay_span_id(run_id, replay_id)
    attributes: Attributes = {**_kept(run), c.REPLAY_ID: replay_id, c.REPLAY_OUTCOME: outcome}
    if event_id is not None:
        attributes[c.REPLAY_EVENT_ID] = event_id
    own = Span(
        trace_id=replay_trace_id(run_id, replay_id),
        span_id=own_id,
        parent_id=None,
        name=c.replay_workflow(str(run.attributes[c.WORKFLOW_TYPE])),
        kind=SpanKind.INTERNAL,
        start=start,
        end=end,
        attributes=attributes,
        status=StatusCode.UNSET if outcome == "reproduced" else StatusCode.ERROR,
        links=(Link(run.trace_id, run.span_id),),
        resource=run.resource,
    )
    before = _limit(outcome, event_id)
    uses: Counter[str] = Counter()
    steps = []
    for step in run_spans:
        if not _is_step(step):
            continue
        activity_id = str(step.attributes[c.ACTIVITY_ID])
        uses[activity_id] += 1
        if step.end is None or _closing_event(step) >= before:
            continue
        steps.append(
            replace(
                step,
                trace_id=own.trace_id,
                span_id=replay_step_span_id(own_id, "activity", activity_id, uses[activity_id]),
                parent_id=own_id,
                start=start,
                end=end,
                attributes={**_kept(step), c.REUSED: True},
                links=(Link(step.trace_id, step.span_id),),
            )
        )
    return (own, *steps)


def _kept(span: Span) -> Attributes:
    return {key: value for key, value in span.attributes.items() if key in _KEPT}


def _is_step(span: Span) -> bool:
    activity_type = span.attributes.get(c.ACTIVITY_TYPE)
    return isinstance(activity_type, str) and span.name == c.start_activity(activity_type)


def _limit(outcome: str, event_id: int | None) -> float:
    if outcome == "reproduced":
        return float("inf")
    return event_id if event_id is not None else 0


def _closing_event(step: Span) -> int:
    # "5,7-8": the last event of a closed step is the one that closed it.
    numbers = str(step.attributes.get(c.EVENT_IDS, "0")).replace("-", ",").split(",")
    return max((int(number) for number in numbers if number.isdigit()), default=0)
