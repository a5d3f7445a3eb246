"""The report in a real Chromium."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Protocol

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.report.hostile import hostile_spans
from tests.report.sample import replay_of_research_run, research_run
from tracing import conventions as c
from tracing.cost import account, compare
from tracing.report import write_report
from tracing.spans.model import Span, SpanKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from playwright.sync_api import Browser, Page, Route

pytestmark = pytest.mark.e2e


class Opener(Protocol):
    def __call__(self, spans: Sequence[Span], *, compared: Sequence[Span] = (), width: int = 1400) -> Page: ...


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = os.environ.get("CHROMIUM") or shutil.which("chromium")
    assert program, "Chromium was not found: install Debian's chromium, or name the program in CHROMIUM."
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        yield browser
        browser.close()


@pytest.fixture
def opened(browser: Browser, tmp_path: Path) -> Iterator[Opener]:
    """Opens a report, and shows at the end that it asked for nothing and that nothing went wrong in it."""
    context = browser.new_context()
    trouble: list[str] = []

    def open_report(spans: Sequence[Span], *, compared: Sequence[Span] = (), width: int = 1400) -> Page:
        comparison = compare(account(spans), account(compared)) if compared else None
        file = write_report(tmp_path / "report.html", [*spans, *compared], comparison).as_uri()
        page = context.new_page()
        page.set_viewport_size({"width": width, "height": 1000})
        page.on("console", lambda message: trouble.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: trouble.append(f"error: {error}"))
        page.on("dialog", lambda dialog: trouble.append(f"dialog: {dialog.message}"))

        def only_the_file(route: Route) -> None:
            if route.request.url == file:
                route.continue_()
            else:
                trouble.append(f"request: {route.request.url}")
                route.abort()

        page.route("**/*", only_the_file)
        page.goto(file)
        return page

    yield open_report
    context.close()
    assert trouble == []


def test_each_span_has_a_row(opened: Opener) -> None:
    page = opened(research_run(), compared=replay_of_research_run())
    assert [" ".join(text.split()) for text in page.locator(".row .name").all_inner_texts()[:8]] == [
        "RunWorkflow:ResearchAgentWorkflow",
        "StartActivity:call_llm",
        "RunActivity:call_llm attempt 1",
        "chat gpt-4o",
        "StartActivity:search_web",
        "RunActivity:search_web attempt 1",
        "StartActivity:search_web",
        "RunActivity:search_web attempt 1",
    ]
    assert page.locator(".row").count() == len(research_run()) + len(replay_of_research_run())
    assert page.locator(".bar.reused").count() == 7  # six steps of the replay, and the legend


def test_a_reader_needs_no_mouse(opened: Opener) -> None:
    page = opened(research_run())
    page.keyboard.press("/")
    expect(page.locator("#search")).to_be_focused()
    for key in ("ArrowDown", "ArrowDown", "ArrowDown", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    expect(page.locator("#panel-title")).to_have_text("chat gpt-4o")
    assert page.locator(".message .role").all_inner_texts() == ["system", "user", "assistant (stop)"]
    page.keyboard.press("ArrowUp")
    expect(page.locator("#panel-title")).to_have_text("RunActivity:call_llm")
    page.keyboard.press("Escape")
    expect(page.locator("#panel")).to_be_hidden()
    expect(page.locator("#row-0-2")).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#row-0-2")).to_have_attribute("aria-expanded", "false")
    expect(page.locator("#row-0-3")).to_be_hidden()
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#row-0-1")).to_be_focused()


def test_a_click_opens_details_and_the_arrow_folds(opened: Opener) -> None:
    page = opened(research_run())
    page.locator(".row.attempt.failed").click()
    expect(page.locator("#panel")).to_contain_text("BadAnswer")
    page.locator("#row-0-0 .fold").click()
    expect(page.locator(".row:visible")).to_have_count(1)
    page.locator("#expand").click()
    expect(page.locator(".row:visible")).to_have_count(len(research_run()))


def test_a_link_leads_from_the_replay_to_the_run(opened: Opener) -> None:
    page = opened(research_run(), compared=replay_of_research_run())
    page.locator("#row-1-0").click()
    page.get_by_role("button", name="Go to this span").first.click()
    expect(page.locator("#row-0-0")).to_be_focused()


def test_search_keeps_what_matches_and_its_ancestors(opened: Opener) -> None:
    page = opened(research_run())
    page.fill("#search", "badanswer attempt")
    expect(page.locator("#found")).to_have_text("1 of 21 spans")
    assert page.locator(".row:visible bdi").all_inner_texts() == [
        "RunWorkflow:ResearchAgentWorkflow",
        "StartActivity:call_llm",
        "RunActivity:call_llm",
    ]
    assert page.locator(".row:visible:not(.context) bdi").all_inner_texts() == ["RunActivity:call_llm"]
    page.fill("#search", "")
    expect(page.locator(".row:visible")).to_have_count(21)


def test_hostile_text_neither_runs_nor_breaks_the_page(opened: Opener) -> None:
    page = opened(hostile_spans())
    for row in page.locator(".row").all():
        row.click()
        expect(page.locator("#panel-body")).to_contain_text("</script><script>")
    page.fill("#search", "</script>")
    expect(page.locator("#found")).to_have_text("2 of 2 spans")
    assert page.title() != "owned"
    assert page.locator("img").count() == 0
    assert page.locator("script").count() == 2


def test_five_thousand_spans(opened: Opener) -> None:
    root = Span(1, 1, None, c.run_workflow("Big"), SpanKind.SERVER, 0, 5_000_000_000, {c.RUN_ID: "run"})
    children = [
        Span(1, n, 1, f"step {n}", SpanKind.INTERNAL, n * 1_000_000, (n + 3) * 1_000_000, {"n": n})
        for n in range(2, 5_001)
    ]
    page = opened([root, *children])
    expect(page.locator("#found")).to_have_text("5,000 spans")
    page.fill("#search", "step 4999")
    expect(page.locator("#found")).to_have_text("1 of 5,000 spans")
    page.fill("#search", "")
    expect(page.locator("#found")).to_have_text("5,000 spans")
    page.locator("#row-0-0").focus()
    page.keyboard.press("End")
    expect(page.locator("#row-0-4999")).to_be_in_viewport()


@pytest.mark.parametrize("width", [1400, 600])
def test_the_page_does_not_scroll_sideways(opened: Opener, width: int) -> None:
    page = opened(research_run(), compared=replay_of_research_run(), width=width)
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_without_javascript_the_waterfall_is_there(browser: Browser, tmp_path: Path) -> None:
    page = browser.new_page(java_script_enabled=False)
    page.goto(write_report(tmp_path / "report.html", research_run()).as_uri())
    assert page.locator(".row:visible").count() == 21
    assert page.locator(".toolbar:visible").count() == 0
    page.close()
