"""What did one attempt spend, as its span, its model calls and the recorded sums tell?"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from math import isfinite

from tracing import conventions as c
from tracing.cost.attributes import Values, number, text
from tracing.cost.step_account import AttemptAccount, ModelCall
from tracing.spans.model import Span
from tracing.usage import Usage, total, usage_of_call


def attempt_account(span: Span, calls: Sequence[Span], *, made: int, completed: bool) -> AttemptAccount:
    """Account of an attempt that has a span.

    Args:
        span: The attempt's span.
        calls: The model calls inside it, in the order they began.
        made: Number of the step's last attempt.
        completed: Whether the step came to a result.
    """
    attempt = number(span.attributes, c.ATTEMPT)
    timeout_type = text(span.attributes, c.TIMEOUT_TYPE)
    unrecorded = span.attributes.get(c.UNRECORDED) is True or span.end is None or bool(timeout_type)
    listed = tuple(_model_call(call) for call in calls)
    return AttemptAccount(
        number=attempt or None,
        calls=listed,
        usage=_larger(_sums(span.attributes), listed),
        recorded=not unrecorded,
        closing=completed and attempt == made,
        error=text(span.attributes, c.ERROR_TYPE),
        timeout_type=timeout_type,
        start=span.start,
        end=span.end,
        span_id=span.span_id,
    )


def spanless_attempt(calls: Sequence[Span], *, start: int) -> AttemptAccount:
    """Account of an attempt that died: its own span never came, only model calls of it did, perhaps not all."""
    listed = tuple(_model_call(call) for call in calls)
    return AttemptAccount(
        number=None,
        calls=listed,
        usage=total(call.usage for call in listed),
        recorded=False,
        closing=False,
        start=listed[0].start if listed else start,
    )


def spanless_closing_attempt(step: Span, calls: Sequence[Span]) -> AttemptAccount:
    """Account of the attempt that closed a step, where the worker died before the attempt's span was sent.

    The step repeats the sums of that attempt, from the ledger of its result.
    """
    listed = tuple(_model_call(call) for call in calls)
    return AttemptAccount(
        number=number(step.attributes, c.ATTEMPTS) or None,
        calls=listed,
        usage=_larger(_sums(step.attributes), listed),
        recorded=c.ATTEMPTS in step.attributes,
        closing=True,
        start=listed[0].start if listed else step.start,
    )


def workflow_code(calls: Sequence[Span]) -> AttemptAccount:
    """Account of the model calls that no activity made: workflow code did, as if in one attempt."""
    listed = tuple(_model_call(call) for call in calls)
    return AttemptAccount(
        number=None,
        calls=listed,
        usage=total(call.usage for call in listed),
        recorded=True,
        closing=True,
        start=listed[0].start,
        end=max((call.end for call in listed if call.end is not None), default=None),
    )


def _model_call(span: Span) -> ModelCall:
    attributes = span.attributes
    requested = text(attributes, c.REQUEST_MODEL) or None
    usage = usage_of_call(attributes)
    return ModelCall(
        span_id=span.span_id,
        provider=text(attributes, c.PROVIDER) or None,
        model=text(attributes, c.RESPONSE_MODEL) or requested,
        requested_model=requested,
        usage=usage,
        price_source="" if usage.unknown_cost_calls else text(attributes, c.COST_SOURCE),
        error=text(attributes, c.ERROR_TYPE),
        start=span.start,
        end=span.end,
    )


def _sums(attributes: Values) -> Usage:
    """The sums that a span repeats of the model calls inside it: what `Usage.attributes` wrote."""
    cost = attributes.get(c.TOTAL_COST)
    return Usage(
        calls=number(attributes, c.LLM_CALLS),
        input_tokens=number(attributes, c.INPUT_TOKENS),
        output_tokens=number(attributes, c.OUTPUT_TOKENS),
        cached_tokens=number(attributes, c.CACHED_TOKENS),
        reasoning_tokens=number(attributes, c.REASONING_TOKENS),
        cost=Decimal(repr(float(cost))) if isinstance(cost, (int, float)) and isfinite(cost) else Decimal(0),
        unknown_cost_calls=number(attributes, c.UNKNOWN_COST_CALLS),
        client_retries=number(attributes, c.CLIENT_RETRIES),
    )


def _larger(sums: Usage, listed: Sequence[ModelCall]) -> Usage:
    # Sums outlive the spans of their calls: where some of these are missing, the sums are what was spent.
    found = total(call.usage for call in listed)
    return sums if sums.calls > found.calls else found
