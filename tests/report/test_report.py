from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

from tests.report.hostile import TEXT, hostile_spans
from tests.report.sample import replay_of_research_run, research_run
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


def span(number: int, parent: int | None, start: int = 0, trace: int = 1) -> Span:
    return Span(trace, number, parent, f"span {number}", SpanKind.INTERNAL, start, start + 10, {})


def levels(page: str) -> list[tuple[str, str]]:
    return re.findall(r'aria-level="(\d+)".*?<bdi>(.*?)</bdi>', page, re.DOTALL)


def details(page: str) -> Any:
    found = re.search(r'<script type="application/json" id="details">(.*?)</script>', page, re.DOTALL)
    assert found
    return json.loads(found[1])


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


def test_hostile_text_stays_text() -> None:
    page = render_report(hostile_spans(), title=TEXT)
    elements = Parsed(page).elements
    assert [tag for tag, _ in elements if tag in {"script", "img", "style"}] == ["style", "script", "script"]
    assert [name for _, attributes in elements for name in attributes if name.startswith("on")] == []
    assert not re.search("[\x00\x1b\u202e\u2066\ud800\U000e0041]", page)
    shown = details(page)[0]["spans"][1]["error"]
    assert shown.startswith("</script><script>")
    assert shown.endswith("⟨U+202E⟩gnp.exe⟨U+2066⟩ ⟨U+001B⟩[31m ⟨U+0000⟩ ⟨U+D800⟩ ⟨U+E0041⟩ {{ 7 * 7 }} {% raw %}")


def test_rows_stand_below_their_parents_and_orphans_at_the_margin() -> None:
    page = render_report([span(1, None), span(2, 1, 5), span(3, 2, 6), span(4, 1, 1), span(5, 99, 2)])
    assert levels(page) == [("1", "span 1"), ("2", "span 4"), ("2", "span 2"), ("3", "span 3"), ("1", "span 5")]


def test_spans_that_are_their_own_ancestors_are_all_there() -> None:
    page = render_report([span(1, 2), span(2, 1, 5), span(3, 3, 9)])
    assert levels(page) == [("1", "span 1"), ("2", "span 2"), ("1", "span 3")]


def test_each_trace_has_a_waterfall_of_its_own_in_the_order_they_began() -> None:
    page = render_report([span(1, None, 900, trace=7), span(1, None, 5, trace=8)])
    assert [each["spans"][0]["facts"][7] for each in details(page)] == [
        ["Trace ID", f"{8:032x}"],
        ["Trace ID", f"{7:032x}"],
    ]


def test_a_comparison_is_shown_step_by_step() -> None:
    spans, again = research_run(), replay_of_research_run()
    page = render_report([*spans, *again], compare(account(spans), account(again)))
    rows = [" ".join(row).replace("\N{EN DASH}", "-") for row in Parsed(page).tables]
    assert rows == [
        "Step Type State First run Replay Difference",
        "Calls Tokens Cost Calls Tokens Cost",
        "activity:1 call_llm reused 1 1,009 → 211 $0.004633 - - - -$0.004633",
        "activity:2 search_web reused - - - - - - -",
        "activity:3 search_web reused - - - - - - -",
        "activity:4 call_llm 1 attempt left no record reused 2 2,003 → 307 ≥ $0.008078 - - - ≤ -$0.008078",
        "activity:5 call_llm reused 2 3,504 → 502 $0.013780 - - - -$0.013780",
        "activity:6 generate_report reused - - - - - - -",
        "Total 5 6,516 → 1,020 ≥ $0.026490 - - - ≤ -$0.026490",
    ]
    cards = re.findall(r"<dt>([^<]*)</dt><dd><strong><span[^>]*>([^<]*)</span>", page)
    assert cards == [
        ("First run", "≥ $0.026490"),
        ("Replay", "$0"),
        ("Saved", "≥ $0.024223"),
        ("Counterfactual (estimate)", "≥ $0.055345"),
        ("Retry waste", "≥ $0.002268"),
    ]


def test_a_link_leads_to_its_span_where_that_is_on_the_page() -> None:
    spans, again = research_run(), replay_of_research_run()
    links = [each["links"] for each in details(render_report([*spans, *again]))[1]["spans"]]
    assert links[0][0]["row"] == "row-0-0"
    assert details(render_report(again))[0]["spans"][0]["links"][0]["row"] is None


def test_no_spans_make_a_page_that_says_so() -> None:
    assert "<p>There are no spans.</p>" in render_report([])
