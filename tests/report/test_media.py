"""A report on paper, in a narrow window, and without JavaScript, in a real Chromium."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from benchmarks.report_pages import agent_run
from tests.report.sample import replay_of_research_run, research_run
from tracing.report import write_report

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

    from tests.report.conftest import Opener

pytestmark = pytest.mark.e2e


def test_paper_has_every_row_and_no_controls(opened: Opener) -> None:
    page = opened(agent_run(1_001))
    expect(page.locator(".row")).not_to_have_count(1_001)
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    expect(page.locator(".row")).to_have_count(1_001)
    expect(page.locator('.row[data-index="1000"]')).to_contain_text("POST")
    expect(page.locator('[aria-label="Cost by step"] tbody tr')).to_have_count(250)
    expect(page.locator("button:visible, input:visible")).to_have_count(0)
    page.emulate_media(media="screen")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    expect(page.locator(".row")).not_to_have_count(1_001)


def test_a_printer_asks_for_every_row(opened: Opener) -> None:
    few, many = opened(agent_run(101)).pdf(), opened(agent_run(2_001)).pdf()
    assert few.startswith(b"%PDF")
    assert many.count(b"/Type /Page\n") > few.count(b"/Type /Page\n") + 40


@pytest.mark.parametrize("width", [1400, 1000, 600, 360])
def test_the_page_does_not_scroll_sideways(opened: Opener, width: int) -> None:
    page = opened(research_run(), compared=replay_of_research_run(), width=width)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    page.locator(".row").first.click()
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_costs_need_no_javascript(browser: Browser, tmp_path: Path) -> None:
    page = browser.new_page(java_script_enabled=False)
    page.goto(write_report(tmp_path / "report.html", research_run()).as_uri())
    page.locator("details.costs summary").click()
    assert page.locator('[aria-label="Cost by step"] tbody tr:visible').count() == 6
    assert page.locator(".waterfall:visible").count() == 0
    assert page.locator("button:visible").count() == 0
    page.close()
