"""What is claimed of each failure, and did it hold?"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from agent.failures.outcome import attempt_of
from agent.failures.spent import Spent
from agent.research.activities import call_llm
from tracing import conventions as c

if TYPE_CHECKING:
    from agent.failures.outcome import Durable, Outcome
    from tracing.tracefile import Span


def checks(outcome: Outcome) -> dict[str, bool]:
    """Each claim, and whether it held."""
    durable = outcome.durable
    tries = _tries(durable)
    asked_before = [durable.requests_of[activity_id] for activity_id in durable.completed & tries.keys()]
    dead = _dead_attempts(durable)
    return {
        "both sides wrote the same report": outcome.plain.report == durable.report,
        "each model call whose completion was in the history when it happened was made exactly once": (
            set(asked_before) == {1}
        ),
        "the model server counted one request for each attempt, none besides": durable.requests_of == tries,
        "calls, tokens and cost of the exported trace are those that the model server gave": _same_account(durable),
        "every live span is in the export, identical, but for attempts that history does not keep": all(
            set(pair.differences) <= outcome.failure.server_differs
            if pair.exported
            else pair.live is not None and _is_of(pair.live, dead)
            for pair in durable.pairs
        ),
        "every exported span came live, but for a step or timer whose end a killed worker had not told yet": all(
            pair.live is not None or (pair.exported is not None and _is_step(pair.exported)) for pair in durable.pairs
        ),
    }


def _tries(durable: Durable) -> Counter[str]:
    """How often each model call was tried, by activity ID, as the exported trace says."""
    return Counter(
        {
            step.key.partition(":")[2]: len(step.attempts) + step.missing_attempts
            for step in durable.account.steps
            if step.type == call_llm.__name__
        }
    )


def _same_account(durable: Durable) -> bool:
    """Whether the account is the sum of all calls of attempts that the history keeps: of the others nothing is known.

    A call that failed is a call; what it cost, if anything, is unknown.
    """
    recorded = {
        (span.attributes[c.ACTIVITY_ID], span.attributes[c.ATTEMPT]) for span in durable.spans if _is_attempt(span)
    }
    kept = Spent.of(request for request in durable.requests if attempt_of(request) in recorded)
    usage, cost = durable.account.usage, durable.account.amount.known
    return (usage.calls, usage.input_tokens, usage.output_tokens, cost) == (
        kept.requests,
        kept.input_tokens,
        kept.output_tokens,
        kept.usd,
    )


def _dead_attempts(durable: Durable) -> frozenset[int]:
    """Span IDs of the attempts that came live and are not in the history, of steps that another attempt closed."""
    closed = {span.parent_id for span in durable.spans if _is_attempt(span)}
    return frozenset(
        pair.live.span_id
        for pair in durable.pairs
        if pair.live and not pair.exported and _is_attempt(pair.live) and pair.live.parent_id in closed
    )


def _is_of(span: Span, attempts: frozenset[int]) -> bool:
    """Whether a span is one of these attempts, or what one of them did."""
    return span.span_id in attempts or span.parent_id in attempts


def _is_attempt(span: Span) -> bool:
    return span.name.startswith(c.run_activity("")) and c.ACTIVITY_ID in span.attributes


def _is_step(span: Span) -> bool:
    """Whether it is told when the workflow task that saw its end is done: of an activity's step, or of a timer."""
    activity = span.name.startswith(c.start_activity("")) and c.ACTIVITY_ID in span.attributes
    return activity or c.TIMER_ID in span.attributes
