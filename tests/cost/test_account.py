from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec.structs import replace

from tests.cost.runs import KILLED_RUN_TIMEOUTS, REFUSED, TIMED_OUT, Attempt, Call, RecordedRun, killed_run
from tests.cost.writing import written
from tracing import conventions as c
from tracing.cost import account, accounts
from tracing.spans.model import Span, SpanKind
from tracing.usage import Usage

PLAN = Call(1.6, 3.8, 0.0046325, 1009, 211, cached=512, reasoning=64)


def test_every_step_with_its_attempts() -> None:
    run = account(killed_run().spans(45, timeouts=KILLED_RUN_TIMEOUTS))

    assert (
        written(run)
        == """\
activity:1 call_llm: #1 [gpt-4o-2024-08-06], 1 calls, 1009+211 tokens, 0.0046325 USD, waste 0 USD
activity:2 search_web: #1 [], 0 calls, 0+0 tokens, 0 USD, waste 0 USD
activity:3 call_llm: #2 [gpt-4o-2024-08-06] missing, 1 calls, 2003+307 tokens, ≥ 0.0080775 USD, waste unknown
activity:4 call_llm: #1 BadAnswer [gpt-4o-2024-08-06] #2 [gpt-4o-2024-08-06], 2 calls, 3504+502 tokens, 0.01378 USD, \
waste 0.0022675 USD
activity:5 generate_report: #1 [], 0 calls, 0+0 tokens, 0 USD, waste 0 USD
= 4 calls, 6516+1020 tokens, ≥ 0.02649 USD, waste ≥ 0.0022675 USD, 1 unknown attempts"""
    )
    assert (run.run_id, run.workflow_id, run.workflow_type, run.namespace, run.status, run.replay_id) == (
        "run-1",
        "research-1",
        "ResearchAgentWorkflow",
        "default",
        "completed",
        "",
    )


def test_usage_by_model() -> None:
    run = RecordedRun().step(
        "call_llm",
        1,
        9,
        Attempt(
            1.5,
            8,
            [
                PLAN,
                Call(4, 5, None, 100, 10, model="local-7b", asked="local-7b", provider="ollama"),
                Call(6, 7, 0.0046325, 1009, 211),
            ],
        ),
    )

    assert account(run.spans()).by_model() == {
        ("openai", "gpt-4o-2024-08-06"): Usage(2, 2018, 422, 512, 64, Decimal("0.0092650")),
        ("ollama", "local-7b"): Usage(1, 100, 10, unknown_cost_calls=1),
    }


def test_the_model_clients_own_retries_are_calls_of_one_attempt() -> None:
    refused = Call(1.6, 1.7, None, error="RateLimitError")
    run = account(RecordedRun().step("call_llm", 1, 4, Attempt(1.5, 3.9, [refused, PLAN])).spans())

    assert (
        written(run)
        == """\
activity:1 call_llm: #1 [gpt-4o (RateLimitError) gpt-4o-2024-08-06], 2 calls, 1009+211 tokens, ≥ 0.0046325 USD, \
waste 0 USD
= 2 calls, 1009+211 tokens, ≥ 0.0046325 USD, waste 0 USD, 0 unknown attempts"""
    )
    assert [attempt.failed_calls for attempt in run.steps[0].attempts] == [1]


def test_all_attempts_of_a_step_that_failed_are_waste() -> None:
    run = RecordedRun().step(
        "call_llm",
        1,
        9,
        Attempt(1.5, 3.9, [PLAN], number=1, failure=REFUSED),
        Attempt(5, 8.9, [PLAN], number=2, failure=REFUSED),
        failure=REFUSED,
    )

    assert (
        written(account(run.spans(status="failed", failure=REFUSED)))
        == """\
activity:1 call_llm: #1 BadAnswer [gpt-4o-2024-08-06] #2 BadAnswer [gpt-4o-2024-08-06], 2 calls, 2018+422 tokens, \
0.009265 USD, waste 0.009265 USD
= 2 calls, 2018+422 tokens, 0.009265 USD, waste 0.009265 USD, 0 unknown attempts"""
    )


def test_what_an_attempt_did_before_its_timeout_is_unknown() -> None:
    run = RecordedRun().step("call_llm", 1, 9, Attempt(1.5, 9, failure=TIMED_OUT), failure=TIMED_OUT)

    assert (
        written(account(run.spans()))
        == """\
activity:1 call_llm: #1 TimeoutError [] unrecorded, 0 calls, 0+0 tokens, unknown, waste unknown
= 0 calls, 0+0 tokens, unknown, waste unknown, 1 unknown attempts"""
    )


def test_a_cost_that_is_wholly_unknown_is_none_not_zero() -> None:
    local = Call(1.6, 3.8, None, 1009, 211, model="local-7b")
    run = account(
        RecordedRun().step("call_llm", 1, 4, Attempt(1.5, 3.9, [local])).step("search_web", 4, 6, Attempt(4, 5)).spans()
    )

    assert (run.amount.usd, run.usage.unknown_cost_calls) == (None, 1)


def test_a_run_that_nobody_recorded_has_an_unknown_cost() -> None:
    run = RecordedRun().step("call_llm", 1, 4, Attempt(1.5, 3.9, recorded=False))

    assert (
        written(account(run.spans()))
        == """\
activity:1 call_llm: #1 [] unrecorded, 0 calls, 0+0 tokens, unknown, waste 0 USD
= 0 calls, 0+0 tokens, unknown, waste 0 USD, 1 unknown attempts"""
    )


def test_reused_steps_cost_nothing() -> None:
    run = RecordedRun().step("call_llm", 1, 4, reused=True).step("call_llm", 10, 14, Attempt(10.5, 13.9, [PLAN]))

    assert (
        written(account(run.spans()))
        == """\
activity:1 call_llm: nothing, 0 calls, 0+0 tokens, 0 USD, waste 0 USD (reused)
activity:2 call_llm: #1 [gpt-4o-2024-08-06], 1 calls, 1009+211 tokens, 0.0046325 USD, waste 0 USD
= 1 calls, 1009+211 tokens, 0.0046325 USD, waste 0 USD, 0 unknown attempts"""
    )


def test_what_a_step_still_open_spends_is_unknown() -> None:
    """And how often it was tried: of a step that never closed, no history says so."""
    run = RecordedRun().step("call_llm", 1, 4, Attempt(1.5, 3.9, [PLAN])).step("call_llm", 4, None)

    assert (
        written(account(run.spans(None, status="running")))
        == """\
activity:1 call_llm: #1 [gpt-4o-2024-08-06], 1 calls, 1009+211 tokens, 0.0046325 USD, waste 0 USD
activity:2 call_llm: nothing, 0 calls, 0+0 tokens, unknown, waste unknown (open)
= 1 calls, 1009+211 tokens, ≥ 0.0046325 USD, waste unknown, 0 unknown attempts"""
    )


def test_an_activity_id_used_twice_has_two_keys() -> None:
    run = (
        RecordedRun()
        .step("poll", 5, 7, Attempt(5.5, 6.9), activity_id="poll", nth=2)
        .step("poll", 1, 4, Attempt(1.5, 3.9), activity_id="poll")
    )

    assert [step.key for step in account(run.spans()).steps] == ["activity:poll", "activity:poll#2"]


def test_steps_of_one_task_stand_in_the_order_of_their_numbers() -> None:
    run = RecordedRun()
    for _ in range(11):
        run.step("search_web", 1, 4, Attempt(1.5, 3.9))
    root, *steps = run.spans()

    keys = [step.key for step in account([root, *reversed(steps)]).steps]

    assert keys == [f"activity:{number}" for number in range(1, 12)]


def test_live_and_exported_spans_of_one_run_count_once() -> None:
    spans = killed_run().spans(45, timeouts=KILLED_RUN_TIMEOUTS)
    live = [_live(span) for span in spans]

    assert account(live + spans) == account(spans)


def test_a_live_call_of_a_killed_attempt_is_counted_as_waste() -> None:
    """History knows of two attempts; what the first one asked came through before its worker was killed."""
    whole = RecordedRun().step(
        "call_llm", 1, 9, Attempt(1.5, 3.9, [PLAN], number=1), Attempt(5, 8, [Call(6, 7, 0.01, 1, 1)], number=2)
    )
    spans = [span for span in whole.spans() if span.attributes.get(c.ATTEMPT) != 1 or span.name.startswith("RunWork")]

    assert (
        written(account(spans))
        == """\
activity:1 call_llm: #? lost [gpt-4o-2024-08-06] unrecorded #2 [gpt-4o-2024-08-06], 2 calls, 1010+212 tokens, \
≥ 0.0146325 USD, waste ≥ 0.0046325 USD
= 2 calls, 1010+212 tokens, ≥ 0.0146325 USD, waste ≥ 0.0046325 USD, 1 unknown attempts"""
    )


def test_a_closing_attempt_whose_live_span_was_lost_is_known_by_the_sums_on_its_step() -> None:
    spans = RecordedRun().step("call_llm", 1, 4, Attempt(1.5, 3.9, [PLAN])).spans()
    root, step = (_live(span) for span in spans if span.name.startswith(("RunWorkflow", "StartActivity")))

    assert (
        written(account([root, step]))
        == """\
activity:1 call_llm: #1 [], 1 calls, 1009+211 tokens, 0.0046325 USD, waste 0 USD
= 1 calls, 1009+211 tokens, 0.0046325 USD, waste 0 USD, 0 unknown attempts"""
    )


def test_calls_whose_spans_are_missing_are_known_by_the_sums_on_their_attempt() -> None:
    spans = RecordedRun().step("call_llm", 1, 4, Attempt(1.5, 3.9, [PLAN])).spans()

    run = account([span for span in spans if not span.name.startswith("chat")])

    assert (run.usage, run.by_model()) == (Usage(1, 1009, 211, 512, 64, Decimal("0.0046325")), {})


def test_calls_without_any_span_of_their_step() -> None:
    spans = RecordedRun().step("call_llm", 1, 4, Attempt(1.5, 3.9, [PLAN])).spans()

    run = account([span for span in spans if span.name.startswith("chat")])

    assert (
        written(run)
        == """\
activity:1 unknown: #? lost [gpt-4o-2024-08-06] unrecorded, 1 calls, 1009+211 tokens, ≥ 0.0046325 USD, \
waste ≥ 0.0046325 USD (open)
= 1 calls, 1009+211 tokens, ≥ 0.0046325 USD, waste ≥ 0.0046325 USD, 1 unknown attempts"""
    )
    assert run.status == "unknown"


def test_a_local_activity_has_no_step_span() -> None:
    spans = RecordedRun().step("tokenize", 1, 4, Attempt(1.5, 3.9, [PLAN])).spans()
    local = [
        replace(span, parent_id=spans[0].span_id) if span.name == "RunActivity:tokenize" else span
        for span in spans
        if span.name != "StartActivity:tokenize"
    ]

    assert (
        written(account(local))
        == """\
activity:1 tokenize: #1 [gpt-4o-2024-08-06], 1 calls, 1009+211 tokens, 0.0046325 USD, waste 0 USD
= 1 calls, 1009+211 tokens, 0.0046325 USD, waste 0 USD, 0 unknown attempts"""
    )


def test_calls_made_by_workflow_code_are_not_lost() -> None:
    root, _, _, call = RecordedRun().step("call_llm", 1, 4, Attempt(1.5, 3.9, [PLAN])).spans()
    attributes = {key: value for key, value in call.attributes.items() if key != c.ACTIVITY_ID}

    run = account([root, replace(call, parent_id=root.span_id, attributes=attributes)])

    assert (
        written(run)
        == """\
workflow workflow code: #? [gpt-4o-2024-08-06], 1 calls, 1009+211 tokens, 0.0046325 USD, waste 0 USD
= 1 calls, 1009+211 tokens, 0.0046325 USD, waste 0 USD, 0 unknown attempts"""
    )


def test_runs_of_one_trace_are_told_apart() -> None:
    parent = killed_run().spans(45)
    child = RecordedRun("run-2", workflow_id="child-1").step("call_llm", 1, 4, Attempt(1.5, 3.9, [PLAN])).spans(9)
    joined = [replace(span, trace_id=parent[0].trace_id) for span in child]
    request = Span(parent[0].trace_id, 77, None, "POST /research", SpanKind.SERVER, 0, 1, {})

    found = accounts([request, *parent, *joined])

    assert [(run.run_id, run.usage.calls) for run in found] == [("run-1", 4), ("run-2", 1)]


def test_account_takes_one_run() -> None:
    two = killed_run().spans(45) + RecordedRun("run-2").spans(9)

    with pytest.raises(ValueError, match=r"these are of 2 \(run-1, run-2\): use accounts\(\)"):
        account(two)
    with pytest.raises(ValueError, match=r"these are of 0 \(none\)"):
        account([])


def test_spans_that_are_their_own_ancestors_end_no_loop() -> None:
    spans = RecordedRun().step("call_llm", 1, 4, Attempt(1.5, 3.9, [PLAN])).spans()
    call = spans[-1]
    tied = replace(call, parent_id=99)
    other = replace(call, span_id=99, parent_id=call.span_id, attributes=spans[0].attributes)

    run = account([*spans[:-1], tied, other])

    # What the attempt's sums say, and the call that is in no attempt.
    assert [(step.key, step.usage.calls) for step in run.steps] == [("activity:1", 2)]


def _live(span: Span) -> Span:
    """The span as the worker sent it: without the IDs of events, which workers are not told."""
    return replace(span, attributes={key: value for key, value in span.attributes.items() if key != c.EVENT_IDS})
