"""However many spans: few elements, in a real Chromium."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from playwright.sync_api import expect

from benchmarks.report_pages import agent_run

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.report.conftest import Opener

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


def elements(page: Page) -> int:
    return int(page.evaluate("document.querySelectorAll('*').length"))


@pytest.mark.parametrize("spans", [5_001, 20_001])
def test_only_rows_in_the_window_are_elements(opened: Opener, spans: int) -> None:
    page = opened(agent_run(spans))
    expect(page.locator("#found")).to_have_text(f"{spans:,} spans")
    for _ in range(20):
        page.mouse.wheel(0, 4_000)
    assert page.locator(".row").count() < 80
    assert elements(page) < 3_000
    page.fill("#search", "part 1117?")
    expect(page.locator(".row:not(.context) bdi")).to_have_text(["chat gpt-4o"])
    page.fill("#search", "")
    expect(page.locator("#found")).to_have_text(f"{spans:,} spans")
    page.locator('.row[tabindex="0"]').focus()
    page.keyboard.press("End")
    last = page.locator(f'.row[data-index="{spans - 1}"]')
    expect(last).to_be_in_viewport()
    expect(last).to_be_focused()


def test_a_table_shows_its_first_rows_and_all_when_asked(opened: Opener) -> None:
    page = opened(agent_run(1_001))
    page.locator("details.costs summary").click()
    rows = page.locator('[aria-label="Cost by step"] tbody tr')
    expect(rows).to_have_count(101)
    page.get_by_role("button", name="Show all 250 steps").click()
    expect(rows).to_have_count(250)


def test_rows_that_come_into_the_window_when_something_above_is_folded_are_there(opened: Opener) -> None:
    page = opened(agent_run(1_001))
    page.locator("details.costs summary").click()
    page.get_by_role("button", name="Show all 250 steps").click()
    expect(page.locator('.row[data-index="20"]')).to_have_count(0)
    page.locator("details.costs summary").click()
    expect(page.locator('.row[data-index="20"]')).to_be_in_viewport()


def test_a_page_of_many_runs_is_not_laid_out_for_each_of_them(opened: Opener) -> None:
    runs = 100
    page = opened([replace(span, trace_id=trace) for trace in range(1, runs + 1) for span in agent_run(9)])
    expect(page.locator("#found")).to_have_text(f"{9 * runs:,} spans")
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    page.click("#collapse")
    expect(page.locator('.row[aria-expanded="false"]').first).to_be_visible()
    found = {metric["name"]: metric["value"] for metric in session.send("Performance.getMetrics")["metrics"]}
    assert found["LayoutCount"] < runs


def test_the_row_with_the_focus_stays_when_it_is_scrolled_away(opened: Opener) -> None:
    page = opened(agent_run(1_001))
    row = page.locator('.row[data-index="3"]')
    row.click()
    page.mouse.wheel(0, 15_000)
    expect(page.locator('.row[data-index="575"]')).to_be_in_viewport()
    expect(row).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.locator('.row[data-index="4"]')).to_be_in_viewport()
