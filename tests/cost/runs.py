"""Runs for tests: their spans as the history reader makes them, with the toolkit's own builders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from tracing import conventions as c
from tracing.config import TracingConfig
from tracing.failures import Failure
from tracing.identity import attempt_span_id, recognised_span_id, run_trace_id
from tracing.ledger import Ledger, LedgerSpan, Scalar
from tracing.payloads import Payload
from tracing.runs import Attributes, Run
from tracing.spans.activity import Activity, activity_step_span, attempt_span
from tracing.spans.inner import inner_span, ledger_usage
from tracing.spans.model import NS_PER_S, NS_PER_US, Event, Link, Span
from tracing.spans.run import RunStatus, run_span
from tracing.spans.step import Outcome
from tracing.usage import Usage, total

BEGIN = 1_795_000_000 * NS_PER_S
"""When every run of the tests begins, in ns."""

CONTENT = TracingConfig(capture_content=True)

TIMED_OUT = Failure(
    kind="timeout", type="TimeoutError", message="activity StartToClose timeout", timeout_type="START_TO_CLOSE"
)
REFUSED = Failure(kind="application", type="BadAnswer", message="the answer is no JSON")


def at(seconds: float) -> int:
    """A time in ns since the epoch, from seconds since the run began."""
    return BEGIN + round(seconds * 1_000_000) * NS_PER_US


@dataclass(frozen=True)
class Call:
    """A model call: when, of what, for how much. A cost of None is unknown."""

    start: float
    end: float
    cost: float | None
    input_tokens: int = 0
    output_tokens: int = 0
    cached: int = 0
    reasoning: int = 0
    model: str = "gpt-4o-2024-08-06"
    asked: str = "gpt-4o"
    provider: str = "openai"
    error: str = ""
    more: Mapping[str, Scalar] = field(default_factory=dict)

    def recorded(self, span_id: int) -> LedgerSpan:
        attributes: dict[str, Scalar] = {
            c.OPERATION: "chat",
            c.PROVIDER: self.provider,
            c.REQUEST_MODEL: self.asked,
        }
        if self.error:
            attributes[c.ERROR_TYPE] = self.error
        else:
            attributes |= {
                c.RESPONSE_MODEL: self.model,
                c.USAGE_INPUT: self.input_tokens,
                c.USAGE_OUTPUT: self.output_tokens,
                c.USAGE_CACHE_READ: self.cached,
                c.USAGE_REASONING: self.reasoning,
            }
        if self.cost is not None:
            attributes |= {c.COST: self.cost, c.COST_SOURCE: "genai-prices 0.2.3"}
        return LedgerSpan(
            span_id=f"{span_id:016x}",
            name=f"chat {self.asked}",
            kind=3,
            status=2 if self.error else 0,
            start=at(self.start),
            end=at(self.end),
            attributes=attributes | dict(self.more),
        )


@dataclass(frozen=True)
class Attempt:
    """An attempt that left a span. ``recorded`` says whether a ledger came with it."""

    start: float
    end: float | None
    calls: Sequence[Call] = ()
    number: int = 1
    failure: Failure | None = None
    recorded: bool = True


class RecordedRun:
    """A run, step by step."""

    def __init__(
        self, run_id: str = "run-1", *, workflow_id: str = "research-1", workflow_type: str = "ResearchAgentWorkflow"
    ) -> None:
        self.run = Run(
            namespace="default",
            workflow_id=workflow_id,
            run_id=run_id,
            workflow_type=workflow_type,
            trace_id=run_trace_id(run_id),
            resource={c.SERVICE_NAME: "research-agent"},
        )
        self._steps: list[Span] = []
        self._usages: list[Usage] = []
        self._number = 0

    def step(
        self,
        activity_type: str,
        start: float,
        end: float | None,
        *attempts: Attempt,
        made: int | None = None,
        activity_id: str | None = None,
        nth: int = 1,
        given: str | None = None,
        result: str | None = None,
        failure: Failure | None = None,
        reused: bool = False,
        links: tuple[Link, ...] = (),
    ) -> RecordedRun:
        """Add an activity. ``made`` is the number of its last attempt, where that is not the last one given."""
        self._number += 1
        activity = Activity(activity_id or str(self._number), activity_type, "research-agent-queue", 5, nth=nth)
        made = made if made is not None else max((attempt.number for attempt in attempts), default=0)
        inner: list[Span] = []
        closing = Usage()
        for attempt in attempts:
            spans, closing = self._attempt(activity, attempt, start)
            inner += spans
        self._usages.append(closing)
        step = activity_step_span(
            CONTENT if given is not None else TracingConfig(),
            self.run,
            activity,
            start=at(start),
            outcome=Outcome(None if end is None else at(end), None if failure is not None else _json(result), failure),
            given=_json(given),
            attempts=made,
            usage=closing,
            reused=reused,
            links=links,
        )
        self._steps += [step, *inner]
        return self

    def spans(
        self,
        end: float | None = 60,
        *,
        status: RunStatus = "completed",
        timeouts: Sequence[float] = (),
        failure: Failure | None = None,
        given: str | None = None,
        result: str | None = None,
        links: tuple[Link, ...] = (),
    ) -> list[Span]:
        """The run's span, then its steps."""
        root = run_span(
            CONTENT if given is not None else TracingConfig(),
            self.run,
            start=at(0),
            end=None if end is None else at(end),
            status=status,
            task_queue="research-agent-queue",
            attempt=1,
            given=_json(given),
            result=_json(result),
            failure=failure,
            usage=total(self._usages),
            history_length=60,
            worker_identity="4242@agent-host",
            events=tuple(Event(c.WORKFLOW_TASK_TIMED_OUT, at(time)) for time in timeouts),
            links=links,
        )
        return [root, *self._steps]

    def _attempt(self, activity: Activity, attempt: Attempt, issued: float) -> tuple[list[Span], Usage]:
        started_us = at(attempt.start) // NS_PER_US
        span_id = attempt_span_id(self.run.run_id, activity.activity_id, attempt.number, started_us)
        # Unlike in every run: Phoenix keeps the first span that comes with an ID, of whichever trace.
        recorded = [call.recorded(recognised_span_id(span_id, nth)) for nth, call in enumerate(attempt.calls)]
        ledger = Ledger(
            run=self.run.run_id,
            activity=activity.activity_id,
            attempt=attempt.number,
            started=started_us,
            duration=0,
            spans=recorded,
        )
        usage = ledger_usage(ledger)
        span = attempt_span(
            TracingConfig(),
            self.run,
            activity,
            attempt=attempt.number,
            started_us=started_us,
            end=None if attempt.end is None else at(attempt.end),
            worker_identity="4242@agent-host",
            scheduled_us=at(issued) // NS_PER_US if attempt.number == 1 else None,
            failure=attempt.failure,
            usage=usage,
        )
        said: Attributes = {c.EVENT_IDS: "6,7"} if attempt.recorded else {c.EVENT_IDS: "6,7", c.UNRECORDED: True}
        inner = (inner_span(CONTENT, self.run, ledger, each, span_id) for each in recorded)
        return [replace(span, attributes=span.attributes | said), *(each for each in inner if each is not None)], usage


def _json(value: str | None) -> list[Payload]:
    return [] if value is None else [Payload(value.encode(), {"encoding": b"json/plain"})]


def killed_run() -> RecordedRun:
    """The worked example of docs/cost.md: its worker was killed twice, and one attempt failed by itself."""
    return (
        RecordedRun()
        .step("call_llm", 1, 4, Attempt(1.5, 3.9, [Call(1.6, 3.8, 0.0046325, 1009, 211)]))
        .step("search_web", 4, 6, Attempt(4.5, 5.9))
        .step("call_llm", 6, 20, Attempt(16, 19.9, [Call(16.1, 19.8, 0.0080775, 2003, 307)], number=2))
        .step(
            "call_llm",
            20,
            30,
            Attempt(20.5, 22, [Call(20.6, 21.9, 0.0022675, 503, 101)], number=1, failure=REFUSED),
            Attempt(23, 29.9, [Call(23.1, 29.8, 0.0115125, 3001, 401)], number=2),
        )
        .step("generate_report", 41, 43, Attempt(41.5, 42.9))
    )


KILLED_RUN_TIMEOUTS = (40.0,)
"""When a workflow task of `killed_run` timed out."""
