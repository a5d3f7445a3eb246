from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest

from benchmarks.report_pages import agent_run
from tests.cost.runs import Attempt, Call, RecordedRun
from tests.report.hostile import TEXT, hostile_spans
from tests.report.sample import approval_run, replay_of_research_run, research_run
from tracing.cost import account, compare
from tracing.report import render_report, write_report
from tracing.spans.model import Span, SpanKind

if TYPE_CHECKING:
    from pathlib import Path


class Parsed(HTMLParser):
    """The elements of a page, as a browser would find them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.rows: list[str] = []
        self.tables: list[list[str]] = []
        self._row: list[str] | None = None
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag == "tr":
            self._row = []

    def handle_endtag(self, tag: str) -> None:
        if tag == "tr" and self._row is not None:
            self.tables.append([text for text in self._row if text])
            self._row = None

    def handle_data(self, data: str) -> None:
        if self._row is not None:
            self._row.append(data.strip())


def data(page: str) -> tuple[Any, Any, list[str]]:
    """Rows and details of a page, and the texts that both name by number."""
    rows, details = (
        json.loads(found) for found in re.findall(r'<script type="application/json" id="\w+">(.*?)</script>', page)
    )
    return rows, details, rows["strings"] + details["strings"]


def test_time_that_a_run_waited_for_persons_has_a_card_and_a_colour_of_its_own() -> None:
    page = render_report(approval_run())
    assert (
        '<div class="person"><dt>Waited for persons</dt>'
        "<dd><strong>1 d 59 min 57 s</strong><bdi>answered by grace</bdi></dd></div>"
    ) in page
    assert '<i class="bar person" aria-hidden="true"></i>waiting for a person' in page
    assert "Waited for persons" not in render_report(research_run())


def test_the_same_spans_make_the_same_bytes(tmp_path: Path) -> None:
    first, second = tmp_path / "first.html", tmp_path / "second.html"
    assert write_report(first, research_run()) == first
    write_report(second, list(reversed(research_run())))
    assert first.read_bytes() == second.read_bytes()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["first.html", "second.html"]


def test_it_names_nothing_to_load_and_lets_only_its_own_script_and_style_run() -> None:
    spans, again = research_run(), replay_of_research_run()
    page = render_report([*spans, *again], compare(account(spans), account(again)))
    assert not re.search(r"(?:src|href|action)\s*=\s*[\"'](?!#)|url\((?!#)|@import|https?:", page)
    policy = next(
        each["content"] for tag, each in Parsed(page).elements if each.get("http-equiv") == "Content-Security-Policy"
    )
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    script = re.search(r"<script>(.*?)</script>", page, re.DOTALL)
    assert style
    assert script
    hashes = [base64.b64encode(hashlib.sha256(each[1].encode()).digest()).decode() for each in (style, script)]
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{hashes[0]}'; script-src 'sha256-{hashes[1]}'; "
        "base-uri 'none'; form-action 'none'"
    )
    assert " style=" not in page  # the policy would refuse it


@pytest.mark.slow
def test_hostile_text_stays_text() -> None:
    page = render_report(hostile_spans(), title=TEXT)
    elements = Parsed(page).elements
    assert [tag for tag, _ in elements if tag in {"script", "img", "style"}] == ["style", *["script"] * 3]
    assert [name for _, attributes in elements for name in attributes if name.startswith("on")] == []
    assert not re.search("[\x00\x1b\u2028\u202e\u2066\ud800\U000e0041]", page)
    _, details, strings = data(page)
    shown = strings[details["traces"][0]["spans"][2][4]]
    assert shown.startswith("</script><script>")
    assert "⟨U+202E⟩gnp.exe⟨U+2066⟩ ⟨U+001B⟩[31m ⟨U+0000⟩ ⟨U+D800⟩ ⟨U+E0041⟩" in shown
    assert shown.endswith("{{ 7 * 7 }} {% raw %}")


def test_a_text_stands_in_the_data_once(tmp_path: Path) -> None:
    _, _, strings = data(render_report(research_run()))
    assert len(strings) == len(set(strings))
    assert [text for text in strings if text.endswith("careful research assistant.")] == [
        "You are a careful research assistant."
    ]
    few, many = (write_report(tmp_path / "report.html", agent_run(spans)).stat().st_size for spans in (401, 4_001))
    assert (many - few) / 3_600 < 500  # bytes a span, messages and all


def test_each_trace_has_a_waterfall_of_its_own_in_the_order_they_began() -> None:
    late, early = (
        Span(trace, 1, None, "span", SpanKind.INTERNAL, start, 910, {}) for trace, start in ((7, 900), (8, 5))
    )
    rows, details, _ = data(render_report([late, early]))
    assert [trace["id"] for trace in rows["traces"]] == [f"{8:032x}", f"{7:032x}"]
    assert [len(trace["spans"]) for trace in details["traces"]] == [1, 1]


def test_a_comparison_is_shown_step_by_step() -> None:
    spans, again = research_run(), replay_of_research_run()
    page = render_report([*spans, *again], compare(account(spans), account(again)))
    rows = [" ".join(row).replace("\N{EN DASH}", "-") for row in Parsed(page).tables]
    assert rows[3:12] == [
        "Step Type State First run Replay Difference",
        "Calls Tokens Cost Calls Tokens Cost",
        "activity:1 call_llm reused 1 1,009 → 211 $0.004633 - - - -$0.004633",
        "activity:2 search_web reused - - - - - - -",
        "activity:3 search_web reused - - - - - - -",
        "activity:4 call_llm 1 attempt left no record reused 2 2,003 → 307 ≥ $0.008078 - - - unknown",
        "activity:5 call_llm reused 2 3,504 → 502 $0.013780 - - - -$0.013780",
        "activity:6 generate_report reused - - - - - - -",
        "Total 5 6,516 → 1,020 ≥ $0.026490 - - - unknown",
    ]
    name = "ResearchAgentWorkflow research-durable-execution"
    assert rows[:3] == [
        "Run Status Started Took Spans Calls Tokens Cost Retry waste",
        f"{name} completed 2026-11-18 11:06:40.000 UTC 45.00 s 21 5 6,516 → 1,020 ≥ $0.026490 ≥ $0.002268",
        f"Replay of {name} reproduced 2026-11-18 11:16:40.000 UTC 40 ms 7 - - - -",
    ]
    cards = re.findall(r"<dt>([^<]*)</dt><dd><strong><span[^>]*>([^<]*)</span>", page)
    assert cards[:5] == [
        ("First run", "≥ $0.026490"),
        ("Replay", "$0"),
        ("Saved", "≥ $0.024223"),
        ("Counterfactual (estimate)", "≥ $0.055345"),
        ("Retry waste", "≥ $0.002268"),
    ]


def test_what_only_one_of_two_runs_did_is_in_their_difference() -> None:
    more = (
        RecordedRun("run-1")
        .step("plan", 1, 4, Attempt(1.5, 3.9, [Call(1.6, 3.8, 0.25, 1009, 211)]))
        .step("write", 4, 8, Attempt(4.5, 7.9, [Call(5, 7, 0.5, 2003, 307)]))
        .spans()
    )
    less = RecordedRun("run-2").step("plan", 1, 4, Attempt(1.5, 3.9, [Call(1.6, 3.8, 0.125, 1009, 211)])).spans()

    for first, second, differences in (
        (more, less, ["-$0.125000", "-$0.500000", "-$0.625000"]),
        (less, more, ["+$0.125000", "+$0.500000", "+$0.625000"]),
    ):
        page = render_report([*first, *second], compare(account(first), account(second)))
        rows = [row for row in Parsed(page).tables if row[0] in {"activity:1", "activity:2", "Total"}]
        assert [row[-1] for row in rows[:3]] == differences


@pytest.mark.parametrize(
    ("before", "after"),
    [((0.25, None), (0.125, 0.5)), ((0.25, 0.5), (0.125, None)), ((0.25, None), (0.125, None))],
    ids=["first", "second", "both"],
)
def test_a_difference_is_unknown_where_the_cost_of_a_call_is_as_compare_says(
    before: tuple[float, float | None], after: tuple[float, float | None]
) -> None:
    first, second = (planned(name, *costs) for name, costs in (("run-1", before), ("run-2", after)))
    comparison = compare(account(first), account(second))

    page = render_report([*first, *second], comparison)
    rows = [row for row in Parsed(page).tables if row[0] in {"activity:1", "activity:2", "Total"}]
    assert [row[-1] for row in rows[:3]] == ["-$0.125000", "unknown", "unknown"]

    said = comparison.as_json()
    assert [step["difference"]["cost_usd"] for step in said["steps"]] == [-0.125, None]
    assert said["difference"]["cost_usd"] is None


def planned(run_id: str, plan: float, write: float | None) -> list[Span]:
    """A run of two steps with a model call each, which cost so much in USD; None is unknown."""
    return (
        RecordedRun(run_id)
        .step("plan", 1, 4, Attempt(1.5, 3.9, [Call(1.6, 3.8, plan, 1009, 211)]))
        .step("write", 4, 8, Attempt(4.5, 7.9, [Call(5, 7, write, 2003, 307)]))
        .spans()
    )


def test_a_link_leads_to_its_span_where_that_is_on_the_page() -> None:
    spans, again = research_run(), replay_of_research_run()
    _, details, _ = data(render_report([*spans, *again]))
    links = [span[8] for span in details["traces"][1]["spans"]]
    assert links[0][0][2] == 0  # the run's row
    _, details, _ = data(render_report(again))
    assert details["traces"][0]["spans"][0][8][0][2] is None


def test_recovery_points_stand_in_words_and_in_the_picture() -> None:
    page = render_report(research_run())
    rows, _, strings = data(page)
    assert [(at, strings[sign]) for at, sign in rows["traces"][0]["recoveries"]] == [
        (6_000_000, "worker lost: an attempt left no record"),
        (40_000_000, "worker lost: a workflow task timed out"),
    ]
    assert "2 recovery points: where the run went on after its worker was lost" in page


def test_no_spans_make_a_page_that_says_so() -> None:
    assert "<p>There are no spans.</p>" in render_report([])
