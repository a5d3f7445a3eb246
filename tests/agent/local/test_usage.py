"""Token counts that cannot be confused: distinct primes for every answer."""

from __future__ import annotations

from agent.local.journal import TokenUsage
from agent.local.model.usage import PrimeUsage, primes

PLAN, SUMMARY = b"the plan", b"a summary"


def test_the_numbers_follow_from_what_was_asked_and_how_often() -> None:
    usage = PrimeUsage()

    assert [usage.next(PLAN), usage.next(SUMMARY), usage.next(PLAN)] == [
        (1, TokenUsage(input_tokens=7687, cached_tokens=4517, output_tokens=3853, reasoning_tokens=149)),
        (1, TokenUsage(input_tokens=6353, cached_tokens=5801, output_tokens=2389, reasoning_tokens=307)),
        (2, TokenUsage(input_tokens=7933, cached_tokens=4271, output_tokens=2441, reasoning_tokens=181)),
    ]


def test_the_order_of_different_requests_does_not_matter() -> None:
    one, other = PrimeUsage(), PrimeUsage()

    plan_first = {"plan": one.next(PLAN), "summary": one.next(SUMMARY)}
    summary_first = {"summary": other.next(SUMMARY), "plan": other.next(PLAN)}

    assert plan_first == summary_first


def test_no_two_answers_share_a_number_and_parts_are_smaller_than_wholes() -> None:
    usage = PrimeUsage()
    answers = [usage.next(number.to_bytes(8, "big"))[1] for number in range(1000)]

    numbers = [
        number
        for answer in answers
        for number in (answer.input_tokens, answer.cached_tokens, answer.output_tokens, answer.reasoning_tokens)
    ]
    assert len(set(numbers)) == 4000
    assert set(numbers) <= set(primes(4200))
    assert min(numbers) == 101
    assert all(answer.cached_tokens < answer.input_tokens for answer in answers)
    assert all(answer.reasoning_tokens < answer.output_tokens for answer in answers)
    assert all(answer.total_tokens == answer.input_tokens + answer.output_tokens for answer in answers)


def test_primes() -> None:
    assert primes(10)[:10] == [2, 3, 5, 7, 11, 13, 17, 19, 23, 29]
    assert primes(1000)[999] == 7919
