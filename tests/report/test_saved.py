"""What does the page say that reused results saved?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.cost.runs import Attempt, RecordedRun
from tests.history.local_markers import run_and_resets_with_local_activities
from tests.report.sample import replay_of_research_run, research_run
from tests.report.test_report import data
from tests.tables.fleet import research, reset
from tracing import conventions as c
from tracing.cost import account, compare
from tracing.report import render_report
from tracing.spans.model import Link

if TYPE_CHECKING:
    pass

SAVED = re.compile(r"<dt>Saved</dt><dd><strong><span[^>]*>([^<]*)</span></strong>([^<]*)</dd>")


def in_rows(page: str) -> list[list[str]]:
    """What each step saved, trace by trace."""
    rows, _, strings = data(page)
    return [[strings[row[-1]] for row in trace["rows"] if row[-1] is not None] for trace in rows["traces"]]


def test_what_a_replay_saved_is_the_same_with_a_comparison_and_without() -> None:
    spans, again = research_run(), replay_of_research_run()
    comparison = compare(account(spans), account(again))
    assert SAVED.findall(render_report([*spans, *again], comparison)) == [
        ("≥ $0.024223", "by reused results"),
        ("≥ $0.024223", "what reused results cost once"),
    ]


def test_what_was_saved_is_unknown_where_the_run_that_paid_is_not_on_the_page() -> None:
    spans, again = research_run(), replay_of_research_run()
    assert SAVED.findall(render_report(again)) == [("unknown", "the run that paid is not on this page")]

    lost = next(span for span in spans if span.name == "StartActivity:search_web")
    attempts = {span.span_id for span in spans if span.parent_id == lost.span_id}
    rest = [span for span in spans if span.span_id not in {lost.span_id, *attempts}]
    assert SAVED.findall(render_report([*rest, *again])) == [("≥ $0.024223", "what reused results cost once")]


def test_results_that_cost_nothing_saved_nothing() -> None:
    base = RecordedRun("run-1").step("search_web", 1, 4, Attempt(1.5, 3.9)).spans()
    made = next(span for span in base if span.name == "StartActivity:search_web")
    taken = Link(made.trace_id, made.span_id, {c.RUN_ID: "run-1"})
    reset = RecordedRun("run-2").step("search_web", 1, 4, reused=True, links=(taken,)).spans()
    assert SAVED.findall(render_report([*base, *reset])) == [("$0", "what reused results cost once")]


def test_a_reset_of_a_reset_saved_what_the_first_run_had_spent() -> None:
    page = render_report([*research(), *reset(), *reset("run-5", base="run-2")])
    assert SAVED.findall(page) == [("$0.012710", "what reused results cost once")] * 2
    assert sorted(in_rows(page)) == [[], ["$0.004633", "$0.008078"], ["$0.004633", "$0.008078"]]


def test_it_is_unknown_where_a_reset_on_the_way_is_not_on_the_page() -> None:
    page = render_report([*research(), *reset("run-5", base="run-2")])
    assert SAVED.findall(page) == [("unknown", "the run that paid is not on this page")]


def test_resets_that_lead_in_a_circle_saved_nobody_knows_what() -> None:
    page = render_report([*research(), *reset("run-2", base="run-5"), *reset("run-5", base="run-2")])
    assert SAVED.findall(page) == [("unknown", "the run that paid is not on this page")] * 2


def test_a_reused_local_activity_saved_what_it_cost_once() -> None:
    base, again, once_more = run_and_resets_with_local_activities()
    assert SAVED.findall(render_report([*base, *again])) == [("$0.750000", "what reused results cost once")]
    page = render_report([*base, *again, *once_more])
    assert SAVED.findall(page) == [("$0.750000", "what reused results cost once")] * 2
    assert sorted(in_rows(page)) == [[], ["$0.250000"] * 3, ["$0.250000"] * 3]
