"""The trace of a replay: which steps the code took from history, how long that took, and how it ended."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from tracing import conventions as c
from tracing.config import TracingConfig
from tracing.cost import RunAccount, account
from tracing.failures import Failure
from tracing.identity import (
    replay_span_id,
    replay_step_span_id,
    replay_trace_id,
    run_span_id,
    run_trace_id,
    step_span_id,
)
from tracing.replay.run import Replay, ReplayedStep
from tracing.runs import Attributes, Run
from tracing.spans.activity import Activity, activity_step_span
from tracing.spans.content import error
from tracing.spans.model import Link, Span, SpanKind, truncate_us

_ERRORS = {"diverged": "NondeterminismError", "failed": "ReplayError"}


def replay_spans(replay: Replay, run_spans: Sequence[Span], config: TracingConfig | None = None) -> list[Span]:
    """Build the spans of a replay, a trace of its own that is linked to the run's.

    Args:
        replay: The replay.
        run_spans: The run's spans, of either reader; they say session, user and tags, and are linked to.
        config: Settings; from the environment where None. The SDK's message on a divergence is content.

    Returns:
        The replay's span, then one for each step whose result the code took from history. None is a model call.
    """
    config = TracingConfig.from_environment() if config is None else config
    of_run = next((span for span in run_spans if span.span_id == run_span_id(replay.run_id)), None)
    run = _run(replay, of_run)
    end = truncate_us(replay.started + replay.duration)
    failure = Failure("replay", _ERRORS[replay.outcome], replay.message) if replay.outcome in _ERRORS else None
    code, message, error_attributes, events = error(config, failure, end)
    attributes: Attributes = {
        **run.common_attributes(),
        c.REPLAY_ID: replay.replay_id,
        c.REPLAY_OUTCOME: replay.outcome,
        c.OPENINFERENCE_KIND: "CHAIN",
        **error_attributes,
    }
    if replay.event_id is not None:
        attributes[c.REPLAY_EVENT_ID] = replay.event_id
    to_run = Link(
        of_run.trace_id if of_run else run_trace_id(replay.run_id),
        run_span_id(replay.run_id),
        {c.RUN_ID: replay.run_id},
    )
    root = Span(
        trace_id=run.trace_id,
        span_id=replay_span_id(replay.run_id, replay.replay_id),
        parent_id=None,
        name=c.replay_workflow(replay.workflow_type),
        kind=SpanKind.INTERNAL,
        start=truncate_us(replay.started),
        end=end,
        attributes=attributes,
        status=code,
        status_message=message,
        events=events,
        links=(to_run,),
        resource=run.resource,
    )
    recorded = _recorded_steps(run_spans)
    steps = [_step_span(run, root, step, recorded.get((step.activity_id, step.nth))) for step in replay.reused_steps]
    return [root, *steps]


def replay_account(replay: Replay, run_spans: Sequence[Span]) -> RunAccount:
    """Account of a replay: every step that closed is reused, no model was called, nothing was spent."""
    return account(replay_spans(replay, run_spans, TracingConfig()))


def _run(replay: Replay, of_run: Span | None) -> Run:
    told = of_run.attributes if of_run else {}
    tags = told.get(c.TAGS, ())
    return Run(
        namespace=replay.namespace,
        workflow_id=replay.workflow_id,
        run_id=replay.run_id,
        workflow_type=replay.workflow_type,
        trace_id=replay_trace_id(replay.run_id, replay.replay_id),
        session_id=str(told.get(c.SESSION_ID, "")),
        user_id=str(told.get(c.USER_ID, "")),
        tags=tags if isinstance(tags, tuple) else (),
        resource=of_run.resource if of_run else {},
    )


def _recorded_steps(run_spans: Sequence[Span]) -> dict[tuple[str, int], Span]:
    """The run's steps by activity ID and its nth use."""
    uses: defaultdict[str, list[Span]] = defaultdict(list)
    for span in run_spans:
        if span.name == c.start_activity(str(span.attributes.get(c.ACTIVITY_TYPE, ""))):
            uses[str(span.attributes.get(c.ACTIVITY_ID, ""))].append(span)
    return {
        (activity_id, nth): span
        for activity_id, spans in uses.items()
        for nth, span in enumerate(sorted(spans, key=lambda span: span.start), 1)
    }


def _step_span(run: Run, root: Span, step: ReplayedStep, recorded: Span | None) -> Span:
    told = recorded.attributes if recorded else {}
    attempts = told.get(c.MAX_ATTEMPTS, 0)
    activity = Activity(
        activity_id=step.activity_id,
        activity_type=step.activity_type,
        task_queue=str(told.get(c.TASK_QUEUE, "")),
        max_attempts=attempts if isinstance(attempts, int) else 0,
        span_id=replay_step_span_id(root.span_id, "activity", step.activity_id, step.nth),
        nth=step.nth,
    )
    target = recorded.span_id if recorded else step_span_id(run.run_id, "activity", step.activity_id, step.nth)
    span = activity_step_span(
        TracingConfig(),  # without content: what went in and out is on the run's own span
        run,
        activity,
        start=step.issued,
        end=None if step.resolved is None else truncate_us(step.resolved),
        given=(),
        result=(),
        reused=True,
        links=(Link(root.links[0].trace_id, target, {c.RUN_ID: run.run_id}),),
    )
    return replace(span, parent_id=root.span_id)
