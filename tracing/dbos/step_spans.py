"""The spans of a step: its own, and where a function of the user's ran, what its output shows of model calls.

Names are those of the same mechanics in Temporal: a step is `StartActivity:NAME` with `RunActivity:NAME` below; a child
is `StartChildWorkflow:NAME`; a sleep is a `Timer`. What else DBOS records of itself keeps its name, such as
`DBOS.getResult`. Such a step calls no model: what a child's result shows was spent in the child.

What the attempts of a step recorded of themselves is shown as it was live. Where they recorded nothing, one
`RunActivity` stands for all of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from tracing import conventions as c
from tracing.config import TracingConfig
from tracing.dbos.attempt_spans import US_PER_MS, Tries, recorded_spans, tries_of
from tracing.dbos.executions import NO_EXECUTIONS, Executions
from tracing.dbos.ledgers import RecordedAttempt
from tracing.dbos.model_calls import ModelCalls
from tracing.dbos.records import SLEEP, StepRow
from tracing.dbos.runs import DbosRun
from tracing.dbos.times import step_times
from tracing.dbos.values import failure_of, payloads_of
from tracing.identity import StepKind, attempt_span_id, step_span_id
from tracing.ledger import Ledger
from tracing.payloads import PayloadMessage, content_of
from tracing.runs import Attributes
from tracing.spans.content import limited
from tracing.spans.inner import inner_span, ledger_usage
from tracing.spans.model import NS_PER_US, Span, SpanKind
from tracing.spans.reused import as_reused
from tracing.spans.step import Outcome, step_span
from tracing.usage import NO_USAGE, Usage


@dataclass(frozen=True, slots=True)
class StepContext:
    """What the spans of a step need to know of their workflow.

    Attributes:
        config: Settings.
        run: The part of the run that they belong to.
        start: Its start, in ns since the epoch.
        calls: The model calls of its steps.
        base: The run that it was forked from, where there is one.
        attempts: What was recorded of the attempts of its steps, by number of the step.
        executions: What is known of its executions.
        steps: Its steps, those at least that were over before the one in question.
    """

    config: TracingConfig
    run: DbosRun
    start: int
    calls: ModelCalls
    base: DbosRun | None = None
    attempts: Mapping[int, Sequence[RecordedAttempt]] = field(default_factory=dict)
    executions: Executions = NO_EXECUTIONS
    steps: Sequence[StepRow] = ()


def spans_of_step(
    context: StepContext, step: StepRow, *, reused: bool, nth: int = 1, answered: int | None = None
) -> tuple[list[Span], Usage]:
    """Build the spans of a step.

    Args:
        context: Its workflow.
        step: The step.
        reused: Whether the workflow took it over.
        nth: Of a child, which use of its workflow ID in the workflow it is.
        answered: Of a child, when its result was there, in ns since the epoch; None where nobody waited for it.

    Returns:
        The spans, the step's first, and what the attempt that closed it used.
    """
    run = context.run
    start, end = step_times(step, context.start)
    kind, key, name, attributes = _named(step)
    outcome = Outcome(end=max(end, answered or end), result=payloads_of(step.result), failure=failure_of(step.failure))
    usage, inside, made = NO_USAGE, list[Span](), 0
    if kind == "activity" and not step.of_engine and not reused:
        usage, inside, made = _execution(context, step, outcome, start, end)
        if context.executions.interrupted(step, context.steps):
            attributes[c.INTERRUPTED] = True
    else:
        context.calls.of(step, attempt_span_id=0, start=start, end=end)  # answers made elsewhere
    if made:
        attributes[c.ATTEMPTS] = made
    if not step.starts_child:
        attributes |= _output(context.config, outcome.result or ())
    span = step_span(
        context.config,
        run,
        span_id=step_span_id(run.run_id, kind, key, nth),
        name=name,
        kind=SpanKind.INTERNAL if step.of_engine else SpanKind.CLIENT,
        start=start,
        outcome=outcome,
        attributes=attributes | usage.attributes(),
    )
    if reused:
        base = context.base
        span = as_reused(span, base, step_span_id(base.run_id, kind, key, nth) if base is not None else 0)
    return [span, *inside], usage


def _named(step: StepRow) -> tuple[StepKind, str, str, Attributes]:
    """Kind and key of a step, by which it has its ID; its name; what tells it from others."""
    number = str(step.function_id)
    if step.starts_child:
        target: Attributes = {
            c.TARGET_WORKFLOW_ID: step.child,
            c.TARGET_RUN_ID: step.child,
            c.TARGET_WORKFLOW_TYPE: step.name,
        }
        return "child_workflow", step.child, c.start_child_workflow(step.name), target
    if step.name == SLEEP:
        return "timer", number, c.TIMER, {c.TIMER_ID: number}
    if step.of_engine:
        waited: Attributes = {c.TARGET_WORKFLOW_ID: step.child} if step.child else {}
        return "activity", number, step.name, waited
    return "activity", number, c.start_activity(step.name), _activity(step)


def _activity(step: StepRow) -> Attributes:
    return {c.ACTIVITY_ID: str(step.function_id), c.ACTIVITY_TYPE: step.name}


def _execution(
    context: StepContext, step: StepRow, outcome: Outcome, start: int, end: int
) -> tuple[Usage, list[Span], int]:
    """What ran: the usage of the attempt that closed the step, all spans, and that attempt's number, if known."""
    tries = tries_of(step, context.attempts.get(step.function_id, ()))
    spans = recorded_spans(context.config, context.run, tries.all)
    if tries.closing is None:
        usage, stand_in = _unrecorded(context, step, outcome, tries, start=start, end=end)
        return usage, [*spans, *stand_in], 0
    # Its output's calls are in its ledger; later outputs may show them again.
    context.calls.of(step, attempt_span_id=0, start=start, end=end)
    ledger = tries.closing.ledger
    return ledger_usage(ledger, context.config.prices), spans, ledger.attempt


def _unrecorded(
    context: StepContext, step: StepRow, outcome: Outcome, tries: Tries, *, start: int, end: int
) -> tuple[Usage, list[Span]]:
    """One span for the attempts of which there is no record; below it, the model calls that the output shows."""
    config, run = context.config, context.run
    number = 1 if recorded_nothing(context, step, tries) else 0
    span_id = attempt_span_id(run.run_id, str(step.function_id), number, start // NS_PER_US)
    calls = context.calls.of(step, attempt_span_id=span_id, start=start, end=end)
    ledger = Ledger(
        run=run.run_id,
        activity=str(step.function_id),
        attempt=1,
        started=start // NS_PER_US,
        duration=end - start,
        spans=[] if number else calls,
    )
    usage = ledger_usage(ledger, config.prices)
    told: Attributes = {c.ATTEMPT: 1} if number else usage.attributes() if calls else {c.UNRECORDED: True}
    span = step_span(
        config,
        run,
        span_id=span_id,
        name=c.run_activity(step.name),
        kind=SpanKind.SERVER,
        start=start,
        outcome=Outcome(end=end, failure=outcome.failure),
        attributes=_activity(step) | told,
    )
    parent = step_span_id(run.run_id, "activity", str(step.function_id))
    inside = [inner_span(config.inside(), run, ledger, recorded, span_id) for recorded in ledger.spans]
    return usage, [replace(span, parent_id=parent), *(call for call in inside if call is not None)]


def recorded_nothing(context: StepContext, step: StepRow, tries: Tries) -> bool:
    """Whether a step is known to have taken one attempt that called no model: had there been more, it would say so."""
    if step.failure is not None or not context.executions.covers(step):
        return False
    return all(each.ledger.started < (step.started or 0) * US_PER_MS for each in tries.all)


def unfinished_step_spans(context: StepContext, function_id: int, end: int | None) -> list[Span]:
    """The spans of a step that has no row, but attempts that ended: its workflow goes on, or was over before it was.

    Args:
        context: Its workflow.
        function_id: Number of the step.
        end: End of the workflow, in ns since the epoch; None while it goes on.
    """
    config, run, tries = context.config, context.run, context.attempts[function_id]
    name = tries[-1].step
    span = step_span(
        config,
        run,
        span_id=step_span_id(run.run_id, "activity", str(function_id)),
        name=c.start_activity(name),
        kind=SpanKind.CLIENT,
        start=min(each.ledger.started for each in tries) * NS_PER_US,
        outcome=Outcome(end=end, unclosed=end is not None),
        attributes={c.ACTIVITY_ID: str(function_id), c.ACTIVITY_TYPE: name},
    )
    return [span, *recorded_spans(config, run, tries)]


def _output(config: TracingConfig, result: Sequence[PayloadMessage]) -> Attributes:
    """The output as content. An input is not recorded: it is left out, for it was not empty."""
    if not config.capture_content:
        return {}
    shown = limited(config, c.OUTPUT_VALUE, content_of(result, encoded=config.encoded_payloads))
    return {c.OUTPUT_VALUE: shown.text, c.OUTPUT_MIME: shown.mime}
