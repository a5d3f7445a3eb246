from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest

from tests.cost.runs import Attempt, Call, RecordedRun
from tests.report.sample import replay_of_research_run, research_run
from tracing import conventions as c
from tracing.cost import account, compare
from tracing.report import render_report, write_report

if TYPE_CHECKING:
    from pathlib import Path

    from tracing.spans.model import Span


def test_the_file(tmp_path: Path) -> None:
    file = write_report(tmp_path / "report.html", research_run(), title="A run")

    assert file == tmp_path / "report.html"
    assert list(tmp_path.iterdir()) == [file]
    assert file.read_text("utf-8") == render_report(research_run(), title="A run")


def test_the_same_spans_give_the_same_bytes() -> None:
    spans = [*research_run(), *replay_of_research_run()]

    assert render_report(spans) == render_report([*spans, *spans])


def test_a_report_without_spans() -> None:
    assert "There are no spans." in render_report([])


def test_the_comparison_in_words() -> None:
    run, replayed = research_run(), replay_of_research_run()

    page = _Page(render_report([*run, *replayed], compare(account(run), account(replayed))))

    assert page.tables[0] == [
        ["Step", "Type", "State", "First run", "Replay", "Difference"],
        ["Calls", "Tokens", "Cost", "Calls", "Tokens", "Cost"],
        ["activity:1", "call_llm", "reused", "1", "1,009 → 211", "$0.004633", "-", "-", "-", "-$0.004633"],
        ["activity:2", "search_web", "reused", "-", "-", "-", "-", "-", "-", "$0"],
        ["activity:3", "search_web", "reused", "-", "-", "-", "-", "-", "-", "$0"],
        [
            "activity:4",
            "call_llm 1 attempt left no record",
            "reused",
            "2",
            "2,003 → 307",
            "≥ $0.008078",
            "-",
            "-",
            "-",
            "≤ -$0.008078",
        ],
        ["activity:5", "call_llm", "reused", "2", "3,504 → 502", "$0.013780", "-", "-", "-", "-$0.013780"],
        ["activity:6", "generate_report", "reused", "-", "-", "-", "-", "-", "-", "$0"],
        ["Sum", "5", "6,516 → 1,020", "≥ $0.026490", "-", "-", "$0", "≤ -$0.026490"],
    ]
    for words in (
        "Saved by reuse ≥ $0.024223",
        "Restarts from scratch ≥ $0.055345 estimate, 2 recovery points",
        "Retry waste ≥ $0.002268",
        "An attempt of activity:4 left no record, after 3 completed steps.",
        "A workflow task timed out, after 5 completed steps.",
        "The cost is at least what it says: 1 attempt left no full record, 1 call has no known price.",
    ):
        assert words in page.text


def test_steps_of_one_run_only() -> None:
    first = account(RecordedRun().step("plan", 1, 2).step("search", 3, 4).spans())
    second = account(RecordedRun("run-2").step("plan", 1, 2).spans())

    page = _Page(render_report([], compare(first, second)))

    assert page.tables[0][3] == ["activity:2", "search", "gone", "-", "-", "unknown", "not there", "-"]


def test_only_our_own_style_and_script_may_run() -> None:
    page = _Page(render_report(research_run()))

    hashes = [f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in page.active]
    assert page.policy == (
        f"default-src 'none'; style-src {hashes[0]}; script-src {hashes[1]}; base-uri 'none'; form-action 'none'"
    )
    assert page.metas.index("charset") < page.metas.index("Content-Security-Policy")
    assert not page.inline, "inline styles and handlers are what the policy forbids"
    assert not page.addresses, "nothing is loaded"


def test_the_details_of_a_model_call() -> None:
    page = _Page(render_report(research_run()))

    [trace] = page.details
    call = next(span for span in trace["spans"] if span["facts"][0] == ["span ID", "0000000000000001"])
    assert call["facts"] == [
        ["span ID", "0000000000000001"],
        ["parent", call["facts"][1][1]],
        ["kind", "client"],
        ["started", "2026-11-18 11:06:41.600 UTC"],
        ["took", "2.20 s"],
    ]
    assert [title for title, _ in call["panels"]] == ["Input", "Output"]
    assert json.loads(call["panels"][1][1]) == {"role": "assistant", "content": "1. Temporal 2. DBOS 3. Restate"}
    assert ["gen_ai.usage.input_tokens", "1009"] in call["attributes"]
    assert not [
        key for key, _ in call["attributes"] if key.startswith(("gen_ai.input", "gen_ai.output.mess", "input."))
    ]
    assert [c.WORKFLOW_ID, "research-durable-execution"] in trace["common"]
    assert not [key for key, _ in call["attributes"] if key == c.WORKFLOW_ID]


HOSTILE = (
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "\"><svg onload=alert(1)>' onfocus='alert(1)",
    "<!--<script>",
    "{{ 7 * 7 }}{% raw %}",
    "javascript:alert(1)",
    "\u202eevil\u2066\x00\x1b[2J\u2028",
    "\ud83d half",
    "]]>&lt;b&gt;",
)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(text: str) -> None:
    plain, hostile = _Page(render_report(_hostile("x"), title="x")), _Page(render_report(_hostile(text), title=text))

    assert hostile.elements == plain.elements
    assert hostile.active == plain.active
    assert hostile.inline == []
    assert "49" not in hostile.title


def test_text_that_would_turn_what_follows_is_shown_as_its_code() -> None:
    page = render_report(_hostile("\u202eevil\x1b[2J"), title="\u202eevil")

    assert not set(page) & {"\u202e", "\x1b"}
    assert "⟨U+202E⟩evil" in page


def test_infinite_numbers_do_not_break_the_page() -> None:
    spans = RecordedRun().step("call_llm", 1, 4, Attempt(1.5, 3.9, [Call(2, 3, 1e14, 10, 1)])).spans()

    assert "$100,000,000,000,000.000000" in render_report(spans)


def _hostile(text: str) -> list[Span]:
    """Spans with the text wherever a trace can put one."""
    run = RecordedRun(text, workflow_id=text, workflow_type=text)
    more = {c.INPUT_MESSAGES: json.dumps([{"role": text, "parts": [{"type": "text", "content": text}]}]), text: text}
    call = Call(1.6, 3.8, 0.001, 1, 1, model=text, asked=text, provider=text, more=more)
    run.step(text, 1, 4, Attempt(1.5, 3.9, [call]), activity_id=text, given=json.dumps(text), result=json.dumps(text))
    spans = run.spans(given=json.dumps(text), result=json.dumps(text))
    return [replace(span, attributes={**span.attributes, text: text, c.ERROR_TYPE: text}) for span in spans]


class _Page(HTMLParser):
    """What a browser would make of the page."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[str] = []
        self.metas: list[str] = []
        self.inline: list[str] = []
        self.addresses: list[str] = []
        self.active: list[str] = []
        self.tables: list[list[list[str]]] = []
        self.policy = self.title = ""
        self.details: list[dict[str, Any]] = []
        self._words: list[str] = []
        self._reading = ""
        self._in_cell = False
        self.feed(page)
        self.close()
        self.text = re.sub(r"\s+", " ", " ".join(self._words))
        self.tables = [
            [[re.sub(r"\s+", " ", cell.replace("–", "-")).strip() for cell in row] for row in rows]  # noqa: RUF001 - the page's dash
            for rows in self.tables
        ]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.elements.append(tag)
        self.inline += [name for name in attributes if name == "style" or name.startswith("on")]
        self.addresses += [
            value or "" for name, value in attrs if name in {"src", "href"} and not (value or "").startswith("#trace-")
        ]
        if tag == "meta":
            self.metas.append(attributes.get("http-equiv") or attributes.get("name") or "charset")
            self.policy = attributes.get("content") or "" if attributes.get("http-equiv") else self.policy
        elif tag in {"script", "style", "title"}:
            self._reading = attributes.get("type") or tag
        elif tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in {"td", "th"}:
            self.tables[-1][-1].append("")
            self._in_cell = True

    def handle_endtag(self, tag: str) -> None:
        if tag in {"script", "style", "title"}:
            self._reading = ""
        elif tag in {"td", "th"}:
            self._in_cell = False

    def handle_data(self, data: str) -> None:
        if self._reading == "application/json":
            self.details = json.loads(data)
        elif self._reading == "title":
            self.title += data
        elif self._reading:
            self.active.append(data)
        else:
            self._words.append(data.strip())
            if self._in_cell:
                self.tables[-1][-1][-1] += data
