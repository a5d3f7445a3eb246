from __future__ import annotations

from dataclasses import replace

from tests.cost.runs import Attempt, RecordedRun
from tests.report.sample import replay_of_research_run, research_run
from tracing.cost import accounts
from tracing.report.text import money
from tracing.report.waterfall import Waterfall, waterfall
from tracing.spans.model import Span


def test_a_run() -> None:
    assert (
        _written(_picture(research_run()))
        == """\
run RunWorkflow:ResearchAgentWorkflow 0..100 45.00 s ≥ $0.026490 ! workflow task timed out at 88.889
  step StartActivity:call_llm 2.222..8.889 3.00 s $0.004633
    attempt RunActivity:call_llm 3.333..8.667 after 1.111 2.40 s $0.004633 (attempt 1)
      model chat gpt-4o 3.556..8.444 2.20 s $0.004633
  step StartActivity:search_web 8.889..13.333 2.00 s
    attempt RunActivity:search_web 10.889..13.111 after 2.0 1.00 s (attempt 1)
  step StartActivity:search_web 8.889..12.222 1.50 s
    attempt RunActivity:search_web 10.222..12.0 after 1.333 800 ms (attempt 1)
  step StartActivity:call_llm 13.333..44.444 14.00 s ≥ $0.008078 [1 attempt left no record]
    attempt RunActivity:call_llm 35.556..44.222 3.90 s ≥ $0.008078 (attempt 2)
      model chat gpt-4o 35.778..36.444 300 ms unknown failed [RateLimitError]
      model chat gpt-4o 36.889..44.0 3.20 s $0.008078
  step StartActivity:call_llm 44.444..66.667 10.00 s $0.013780
    attempt RunActivity:call_llm 45.556..48.889 after 1.112 1.50 s $0.002268 failed (attempt 1) [BadAnswer]
      model chat gpt-4o 45.778..48.667 1.30 s $0.002268
    attempt RunActivity:call_llm 51.111..66.444 6.90 s $0.011513 (attempt 2)
      model chat gpt-4o 51.333..66.222 6.70 s $0.011513
  step Timer 66.667..68.889 1.00 s
  step HandleSignal:approve 77.778..77.778 0 µs
  step StartActivity:generate_report 91.111..95.556 2.00 s
    attempt RunActivity:generate_report 92.222..95.333 after 1.111 1.40 s (attempt 1)"""
    )
    assert [(tick.at, tick.name) for tick in _picture(research_run()).ticks] == [
        (0.0, "0"),
        (22.222, "10 s"),
        (44.444, "20 s"),
        (66.667, "30 s"),
        (88.889, "40 s"),
    ]


def test_a_replay() -> None:
    picture = _picture(replay_of_research_run())

    assert _written(picture).splitlines()[:2] == [
        "run ReplayWorkflow:ResearchAgentWorkflow 0..100 40 ms $0",
        "  step StartActivity:call_llm 10.0..20.0 4.0 ms reused",
    ]
    assert picture.shows == {"run", "reused"}


def test_the_legend_explains_what_is_there() -> None:
    assert _picture(research_run()).shows == {"run", "step", "attempt", "model", "queue", "failed", "mark"}


def test_a_span_that_is_open_reaches_to_the_end() -> None:
    run = (
        RecordedRun().step("call_llm", 1, 4, Attempt(1.5, 3.9)).step("call_llm", 4, None).spans(None, status="running")
    )

    assert [(row.open, row.start + row.width) for row in _picture(run).rows if row.open] == [(True, 100), (True, 100)]


def test_a_span_whose_parent_is_missing_stands_at_the_margin() -> None:
    spans = [span for span in research_run() if not span.name.startswith("RunWorkflow")]

    assert _written(_picture(spans)).startswith("step StartActivity:call_llm 0..")


def test_no_span_is_lost_where_parents_run_in_circles() -> None:
    first, second, *rest = research_run()
    circle = [replace(first, parent_id=second.span_id), replace(second, parent_id=first.span_id), *rest]

    assert {row.span.span_id for row in _picture(circle).rows} == {span.span_id for span in circle}


def test_an_instant_and_times_beyond_reason() -> None:
    root = research_run()[0]

    assert _written(_picture([replace(root, end=root.start, events=())])).startswith("run RunWorkflow")
    wild = [replace(root, start=0, end=1 << 63), replace(root, span_id=7, start=1 << 62, end=None)]
    assert all(0 <= row.start <= 100 and 0 <= row.width <= 100 for row in _picture(wild).rows)
    assert len(_picture(wild).ticks) <= 8


def _picture(spans: list[Span]) -> Waterfall:
    return waterfall(spans, accounts(spans))


def _written(picture: Waterfall) -> str:
    lines = []
    for row in picture.rows:
        parts = [row.kind, row.span.name, f"{_number(row.start)}..{_number(row.start + row.width)}"]
        parts += [f"after {_number(row.queue)}"] if row.queue else []
        parts += [row.duration]
        parts += [money(row.amount)] if row.amount is not None else []
        parts += ["failed"] * row.failed + ["reused"] * row.reused
        parts += [f"({row.label})"] if row.label else []
        parts += [f"[{note}]" for note in row.notes]
        parts += [f"! {mark.name} at {mark.at}" for mark in row.marks]
        lines.append("  " * row.depth + " ".join(parts))
    return "\n".join(lines)


def _number(percent: float) -> str:
    rounded = round(percent, 3)
    return str(int(rounded)) if rounded in {0, 100} else str(rounded)
