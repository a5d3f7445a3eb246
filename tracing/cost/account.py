"""What did a run spend, step by step, as its spans tell?

Reads spans of either reader, and of both together. A run's span, steps and attempts say what happened; the model calls
inside the attempts say what was spent. What no span tells is counted as unknown.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Final

from tracing import conventions as c
from tracing.cost.attempts import attempt_account, spanless_attempt, spanless_closing_attempt, workflow_code
from tracing.cost.attributes import Values, number, text, texts
from tracing.cost.run_account import RunAccount
from tracing.cost.savings import taken_from
from tracing.cost.step_account import StepAccount
from tracing.cost.tree import SpanTree
from tracing.cost.waits import person_waits
from tracing.spans.model import Span, StatusCode
from tracing.usage import is_model_call

WORKFLOW_CODE: Final = "workflow code"
"""Type of the step that stands for model calls which no activity made."""

UNKNOWN_TYPE: Final = "unknown"
"""Type of a step of which only model calls arrived."""


def account(spans: Sequence[Span]) -> RunAccount:
    """Account of one run, or of one replay.

    Args:
        spans: The spans of that run, from either reader or both, in any order. A span given twice counts once.

    Raises:
        ValueError: If the spans are of no run, or of several.
    """
    found = accounts(spans)
    if len(found) != 1:
        names = ", ".join(sorted(each.run_id for each in found)) or "none"
        raise ValueError(f"account() takes the spans of one run, these are of {len(found)} ({names}): use accounts()")
    return found[0]


def accounts(spans: Iterable[Span]) -> list[RunAccount]:
    """Accounts of all runs and replays among some spans, in the order they began.

    Spans of no run (of a web request that started one) are left out.
    """
    whole = SpanTree(spans)
    runs: defaultdict[tuple[int, str], list[Span]] = defaultdict(list)
    for span in whole.spans:
        run_id = next(
            (text(owner.attributes, c.RUN_ID) for owner in whole.line(span) if c.RUN_ID in owner.attributes), ""
        )
        if run_id:
            runs[span.trace_id, run_id].append(span)
    found = [_run_account(run_id, SpanTree(of_run)) for (_, run_id), of_run in runs.items()]
    return sorted(found, key=lambda each: (each.start, each.replay_id))


def _run_account(run_id: str, tree: SpanTree) -> RunAccount:
    # The last part, where a workflow of DBOS was over and was resumed.
    own, start = run_of(tree.spans)
    told = (own or tree.spans[0]).attributes
    ends = (span.end for span in tree.spans if span.end is not None)
    return RunAccount(
        run_id=run_id,
        workflow_id=text(told, c.WORKFLOW_ID),
        workflow_type=text(told, c.WORKFLOW_TYPE),
        namespace=text(told, c.NAMESPACE),
        status=text(told, c.RUN_STATUS) or text(told, c.REPLAY_OUTCOME) or "unknown",
        start=start if own else min(span.start for span in tree.spans),
        end=own.end if own else max(ends, default=None),
        steps=_steps(tree),
        workflow_task_timeouts=tuple(
            sorted(event.time for event in own.events if event.name == c.WORKFLOW_TASK_TIMED_OUT) if own else ()
        ),
        replay_id=text(told, c.REPLAY_ID),
        trace_id=tree.spans[0].trace_id,
        session_id=text(told, c.SESSION_ID),
        user_id=text(told, c.USER_ID),
        tags=texts(told, c.TAGS),
        waits=person_waits(tree.spans),
    )


def run_of(spans: Iterable[Span]) -> tuple[Span | None, int]:
    """The span that tells how a run stands, and when the run began; None and 0 where none is there.

    A run that was over and was resumed (DBOS) has a span for each of its parts: the last one tells.

    Args:
        spans: Spans of the run.
    """
    parts = sorted((span for span in spans if _is_run(span)), key=lambda span: number(span.attributes, c.RESUMPTION))
    return (parts[-1], parts[0].start) if parts else (None, 0)


def _steps(tree: SpanTree) -> tuple[StepAccount, ...]:
    inside, dead, outside = _calls(tree)
    steps: list[tuple[Span, list[Span]]] = sorted(_step_spans(tree), key=lambda step: _issued(step[0]))
    uses: Counter[str] = Counter()
    remains, rest = _remains_by_step([step for step, _ in steps], dead)
    found = [_step_account(step, _key(step, uses), attempts, inside, remains[step.span_id]) for step, attempts in steps]
    found += [_unknown_step(activity_id, groups) for activity_id, groups in rest.items()]
    if outside:
        attempt = workflow_code(outside)
        found.append(
            StepAccount("workflow", WORKFLOW_CODE, 0, attempts=(attempt,), start=attempt.start, end=attempt.end)
        )
    return tuple(sorted(found, key=lambda step: step.start))


def _calls(tree: SpanTree) -> tuple[dict[int, list[Span]], list[list[Span]], list[Span]]:
    """Model calls: by the span ID of their attempt; of attempts without a span, one list each; of no activity."""
    inside: defaultdict[int, list[Span]] = defaultdict(list)
    dead: defaultdict[int, list[Span]] = defaultdict(list)
    outside: list[Span] = []
    for call in sorted((span for span in tree.spans if is_model_call(span.attributes)), key=lambda span: span.start):
        line = list(tree.line(call))
        attempt = next((span for span in line if _is_attempt(span)), None)
        missing = line[-1].parent_id
        if attempt is not None:
            inside[attempt.span_id].append(call)
        elif c.ACTIVITY_ID in call.attributes and missing is not None:
            dead[missing].append(call)
        else:
            outside.append(call)
    return inside, list(dead.values()), outside


def _step_spans(tree: SpanTree) -> list[tuple[Span, list[Span]]]:
    """Each step's span with its attempts' spans.

    A killed worker may have lost one: the last attempt then stands in for it.
    """
    steps = {span.span_id: span for span in tree.spans if _is_step(span)}
    attempts: defaultdict[int | str, list[Span]] = defaultdict(list)
    for span in tree.spans:
        if not _is_attempt(span):
            continue
        parent = span.parent_id
        known = parent is not None and (parent in steps or not tree.has(span.trace_id, parent))
        attempts[parent if known and parent is not None else text(span.attributes, c.ACTIVITY_ID)].append(span)
    for tries in attempts.values():
        tries.sort(key=lambda span: (number(span.attributes, c.ATTEMPT), span.start))
    alone = [(tries[-1], tries) for key, tries in attempts.items() if key not in steps]
    return [(step, attempts.get(span_id, [])) for span_id, step in steps.items()] + alone


def _remains_by_step(
    steps: Sequence[Span], dead: Sequence[list[Span]]
) -> tuple[defaultdict[int, list[list[Span]]], defaultdict[str, list[list[Span]]]]:
    """The calls of attempts without a span: by the span ID of their step, else by activity ID."""
    placed: defaultdict[int, list[list[Span]]] = defaultdict(list)
    rest: defaultdict[str, list[list[Span]]] = defaultdict(list)
    for calls in dead:
        activity_id = text(calls[0].attributes, c.ACTIVITY_ID)
        uses = [step for step in steps if text(step.attributes, c.ACTIVITY_ID) == activity_id]
        begun = [step for step in uses if step.start <= calls[0].start]
        if uses:
            placed[(begun or uses[:1])[-1].span_id].append(calls)
        else:
            rest[activity_id].append(calls)
    return placed, rest


def _step_account(
    step: Span, key: str, attempts: Sequence[Span], inside: dict[int, list[Span]], remains: list[list[Span]]
) -> StepAccount:
    reused, base = step.attributes.get(c.REUSED) is True, taken_from(step)
    error = text(step.attributes, c.ERROR_TYPE)
    closed = step.end is not None and step.attributes.get(c.UNCLOSED) is not True
    completed = closed and not error and step.status != StatusCode.ERROR
    made = max(number(step.attributes, c.ATTEMPTS), *(number(each.attributes, c.ATTEMPT) for each in (step, *attempts)))
    found = [attempt_account(span, inside.get(span.span_id, []), made=made, completed=completed) for span in attempts]
    if completed and (c.ATTEMPTS in step.attributes or remains) and not any(attempt.closing for attempt in found):
        found.append(spanless_closing_attempt(step, remains.pop() if remains else []))
    found += [spanless_attempt(calls, start=step.start) for calls in remains]
    died = step.attributes.get(c.INTERRUPTED) is True and not remains
    missing = 0 if reused else max(0, made - len(found)) + died
    # The server counts the attempt that waits to begin, too, but it is not made yet.
    running = not closed and made > 0 and made == number(step.attributes, c.PENDING_ATTEMPT)
    return StepAccount(
        key=key,
        type=text(step.attributes, c.ACTIVITY_TYPE),
        span_id=step.span_id,
        trace_id=step.trace_id,
        attempts=() if reused else tuple(sorted(found, key=lambda attempt: (attempt.closing, attempt.start))),
        missing_attempts=missing,
        running_attempts=min(missing, int(running)),
        undecoded=number(step.attributes, c.UNDECODED),
        counted=reused or closed or c.PENDING_STATE in step.attributes,
        reused=reused,
        taken_from=None if base is None else (base.trace_id, base.span_id),
        closed=closed,
        error=error,
        start=step.start,
        end=step.end,
        input_digest=_digest(step.attributes),
        summary=text(step.attributes, c.SUMMARY),
    )


def _unknown_step(activity_id: str, groups: Sequence[list[Span]]) -> StepAccount:
    attempts = tuple(spanless_attempt(calls, start=0) for calls in groups)
    return StepAccount(
        key=f"activity:{activity_id}",
        type=UNKNOWN_TYPE,
        span_id=0,
        attempts=attempts,
        counted=False,
        closed=False,
        start=attempts[0].start,
    )


def _is_run(span: Span) -> bool:
    workflow_type = text(span.attributes, c.WORKFLOW_TYPE)
    return span.name in {c.run_workflow(workflow_type), c.replay_workflow(workflow_type)}


def _is_step(span: Span) -> bool:
    return span.name == c.start_activity(text(span.attributes, c.ACTIVITY_TYPE)) and c.ACTIVITY_ID in span.attributes


def _is_attempt(span: Span) -> bool:
    return span.name == c.run_activity(text(span.attributes, c.ACTIVITY_TYPE)) and c.ACTIVITY_ID in span.attributes


def _issued(step: Span) -> tuple[int, int, str]:
    """Order of steps: by time; by number where one workflow task issued several."""
    activity_id = text(step.attributes, c.ACTIVITY_ID)
    return step.start, int(activity_id) if activity_id.isascii() and activity_id.isdecimal() else 0, activity_id


def _key(step: Span, uses: Counter[str]) -> str:
    activity_id = text(step.attributes, c.ACTIVITY_ID)
    uses[activity_id] += 1
    return f"activity:{activity_id}" if uses[activity_id] == 1 else f"activity:{activity_id}#{uses[activity_id]}"


def _digest(attributes: Values) -> str | None:
    content = text(attributes, c.INPUT_VALUE)
    return blake2b(content.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest() if content else None
