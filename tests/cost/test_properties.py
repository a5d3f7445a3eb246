from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cost.runs import REFUSED, Attempt, Call, RecordedRun
from tracing.cost import account, compare
from tracing.cost.amount import sum_of
from tracing.spans.model import Span
from tracing.usage import total

pytestmark = pytest.mark.slow

COSTS = st.none() | st.integers(0, 10**9).map(lambda billionths: billionths / 1e9)
CALLS = st.builds(
    Call,
    start=st.just(2.0),
    end=st.just(3.0),
    cost=COSTS,
    input_tokens=st.integers(0, 10_000),
    output_tokens=st.integers(0, 10_000),
    error=st.sampled_from(["", "", "RateLimitError"]),
)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["call_llm", "search_web"]),
        st.lists(st.lists(CALLS, max_size=3), max_size=3),
        st.integers(0, 2),
        st.booleans(),
        st.booleans(),
    ),
    max_size=6,
)


@st.composite
def runs(draw: st.DrawFn) -> list[Span]:
    run = RecordedRun()
    for activity_type, attempts, missing, completed, recorded in draw(STEPS):
        last = missing + len(attempts)
        tries = [
            Attempt(
                2 + number,
                3 + number,
                calls,
                number=missing + number,
                failure=None if completed and missing + number == last else REFUSED,
                recorded=recorded or bool(calls),
            )
            for number, calls in enumerate(attempts, 1)
        ]
        run.step(activity_type, 1, 9, *tries, made=last, failure=None if completed else REFUSED)
    return run.spans(timeouts=draw(st.lists(st.floats(0, 50), max_size=2)))


@given(runs(), st.randoms())
def test_sums(spans: list[Span], random: Random) -> None:
    run = account(spans)

    attempts = [attempt for step in run.steps for attempt in step.attempts]
    calls = [call for attempt in attempts for call in attempt.calls]
    assert run.usage == total(step.usage for step in run.steps) == total(call.usage for call in calls)
    assert run.usage == total(run.by_model().values())
    assert run.amount == sum_of(step.amount for step in run.steps)
    assert run.amount.known == run.waste.known + sum(a.amount.known for a in attempts if a.closing)
    shuffled = list(spans)
    random.shuffle(shuffled)
    assert account(shuffled).amount == run.amount


@given(runs())
def test_restarting_never_costs_less(spans: list[Span]) -> None:
    run = account(spans)

    comparison = compare(run, run)

    assert comparison.counterfactual.known >= run.amount.known
    assert comparison.saved.known == 0
