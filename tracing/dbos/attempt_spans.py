"""The spans of the attempts of a step, and of what its ledgers recorded inside: as they were live."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tracing import conventions as c
from tracing.config import TracingConfig
from tracing.dbos.ledgers import RecordedAttempt
from tracing.dbos.records import StepRow
from tracing.runs import Run
from tracing.spans.activity import Activity, attempt_span
from tracing.spans.inner import inner_span, ledger_usage, resource_of
from tracing.spans.model import NS_PER_US, Span

US_PER_MS: Final = 1_000
_OF_TASK_QUEUES: Final = (c.TASK_QUEUE, c.MAX_ATTEMPTS)
"""Steps have no task queue, and rows do not say how often they may be tried."""


@dataclass(frozen=True, slots=True)
class Tries:
    """The attempts of a step.

    Attributes:
        all: All that were recorded, in the order they ended.
        closing: The one whose outcome is the step's; None where that was not recorded, or there is none yet.
    """

    all: Sequence[RecordedAttempt] = ()
    closing: RecordedAttempt | None = None


def tries_of(step: StepRow, attempts: Sequence[RecordedAttempt]) -> Tries:
    """Tell apart the attempt that closed a step from those before, also of executions that died."""
    if not attempts or step.started is None:
        return Tries(attempts)
    last = attempts[-1]
    # An attempt begins after its step did: one that began before is of an execution that did not live to record it.
    closed = last.ledger.started >= step.started * US_PER_MS and (last.failure is None) == (step.failure is None)
    return Tries(attempts, last if closed else None)


def recorded_attempt_span(
    config: TracingConfig, run: Run, attempt: RecordedAttempt, *, cut: int | None = None, ended: bool = True
) -> Span:
    """Build the span of an attempt.

    Args:
        config: Settings.
        run: The run.
        attempt: What was recorded of it.
        cut: Attributes that its ledger left out; as that says where None.
        ended: Whether it has ended.
    """
    ledger = attempt.ledger
    span = attempt_span(
        config,
        run,
        Activity(ledger.activity, attempt.step, ""),
        attempt=ledger.attempt,
        started_us=ledger.started,
        end=ledger.started * NS_PER_US + ledger.duration if ended else None,
        worker_identity=ledger.identity,
        build_id=ledger.build,
        failure=attempt.failure,
        usage=ledger_usage(ledger, config.prices),
        ledger_cut=ledger.cut if cut is None else cut,
        resource=resource_of(ledger, run),
    )
    for key in _OF_TASK_QUEUES:
        del span.attributes[key]
    return span


def recorded_spans(config: TracingConfig, run: Run, attempts: Sequence[RecordedAttempt]) -> list[Span]:
    """The spans of attempts, each before what was recorded inside.

    Args:
        config: Settings.
        run: The run.
        attempts: The attempts.
    """
    spans: list[Span] = []
    for attempt in attempts:
        own = recorded_attempt_span(config, run, attempt)
        inside = [inner_span(config.inside(), run, attempt.ledger, each, own.span_id) for each in attempt.ledger.spans]
        spans += [own, *(span for span in inside if span is not None)]
    return spans
