"""The spans of the steps in a replay's trace: named as those of the run, and linked to them, without their content."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from msgspec.structs import replace

from tracing import conventions as c
from tracing.config import TracingConfig
from tracing.failures import Failure
from tracing.identity import StepKind, replay_step_span_id, step_span_id
from tracing.replay.code_lines import SourceLine
from tracing.replay.steps import ReplayedStep
from tracing.runs import Attributes, Run
from tracing.spans.activity import Activity, activity_step_span
from tracing.spans.child import Child, child_span
from tracing.spans.external import ExternalCancel, ExternalSignal, external_cancel_span, external_signal_span
from tracing.spans.model import Link, Span, truncate_us
from tracing.spans.nexus import NexusOperation, nexus_operation_span
from tracing.spans.step import Outcome
from tracing.spans.timer import timer_span

StepKey = tuple[StepKind, str, int]
"""Kind, what identifies it, and its number among those that share it."""

_BARE: Final = TracingConfig()
"""Without content: what went in and out is on the run's own spans."""


def key_of(step: ReplayedStep) -> StepKey:
    """What tells a step from all others of its run."""
    return step.kind, "" if step.kind == "external_signal" else step.key, step.nth


def recorded_steps(run_spans: Sequence[Span]) -> dict[StepKey, Span]:
    """The steps of a run, by the same key as those of a replay."""
    uses: defaultdict[tuple[StepKind, str], list[Span]] = defaultdict(list)
    for span in run_spans:
        key = _recorded_key(span)
        if key is not None:
            uses[key].append(span)
    return {
        (kind, key, nth): span
        for (kind, key), spans in uses.items()
        for nth, span in enumerate(sorted(spans, key=lambda span: span.start), 1)
    }


def replayed_step_span(
    run: Run,
    root: Span,
    step: ReplayedStep,
    recorded: Span | None,
    *,
    config: TracingConfig = _BARE,
    failure: Failure | None = None,
) -> Span:
    """Build the span of a step in a replay.

    Args:
        run: The run, in the replay's trace.
        root: Span of the replay.
        step: The step.
        recorded: The run's own span of it, where there is one.
        config: Settings: a failure's message is content.
        failure: Why it diverged; None where its result was taken from history.
    """
    end = root.end if failure is not None else (None if step.resolved is None else truncate_us(step.resolved))
    outcome = Outcome(end, failure=failure) if failure is not None else Outcome(end, result=())
    target = recorded.span_id if recorded is not None else step_span_id(run.run_id, step.kind, step.key, step.nth)
    links = (Link(root.links[0].trace_id, target, {c.RUN_ID: run.run_id}),) if failure is None else ()
    span = _BUILDERS[step.kind](config, run, step, recorded, outcome)
    attributes = {key: value for key, value in span.attributes.items() if key not in _CONTENT}
    if failure is None:
        attributes[c.REUSED] = True
    return replace(
        span,
        span_id=replay_step_span_id(root.span_id, step.kind, step.key, step.nth),
        parent_id=root.span_id,
        attributes=attributes | code_attributes(step.source),
        links=links,
    )


def code_attributes(source: SourceLine | None) -> Attributes:
    """Where in the code, as OpenTelemetry's conventions spell it."""
    if source is None:
        return {}
    return {c.CODE_FILE: source.file, c.CODE_LINE: source.line, c.CODE_FUNCTION: source.function}


_CONTENT: Final = frozenset({c.INPUT_VALUE, c.INPUT_MIME, c.OUTPUT_VALUE, c.OUTPUT_MIME})


def _recorded_key(span: Span) -> tuple[StepKind, str] | None:
    """Kind of a step of the run, and what identifies it; None where the span is of no step."""
    told = span.attributes
    name, signal = span.name, str(told.get(c.SIGNAL_NAME, ""))
    kind: StepKind
    if name == c.start_activity(str(told.get(c.ACTIVITY_TYPE, ""))):
        kind = "local_activity" if told.get(c.LOCAL) is True else "activity"
    elif name in {c.signal_child_workflow(signal), c.signal_external_workflow(signal)}:
        return "external_signal", ""
    elif c.NEXUS_ENDPOINT in told:
        kind = "nexus_operation"
    elif name == c.start_child_workflow(str(told.get(c.TARGET_WORKFLOW_TYPE, ""))):
        kind = "child_workflow"
    elif name in _KIND_BY_NAME:
        kind = _KIND_BY_NAME[name]
    else:
        return None
    return kind, "/".join(str(told.get(key, "")) for key in _KEYS[kind])


_KIND_BY_NAME: Final[Mapping[str, StepKind]] = {c.TIMER: "timer", c.REQUEST_CANCEL_EXTERNAL: "external_cancel"}
_KEYS: Final[Mapping[StepKind, tuple[str, ...]]] = {
    "activity": (c.ACTIVITY_ID,),
    "local_activity": (c.ACTIVITY_ID,),
    "timer": (c.TIMER_ID,),
    "child_workflow": (c.TARGET_WORKFLOW_ID,),
    "external_cancel": (c.TARGET_WORKFLOW_ID,),
    "nexus_operation": (c.NEXUS_ENDPOINT, c.NEXUS_SERVICE, c.NEXUS_OPERATION),
}


def _activity(config: TracingConfig, run: Run, step: ReplayedStep, recorded: Span | None, outcome: Outcome) -> Span:
    told = recorded.attributes if recorded is not None else {}
    attempts = told.get(c.MAX_ATTEMPTS, 0)
    activity = Activity(
        activity_id=step.id,
        activity_type=step.type,
        task_queue=str(told.get(c.TASK_QUEUE, "")),
        max_attempts=attempts if isinstance(attempts, int) else 0,
        nth=step.nth,
        local=step.kind == "local_activity",
    )
    return activity_step_span(config, run, activity, start=step.issued, outcome=outcome, given=())


def _timer(config: TracingConfig, run: Run, step: ReplayedStep, recorded: Span | None, outcome: Outcome) -> Span:
    del recorded
    return timer_span(config, run, step.id, start=step.issued, outcome=outcome, timeout=step.timeout)


def _child(config: TracingConfig, run: Run, step: ReplayedStep, recorded: Span | None, outcome: Outcome) -> Span:
    queue = str(recorded.attributes.get(c.TASK_QUEUE, "")) if recorded is not None else ""
    child = Child(step.id, step.type, queue, nth=step.nth)
    return child_span(config, run, child, start=step.issued, outcome=outcome, given=())


def _signal(config: TracingConfig, run: Run, step: ReplayedStep, recorded: Span | None, outcome: Outcome) -> Span:
    del recorded
    signal = ExternalSignal(step.type, step.id, child=step.to_child, nth=step.nth)
    return external_signal_span(config, run, signal, start=step.issued, outcome=outcome, given=())


def _cancel(config: TracingConfig, run: Run, step: ReplayedStep, recorded: Span | None, outcome: Outcome) -> Span:
    del recorded
    cancel = ExternalCancel(step.id, nth=step.nth)
    return external_cancel_span(config, run, cancel, start=step.issued, outcome=outcome)


def _nexus(config: TracingConfig, run: Run, step: ReplayedStep, recorded: Span | None, outcome: Outcome) -> Span:
    del recorded
    service, _, operation = step.type.partition("/")
    asked = NexusOperation(step.id, service, operation, nth=step.nth)
    return nexus_operation_span(config, run, asked, start=step.issued, outcome=outcome, given=())


_Builder = Callable[[TracingConfig, Run, ReplayedStep, Span | None, Outcome], Span]

_BUILDERS: Final[Mapping[StepKind, _Builder]] = {
    "activity": _activity,
    "local_activity": _activity,
    "timer": _timer,
    "child_workflow": _child,
    "external_signal": _signal,
    "external_cancel": _cancel,
    "nexus_operation": _nexus,
}
