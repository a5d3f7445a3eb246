"""A reader finds things in a report, in a real Chromium."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.report.sample import approval_run, replay_of_research_run, research_run, run_of_days

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from tests.report.conftest import Opener

pytestmark = pytest.mark.e2e


def row(page: Page, number: int) -> Locator:
    return page.locator(f'.row[data-index="{number}"]')


def names(page: Page, rows: str = ".row") -> list[str]:
    return [" ".join(text.split()) for text in page.locator(f"{rows} .name").all_inner_texts()]


def bars(page: Page, number: int) -> list[str]:
    return [str(bar.get_attribute("class")) for bar in row(page, number).locator(".bar").all()]


def test_each_span_has_a_row_with_what_befell_it(opened: Opener) -> None:
    page = opened(research_run())
    assert names(page) == [
        "RunWorkflow:ResearchAgentWorkflow",
        "StartActivity:call_llm",
        "RunActivity:call_llm attempt 1",
        "chat gpt-4o",
        "StartActivity:search_web",
        "RunActivity:search_web attempt 1",
        "StartActivity:search_web",
        "RunActivity:search_web attempt 1",
        "StartActivity:call_llm 2 attempts 1 left no record",
        "RunActivity:call_llm attempt 2",
        "chat gpt-4o error RateLimitError",
        "chat gpt-4o",
        "StartActivity:call_llm 2 attempts",
        "RunActivity:call_llm error attempt 1 BadAnswer",
        "chat gpt-4o",
        "RunActivity:call_llm attempt 2",
        "chat gpt-4o",
        "Timer",
        "HandleSignal:approve",
        "StartActivity:generate_report",
        "RunActivity:generate_report attempt 1",
    ]
    assert bars(page, 2) == ["bar queue", "bar attempt"]
    assert bars(page, 9) == ["bar unrecorded", "bar attempt"]
    assert bars(page, 13) == ["bar queue", "bar attempt failed"]
    assert bars(page, 15) == ["bar backoff", "bar attempt"]


def test_a_wait_for_a_person_is_drawn_as_one_and_says_who_answered(opened: Opener) -> None:
    page = opened(approval_run())
    assert names(page, ".row.person") == [
        "Timer approval of the draft nobody answered in time",
        "Timer approval of the draft answered by grace",
    ]
    assert [bar.get_attribute("class") for bar in page.locator(".row.person .bar").all()] == ["bar person"] * 2
    assert page.locator(".cards .person").inner_text().split("\n") == [
        "Waited for persons",
        "1 d 59 min 57 s",
        "answered by grace",
    ]


def test_recovery_points_are_marked_where_the_worker_was_lost(opened: Opener) -> None:
    page = opened(research_run())
    assert [flag.get_attribute("title") for flag in page.locator(".flag").all()] == [
        "worker lost: an attempt left no record, +6.00 s",
        "worker lost: a workflow task timed out, +40.00 s",
    ]
    assert page.locator(".line.recovery").count() == 2
    page.locator(".recoveries a").click()
    expect(row(page, 8)).to_be_focused()


def test_a_reused_step_says_what_it_saved(opened: Opener) -> None:
    page = opened(research_run(), compared=replay_of_research_run())
    page.get_by_role("link", name="Replay of ResearchAgentWorkflow").click()
    expect(row(page, 22).locator(".number").last).to_have_text("saved $0.004633")
    assert names(page, ".row.reused")[0] == "StartActivity:call_llm reused"
    assert page.locator(".row .bar.reused").count() == 6


def test_a_reader_needs_no_mouse(opened: Opener) -> None:
    page = opened(research_run())
    page.keyboard.press("/")
    expect(page.locator("#search")).to_be_focused()
    for key in ("ArrowDown", "j", "ArrowDown", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    expect(page.locator("#panel-title")).to_have_text("chat gpt-4o")
    assert page.locator(".message .role").all_inner_texts() == ["system", "user", "assistant (stop)"]
    page.keyboard.press("ArrowUp")
    expect(page.locator("#panel-title")).to_have_text("RunActivity:call_llm")
    page.keyboard.press("Enter")
    expect(page.locator("#panel")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#panel")).to_be_hidden()
    expect(row(page, 2)).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(row(page, 2)).to_have_attribute("aria-expanded", "false")
    expect(row(page, 2)).to_contain_text("+1")
    expect(row(page, 3)).to_have_count(0)
    page.keyboard.press("h")
    expect(row(page, 1)).to_be_focused()
    page.keyboard.press("End")
    expect(row(page, 20)).to_be_focused()
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    page.keyboard.press("Enter")  # its one button is Close
    expect(page.locator("#help")).to_be_hidden()


def test_a_screen_reader_is_told_where_it_is(opened: Opener) -> None:
    page = opened(research_run())
    expect(page.get_by_role("treegrid")).to_have_attribute("aria-rowcount", "22")
    third = page.get_by_role("row").nth(3)  # the first is the head
    expect(third).to_have_attribute("aria-level", "3")
    expect(third).to_have_attribute("aria-rowindex", "4")
    expect(third).to_have_attribute("aria-expanded", "true")
    expect(third).to_contain_text("starts +1.50 s")


def test_a_click_opens_details_and_the_arrow_collapses(opened: Opener) -> None:
    page = opened(research_run())
    page.locator(".row.attempt.failed").click()
    expect(page.locator("#panel")).to_contain_text("BadAnswer")
    row(page, 0).locator(".fold").click()
    expect(page.locator(".row")).to_have_count(1)
    page.locator("#expand").click()
    expect(page.locator(".row")).to_have_count(len(research_run()))
    page.locator("#collapse").click()
    expect(page.locator(".row")).to_have_count(9)  # the run and what it asked for


def test_details_lead_from_the_replay_to_the_run_and_back(opened: Opener) -> None:
    page = opened(research_run(), compared=replay_of_research_run())
    page.get_by_role("link", name="Replay of ResearchAgentWorkflow").click()
    row(page, 21).click()
    page.get_by_role("button", name="Go to this span").first.click()
    expect(row(page, 0)).to_be_focused()
    page.get_by_role("button", name="Linked from ReplayWorkflow:ResearchAgentWorkflow").click()
    expect(row(page, 21)).to_be_focused()


def test_search_keeps_what_matches_and_its_ancestors(opened: Opener) -> None:
    page = opened(research_run())
    page.fill("#search", "badanswer attempt")
    expect(page.locator("#found")).to_have_text("1 of 21 spans")
    assert page.locator(".row bdi").all_inner_texts() == [
        "RunWorkflow:ResearchAgentWorkflow",
        "StartActivity:call_llm",
        "RunActivity:call_llm",
    ]
    assert page.locator(".row:not(.context) bdi").all_inner_texts() == ["RunActivity:call_llm"]
    page.keyboard.press("Escape")
    expect(page.locator(".row")).to_have_count(21)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("approve", 1),  # a name
        ("gen_ai.response.model", 4),  # the key of an attribute
        ("gpt-4o-2024", 4),  # its value
        ("event history", 1),  # a message
        ("badanswer", 1),  # an error
        ("1247df6bfdd0e47f", 1),  # a span ID
        ("7be20cf52866d4ae6ad12bf76338ffe1", 1),  # the trace ID: its root
    ],
)
def test_search_looks_everywhere(opened: Opener, words: str, found: int) -> None:
    page = opened(research_run())
    page.fill("#search", words)
    expect(page.locator(".row:not(.context)")).to_have_count(found)


def test_one_goes_from_hit_to_hit(opened: Opener) -> None:
    page = opened(research_run())
    page.fill("#search", "chat")
    for key, place in (("Enter", 1), ("Enter", 2), ("Shift+Enter", 1), ("Shift+Enter", 5)):
        expect(page.locator("#found")).to_contain_text("5 of 21 spans")
        page.locator("#search").press(key)
        expect(page.locator("#found")).to_have_text(f"{place} / 5 of 21 spans")
    page.locator("#next").click()
    expect(row(page, 3)).to_be_focused()
    page.keyboard.press("Enter")
    assert page.evaluate("CSS.highlights.get('found').size") > 0


def test_filters_show_one_kind_or_several(opened: Opener) -> None:
    page = opened(research_run())
    assert page.locator(".filters button").all_inner_texts() == ["Errors 2", "Model calls 5", "Retries 4", "Reused 0"]
    expect(page.locator(".filters button").last).to_be_disabled()
    page.get_by_role("button", name="Errors").click()
    assert names(page, ".row:not(.context)") == [
        "chat gpt-4o error RateLimitError",
        "RunActivity:call_llm error attempt 1 BadAnswer",
    ]
    page.get_by_role("button", name="Retries").click()
    expect(page.locator(".row:not(.context)")).to_have_count(6)
    page.fill("#search", "ratelimiterror")
    expect(page.locator(".row:not(.context)")).to_have_count(1)


def test_the_address_is_a_link_to_the_span_whose_details_are_open(opened: Opener) -> None:
    page = opened(research_run())
    row(page, 11).click()
    assert page.evaluate("location.hash") == "#span-1247df6bfdd0e47f"
    again = opened(research_run(), address="#span-1247df6bfdd0e47f")
    expect(again.locator("#panel-title")).to_have_text("chat gpt-4o")
    expect(row(again, 11)).to_be_focused()
    again.keyboard.press("Escape")
    assert again.evaluate("location.hash") == ""


def test_one_zooms_into_time(opened: Opener) -> None:
    page = opened(research_run())

    ticks, all_of_it = page.locator(".tick"), ["0", "10 s", "20 s", "30 s", "40 s"]
    expect(ticks).to_have_text(all_of_it)
    box = page.locator(".axis").bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 20 / 45, box["y"] + 5)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 30 / 45, box["y"] + 5)
    page.mouse.up()
    expect(ticks.first).to_have_text(re.compile("^2[01] s$"))
    expect(ticks.last).to_have_text(re.compile("^2[789] s$"))
    assert bars(page, 2) == []
    page.keyboard.press("0")
    expect(ticks).to_have_text(all_of_it)
    row(page, 3).focus()
    page.keyboard.press("z")
    expect(ticks.first).to_have_text("1.5 s")
    page.keyboard.press("Shift+ArrowLeft")
    expect(ticks.first).to_have_text("1 s")
    page.locator(".axis").dblclick()
    expect(ticks).to_have_text(all_of_it)


def test_days_of_waiting_are_cut_until_one_asks_for_them(opened: Opener) -> None:
    page = opened(run_of_days())
    button = page.get_by_role("button", name="Compress idle time")
    expect(button).to_have_attribute("aria-pressed", "true")
    assert "⋯ 23 h 59 min" in page.locator(".tick.cut").all_inner_texts()
    cut = row(page, 2).locator(".bar.attempt").bounding_box()
    button.click()
    expect(page.locator(".tick")).to_have_text(["0", "1 d", "2 d", "3 d"])
    whole = row(page, 2).locator(".bar.attempt").bounding_box()
    assert cut
    assert whole
    assert cut["width"] > 20
    assert whole["width"] <= 2


def test_colours_are_the_systems_or_the_readers(opened: Opener) -> None:
    page = opened(research_run())

    def ground() -> str:
        return str(page.evaluate("getComputedStyle(document.documentElement).backgroundColor"))

    light = ground()
    page.emulate_media(color_scheme="dark")
    dark = ground()
    assert light != dark
    page.locator("#theme").click()
    expect(page.locator("#theme")).to_have_text("Light")
    assert ground() == light
    page.locator("#theme").click()
    assert ground() == dark
    page.reload()
    expect(page.locator("#theme")).to_have_text("Dark")
