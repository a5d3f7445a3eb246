"""What each row of the picture says, as the page's script gets it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from tests.cost.runs import Attempt, RecordedRun, at
from tests.report.sample import approval_run, replay_of_research_run, research_run
from tracing import conventions as c
from tracing.cost import accounts
from tracing.report.order import in_order
from tracing.report.rows import ROW_KINDS, Flag, Row, ordered_rows
from tracing.report.spent import Spent
from tracing.report.strings import Strings
from tracing.report.waits import Waits
from tracing.spans.model import NS_PER_S, Span, SpanKind

if TYPE_CHECKING:
    from collections.abc import Sequence

S = 1_000_000
"""A second, in µs."""
PERSON = ROW_KINDS.index("person")


def span(number: int, parent: int | None, start: int = 0) -> Span:
    return Span(1, number, parent, f"span {number}", SpanKind.INTERNAL, start, start + 10, {})


def order(*spans: Span) -> list[tuple[int, int]]:
    return [(each.span_id, level) for each, level in in_order(spans)]


def rows(spans: Sequence[Span], *others: Span) -> tuple[list[Row], list[str]]:
    """The rows of some spans of one trace, and their texts; `others` are on the page as well."""
    strings = Strings()
    by_trace = {of[0].trace_id: accounts(of) for of in (spans, others) if of}
    _, found = ordered_rows(spans, Spent(by_trace), strings)
    return found, strings.since(0)


def waits(spans: Sequence[Span]) -> list[tuple[tuple[str, int], ...]]:
    waited = Waits(spans)
    return [waited.before(each) for each in spans if each.name.startswith("RunActivity")]


def test_rows_stand_below_their_parents_as_they_began_and_orphans_at_the_margin() -> None:
    spans = span(1, None), span(2, 1, 5), span(3, 2, 6), span(4, 1, 1), span(5, 99, 2)
    assert order(*spans) == [(1, 1), (4, 2), (2, 2), (3, 3), (5, 1)]


def test_spans_that_are_their_own_ancestors_are_all_there() -> None:
    assert order(span(1, 2), span(2, 1, 5), span(3, 3, 9)) == [(1, 1), (2, 2), (3, 1)]


def test_a_row_holds_times_after_the_begin_in_us_and_texts_by_number() -> None:
    found, texts = rows(research_run())
    attempt = found[2]
    assert (ROW_KINDS[attempt.kind], texts[attempt.name]) == ("attempt", "RunActivity:call_llm")
    assert [texts[note] for note in attempt.notes] == ["attempt 1"]
    assert (attempt.level, attempt.start, attempt.took) == (3, 1.5 * S, 2.4 * S)
    assert (attempt.tokens, attempt.cost and texts[attempt.cost[0]]) == ((1009, 211), "$0.004633")


def test_the_first_attempt_waited_for_a_worker() -> None:
    assert waits(RecordedRun().step("ask", 1, 9, Attempt(3, 8)).spans()) == [(("queue", 2 * NS_PER_S),)]


def test_a_later_attempt_waited_for_its_turn() -> None:
    run = RecordedRun().step("ask", 1, 9, Attempt(1, 2, number=1), Attempt(5, 8, number=2))
    assert waits(run.spans()) == [(), (("backoff", 3 * NS_PER_S),)]


def test_of_a_later_attempt_whose_queue_time_is_known_that_is_no_backoff() -> None:
    run = RecordedRun().step("ask", 1, 9, Attempt(1, 2, number=1), Attempt(5, 8, number=2))
    spans = [
        replace(each, attributes=each.attributes | {c.QUEUE_TIME: 1.0}) if each.attributes.get(c.ATTEMPT) == 2 else each
        for each in run.spans()
    ]
    assert waits(spans)[1] == (("backoff", 2 * NS_PER_S), ("queue", NS_PER_S))


def test_before_an_attempt_are_those_that_left_no_record_since_the_step_or_the_last_known_one() -> None:
    run = RecordedRun().step("ask", 1, 9, Attempt(6, 8, number=3))
    assert waits(run.spans()) == [(("unrecorded", 5 * NS_PER_S),)]
    run = RecordedRun().step("ask", 1, 9, Attempt(1, 2, number=1), Attempt(6, 8, number=3))
    assert waits(run.spans())[1] == (("unrecorded", 4 * NS_PER_S),)


def test_a_queue_time_that_cannot_be_is_none() -> None:
    for absurd in (-1.0, 1e30, True, "long"):
        spans = RecordedRun().step("ask", 1, 9, Attempt(3, 8)).spans()
        spans[2] = replace(spans[2], attributes=spans[2].attributes | {c.QUEUE_TIME: absurd})
        assert waits(spans) == [()]


def test_flags_say_what_failed_was_tried_again_left_no_record_or_goes_on() -> None:
    found, texts = rows(research_run())
    flags = {(texts[row.name], row.start): Flag(row.flags) for row in found if row.flags}
    assert flags == {
        ("StartActivity:call_llm", 6 * S): Flag.RETRY | Flag.UNRECORDED,
        ("RunActivity:call_llm", 16 * S): Flag.RETRY,
        ("chat gpt-4o", 16_100_000): Flag.FAILED,
        ("StartActivity:call_llm", 20 * S): Flag.RETRY,
        ("RunActivity:call_llm", 20.5 * S): Flag.FAILED,
        ("RunActivity:call_llm", 23 * S): Flag.RETRY,
    }
    found, _ = rows(RecordedRun().step("ask", 1, None, Attempt(3, None)).spans(None))
    assert [Flag(row.flags) & Flag.OPEN for row in found] == [Flag.OPEN] * 3


def test_a_wait_for_a_person_is_a_row_of_its_own_kind_that_says_what_became_of_it() -> None:
    found, texts = rows(approval_run())
    assert [(texts[row.name], [texts[note] for note in row.notes]) for row in found if row.kind == PERSON] == [
        ("Timer", ["approval of the draft", "nobody answered in time"]),
        ("Timer", ["approval of the draft", "answered by grace"]),
    ]
    untold = [
        replace(each, attributes={key: value for key, value in each.attributes.items() if key != c.SUMMARY})
        for each in approval_run()
    ]
    found, texts = rows(untold)
    assert [texts[row.notes[0]] for row in found if row.kind == PERSON] == ["waiting for a person"] * 2


def test_workers_are_named_where_there_was_more_than_one() -> None:
    spans = RecordedRun().step("ask", 1, 4, Attempt(2, 3)).step("ask", 5, 8, Attempt(6, 7)).spans()
    found, texts = rows(spans)
    assert "on 4242@agent-host" not in texts
    spans[4] = replace(spans[4], attributes=spans[4].attributes | {c.WORKER_IDENTITY: "1@other-host"})
    found, texts = rows(spans)
    assert [texts[note] for row in found for note in row.notes if texts[note].startswith("on ")] == [
        "on 4242@agent-host",
        "on 1@other-host",
    ]


def test_a_reused_step_saved_what_it_cost_where_that_is_on_the_page() -> None:
    replay = replay_of_research_run()
    found, texts = rows(replay, *research_run())
    assert [row.saved and texts[row.saved] for row in found[1:]] == [
        "$0.004633",
        None,
        None,
        "≥ $0.008078",
        "$0.011513",
        None,
    ]
    found, _ = rows(replay)
    assert [row.saved for row in found] == [None] * 7


def test_times_do_not_run_backwards() -> None:
    backwards = Span(1, 1, None, "late", SpanKind.INTERNAL, at(5), at(4), {})
    assert rows([backwards])[0][0].took == 0
