"""Sums over runs: every division of the same runs adds up to the same, and what is unknown stays so."""

from __future__ import annotations

from decimal import Decimal
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.cost.runs import RecordedRun, at
from tests.cost.test_properties import runs
from tests.cost.writing import money
from tests.decoding.codecs import encoded
from tests.decoding.test_decoder import research as recorded
from tests.tables.fleet import DAY, FLEET, lost_calls, research, reset, support
from tracing import TracingConfig
from tracing import conventions as c
from tracing.cost import DIMENSIONS, Dimension, Period, RunAccount, Tally, account, tallies
from tracing.history import to_spans
from tracing.spans.model import Span
from tracing.tables.account_rows import spent


def written(spans: list[Span], *by: Dimension, when: Period | None = None) -> list[str]:
    found = tallies(account(spans), by, when or Period())
    return [
        f"{' '.join(str(value) for value in values)}: {tally.attempts} attempts, {tally.usage.calls} calls, "
        f"{tally.usage.input_tokens}+{tally.usage.output_tokens} tokens, {money(tally.amount)}, "
        f"waste {money(tally.waste)}, {tally.unknown_attempts} unknown"
        for values, tally in found.items()
    ]


def test_by_model_and_provider() -> None:
    assert written(support(), "provider", "model") == [
        "openai gpt-4o-2024-08-06: 1 attempts, 1 calls, 1000+50 tokens, 0.5 USD, waste 0 USD, 0 unknown",
        "vllm llama-4: 1 attempts, 1 calls, 70+7 tokens, unknown, waste 0 USD, 0 unknown",
    ]


def test_what_no_call_tells_of_is_of_an_unknown_model() -> None:
    """A killed attempt of the worked example; a call whose span was lost, and a step still open."""
    assert written(research(), "model") == [
        "gpt-4o-2024-08-06: 4 attempts, 4 calls, 6516+1020 tokens, 0.02649 USD, waste 0.0022675 USD, 0 unknown",
        "None: 1 attempts, 0 calls, 0+0 tokens, unknown, waste unknown, 1 unknown",
    ]
    assert written(lost_calls(), "model") == [
        "gpt-4o-2024-08-06: 1 attempts, 1 calls, 10+1 tokens, 0.125 USD, waste 0 USD, 0 unknown",
        "None: 2 attempts, 1 calls, 20+2 tokens, ≥ 0.0625 USD, waste unknown, 1 unknown",
    ]


def test_by_step_and_attempt() -> None:
    found = written(research(), "step", "attempt")

    assert found[2:6] == [
        "activity:3 call_llm 2: 1 attempts, 1 calls, 2003+307 tokens, 0.0080775 USD, waste 0 USD, 0 unknown",
        "activity:3 call_llm None: 1 attempts, 0 calls, 0+0 tokens, unknown, waste unknown, 1 unknown",
        "activity:4 call_llm 1: 1 attempts, 1 calls, 503+101 tokens, 0.0022675 USD, waste 0.0022675 USD, 0 unknown",
        "activity:4 call_llm 2: 1 attempts, 1 calls, 3001+401 tokens, 0.0115125 USD, waste 0 USD, 0 unknown",
    ]


def test_by_what_the_workflows_code_calls_its_steps() -> None:
    spans = [
        replace(span, attributes={**span.attributes, "temporal.summary": "Summing up"})
        if span.name == "StartActivity:call_llm" and span.attributes["temporalActivityID"] in {"3", "4"}
        else span
        for span in research()
    ]

    assert [line.partition(",")[0] for line in written(spans, "summary")] == [
        ": 3 attempts",
        "Summing up: 4 attempts",
    ]


def test_a_call_counts_on_its_own_day_and_a_run_with_two_tags_in_both() -> None:
    assert [line.partition(":")[0] for line in written(support(), "day")] == ["2026-11-18", "2026-11-19"]
    assert [line.partition(":")[0] for line in written(research(), "tag")] == ["beta", "eu"]
    assert [line.partition(":")[0] for line in written(lost_calls(), "tag")] == [""]


def test_only_what_began_in_a_period_counts() -> None:
    second_day = Period(since=at(DAY), until=at(2 * DAY))

    assert written(support(), "type", when=second_day) == [
        "SupportWorkflow: 1 attempts, 1 calls, 70+7 tokens, unknown, waste 0 USD, 0 unknown"
    ]
    assert written(support(), "type", when=Period(until=at(0))) == []


def test_a_run_without_any_model_call_is_counted() -> None:
    spans = [span for span in research() if span.name.startswith("RunWorkflow")]

    assert written(spans, "type", "model") == [
        "ResearchAgentWorkflow : 0 attempts, 0 calls, 0+0 tokens, 0 USD, waste 0 USD, 0 unknown"
    ]


def test_price_sources_are_named_with_the_calls_that_they_priced() -> None:
    [tally] = tallies(account(support()), ()).values()

    assert (tally.prices, tally.price_sources) == ({"genai-prices 0.2.3": 1}, ("genai-prices 0.2.3",))


def test_a_call_of_tokens_that_cannot_be_was_priced_by_none() -> None:
    spans = [
        replace(span, attributes=span.attributes | {"gen_ai.usage.output_tokens": 10**15})
        if span.attributes.get("durable.cost.source")
        else span
        for span in support()
    ]

    [tally] = tallies(account(spans), ()).values()

    assert not tally.prices
    assert not tally.usage.cost
    assert tally.usage.unknown_cost_calls == tally.usage.calls


@pytest.mark.parametrize(
    ("pending", "attempts", "wasted", "waste"), [(1, 1, 0, "0 USD"), (2, 1, 1, "unknown"), (3, 3, 2, "unknown")]
)
def test_an_attempt_that_still_runs_is_not_wasted_yet(pending: int, attempts: int, wasted: int, waste: str) -> None:
    """The server tells how many attempts of a step began; of these, the pending one still runs."""
    spans = [
        replace(span, attributes=span.attributes | {c.PENDING_STATE: "started", c.PENDING_ATTEMPT: pending})
        if span.name == "StartActivity:call_llm"
        else span
        for span in RecordedRun().step("call_llm", 4, None, made=attempts).spans(None, status="running")
    ]
    run = account(spans)

    [tally] = tallies(run, ()).values()

    assert (tally.attempts, tally.wasted_attempts, tally.unknown_attempts) == (attempts, wasted, attempts)
    assert [money(each.waste) for each in (tally, run)] == [waste, waste]
    assert [money(each.amount) for each in (tally, run)] == ["unknown", "unknown"]
    assert spent(run.steps)["wasted_attempts"] == wasted
    _assert_whole(run, ("step", "model"))


@pytest.mark.parametrize("name", ["research", "reset", "support", "lost"])
@pytest.mark.parametrize("by", [(), *((each,) for each in DIMENSIONS if each != "tag"), ("step", "attempt", "model")])
def test_every_division_adds_up_to_the_account(name: str, by: tuple[Dimension, ...]) -> None:
    run = account(FLEET[name]())

    _assert_whole(run, by)


@pytest.mark.parametrize("by", [(), *((each,) for each in DIMENSIONS)])
def test_results_that_nobody_decodes_are_counted_with_what_is_unknown(by: tuple[Dimension, ...]) -> None:
    run = account(to_spans(encoded(recorded()).read(), TracingConfig()))
    assert run.undecoded == 3

    _assert_whole(run, by)
    assert all(tally.amount.unknown_parts for tally in tallies(run, by).values() if tally.undecoded)


@pytest.mark.slow
@given(runs(), st.lists(st.sampled_from([each for each in DIMENSIONS if each != "tag"]), max_size=3, unique=True))
def test_every_division_of_any_run_adds_up_to_its_account(spans: list[Span], by: list[Dimension]) -> None:
    _assert_whole(account(spans), tuple(by))


def _assert_whole(run: RunAccount, by: tuple[Dimension, ...]) -> None:
    whole = Tally()
    for tally in tallies(run, by).values():
        whole.add(tally)
    assert (whole.usage, whole.amount, whole.waste) == (run.usage, run.amount, run.waste)
    assert (whole.unknown_attempts, whole.undecoded) == (run.unknown_attempts, run.undecoded)
    assert sum(whole.prices.values()) == sum(
        bool(call.price_source)
        for call in chain.from_iterable(attempt.calls for step in run.steps for attempt in step.attempts)
    )


def test_what_is_taken_out_again_leaves_nothing() -> None:
    whole, one = Tally(), tallies(account(reset()), ())[()]
    whole.add(one)
    whole.add(tallies(account(research()), ())[()])
    whole.remove(one)

    assert whole.amount.known == Decimal("0.02649")
    assert (whole.runs, whole.usage, whole.price_sources) == (1, account(research()).usage, ("genai-prices 0.2.3",))
