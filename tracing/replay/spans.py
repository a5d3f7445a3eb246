"""The trace of a replay: which steps the code took from history, how long that took, and how it ended."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from tracing import conventions as c
from tracing.config import TracingConfig
from tracing.cost import RunAccount, account
from tracing.failures import Failure
from tracing.identity import replay_span_id, replay_trace_id, run_span_id, run_trace_id
from tracing.replay.divergence import Divergence
from tracing.replay.run import Replay
from tracing.replay.step_spans import code_attributes, key_of, recorded_steps, replayed_step_span
from tracing.runs import Attributes, Run
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
        The replay's span, then one for each step whose result the code took from history, and last the step at which it
        diverged, where the code asked for one. None is a model call.
    """
    config = TracingConfig.from_environment() if config is None else config
    of_run = next((span for span in run_spans if span.span_id == run_span_id(replay.run_id)), None)
    run = _run(replay, of_run)
    end = truncate_us(replay.started + replay.duration)
    failure = Failure("replay", _ERRORS[replay.outcome], replay.message) if replay.outcome in _ERRORS else None
    parted = _divergence_attributes(replay.divergence)
    code, message, error_attributes, events = error(config, failure, end)
    attributes: Attributes = {
        **run.common_attributes(),
        c.REPLAY_ID: replay.replay_id,
        c.REPLAY_OUTCOME: replay.outcome,
        c.OPENINFERENCE_KIND: "CHAIN",
        c.REPLAY_WORKFLOW_TASKS: replay.workflow_tasks,
        **parted,
        **error_attributes,
    }
    if replay.guarded:
        attributes[c.LLM_CALLS] = 0
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
    recorded = recorded_steps(run_spans)
    steps = [replayed_step_span(run, root, step, recorded.get(key_of(step))) for step in replay.reused_steps]
    diverging = replay.diverging_step
    if diverging is not None:
        span = replayed_step_span(run, root, diverging, None, config=config, failure=failure)
        steps.append(replace(span, attributes=span.attributes | parted))
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


def _divergence_attributes(divergence: Divergence | None) -> Attributes:
    if divergence is None:
        return {}
    attributes: Attributes = {
        # The message of what the code raised is content: its class says enough.
        c.REPLAY_ACTUAL: divergence.error.partition(":")[0] or divergence.actual_words,
        **code_attributes(divergence.source),
    }
    if divergence.expected_words:
        attributes[c.REPLAY_EXPECTED] = divergence.expected_words
    if divergence.event_id is not None:
        attributes[c.REPLAY_EVENT_ID] = divergence.event_id
    return attributes
