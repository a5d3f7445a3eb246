"""The report in a real browser."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.cost.runs import Attempt, Call, RecordedRun
from tests.report.sample import replay_of_research_run, research_run
from tracing import conventions as c
from tracing.cost import account, compare
from tracing.report import write_report

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

    from tracing.spans.model import Span

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = shutil.which("chromium") or shutil.which("google-chrome")
    assert program, "These tests need Chromium: apt-get install chromium."
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        yield browser
        browser.close()


class Opened:
    """A page, and what it did that it should not."""

    def __init__(self, page: Page, file: Path) -> None:
        self.page = page
        self.trouble: list[str] = []
        page.on("console", lambda message: self.trouble.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: self.trouble.append(f"error: {error}"))
        page.on("dialog", lambda dialog: self.trouble.append(f"dialog: {dialog.message}"))
        page.on("request", self._request)
        self._file = file.as_uri()
        page.goto(self._file)

    def _request(self, request: object) -> None:
        url = getattr(request, "url", "")
        if url != self._file:
            self.trouble.append(f"request: {url}")


@pytest.fixture
def opened(browser: Browser, tmp_path: Path) -> Iterator[Opened]:
    run, replayed = research_run(), replay_of_research_run()
    file = write_report(tmp_path / "report.html", [*run, *replayed], compare(account(run), account(replayed)))
    page = browser.new_page()
    yield Opened(page, file)
    page.close()


def test_rows_and_no_requests(opened: Opened) -> None:
    spans = len(research_run()) + len(replay_of_research_run())

    expect(opened.page.locator("tr.row")).to_have_count(spans)
    expect(opened.page.get_by_role("heading", name="First run and replay")).to_be_visible()
    assert opened.trouble == []


def test_a_click_opens_and_closes_a_row(opened: Opened) -> None:
    bar = opened.page.locator("tr.row.model td.time").first

    bar.click()
    details = opened.page.locator("tr.details")
    expect(details.get_by_role("heading", name="Input")).to_be_visible()
    expect(details.locator("pre").first).to_have_text("You are a careful research assistant.")
    expect(details.get_by_role("rowheader", name="gen_ai.response.model")).to_be_visible()
    bar.click()

    expect(details).to_have_count(0)
    assert opened.trouble == []


def test_the_keyboard_does_all_that_a_click_does(opened: Opened) -> None:
    page, keys = opened.page, opened.page.keyboard
    run = page.get_by_role("button", name="RunWorkflow:ResearchAgentWorkflow")

    run.focus()
    keys.press("Enter")
    expect(run).to_have_attribute("aria-expanded", "true")
    expect(page.locator("tr.details")).to_have_count(1)
    keys.press("Escape")
    expect(run).to_have_attribute("aria-expanded", "false")
    expect(page.locator("tr.details")).to_have_count(0)
    keys.press("Space")
    expect(page.locator("tr.details")).to_have_count(1)
    keys.press("ArrowDown")
    expect(page.get_by_role("button", name="StartActivity:call_llm").first).to_be_focused()
    keys.press("ArrowRight")
    expect(page.locator("tr.details")).to_have_count(2)
    keys.press("ArrowUp")
    expect(run).to_be_focused()
    keys.press("ArrowLeft")
    expect(run).to_have_attribute("aria-expanded", "false")
    assert opened.trouble == []


def test_bars_lie_where_their_times_say(opened: Opened) -> None:
    run = opened.page.locator("tr.row.run rect.bar").nth(1).bounding_box()
    step = opened.page.locator("tr.row.step").first.locator("td.time rect.bar").bounding_box()
    assert run is not None
    assert step is not None

    # The run takes 45 s; its first step begins after 1 s and takes 3 s.
    assert (step["x"] - run["x"]) / run["width"] == pytest.approx(1 / 45, abs=0.005)
    assert step["width"] / run["width"] == pytest.approx(3 / 45, abs=0.005)


@pytest.mark.parametrize(("scheme", "ground"), [("light", "rgb(252, 252, 251)"), ("dark", "rgb(21, 24, 28)")])
def test_light_and_dark(opened: Opened, scheme: str, ground: str) -> None:
    opened.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")

    expect(opened.page.locator("html")).to_have_css("background-color", ground)


def test_it_prints_dark_on_white(opened: Opened) -> None:
    opened.page.emulate_media(media="print", color_scheme="dark")

    expect(opened.page.locator("html")).to_have_css("background-color", "rgb(255, 255, 255)")
    expect(opened.page.locator("html")).to_have_css("color", "rgb(31, 35, 40)")


def test_hostile_text_neither_runs_nor_breaks_the_page(browser: Browser, tmp_path: Path) -> None:
    texts = [
        "</script><script>alert(1)</script>",
        "<img src=http://127.0.0.1:9/x onerror=alert(1)>",
        "\"><svg onload=alert(1)>' autofocus onfocus='alert(1)",
        "<!--<script>",
        "\u202eevil\u2066\x00\x1b[2J\u2028",
        "\ud83d half",
    ]
    page = browser.new_page()
    opened = Opened(page, write_report(tmp_path / "report.html", _hostile("".join(texts)), title=texts[0]))

    buttons = page.locator("tr.row button")
    for number in range(buttons.count()):
        buttons.nth(number).click()

    expect(page.locator("tr.row")).to_have_count(4)
    expect(page.locator("tr.details")).to_have_count(4)
    assert page.title() == texts[0]
    for summary in page.locator("summary").all():
        summary.click()
    shown = page.locator("body").inner_text()
    assert "⟨U+202E⟩evil⟨U+2066⟩⟨U+0000⟩⟨U+001B⟩[2J⟨U+2028⟩" in shown
    assert not set(shown) & {"\u202e", "\u2066", "\u2028", "\x1b"}
    assert page.locator("img, svg[onload], [onfocus], [onerror]").count() == 0
    assert opened.trouble == []
    page.close()


def _hostile(text: str) -> list[Span]:
    """A run with the text as every name, type, attribute, message, input and output."""
    messages = json.dumps([{"role": text, "parts": [{"type": "text", "content": text}]}])
    call = Call(1.6, 3.8, 0.001, 1, 1, model=text, asked=text, more={c.INPUT_MESSAGES: messages})
    run = RecordedRun("run-1", workflow_id=text, workflow_type=text)
    run.step(text, 1, 4, Attempt(1.5, 3.9, [call]), given=json.dumps(text), result=json.dumps({text: text}))
    spans = run.spans(given=json.dumps({"messages": [{"role": text, "content": text}]}), result=json.dumps(text))
    return [replace(span, attributes=span.attributes | {text: text}) for span in spans]
