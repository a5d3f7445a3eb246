"""Text that tries to break out of a report, in a real Chromium; the fixture shows that nothing was asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.report.hostile import hostile_spans, misshapen_spans
from tracing.cost import account, compare
from tracing.report import write_report

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

    from tests.report.conftest import Opener

pytestmark = pytest.mark.e2e


def test_hostile_text_neither_runs_nor_hides_nor_breaks_the_page(opened: Opener) -> None:
    page = opened(hostile_spans())
    expect(page.locator(".row")).to_have_count(4)
    for number in (0, 2, 3):
        page.locator(f'.row[data-index="{number}"]').click()
        expect(page.locator("#panel-body")).to_contain_text("</script><script>")
        for folded in page.locator("#panel-body details").all():
            folded.locator("summary").click()
    page.fill("#search", "</script>")
    expect(page.locator("#found")).to_have_text("4 / 4 spans")
    page.fill("#search", "__proto__")
    expect(page.locator(".row:not(.context)")).to_have_count(2)
    page.fill("#search", "149999")
    expect(page.locator(".row:not(.context)")).to_have_count(1)
    page.locator(".row:not(.context)").click()
    expect(page.locator("#panel-body")).to_contain_text("149,000 more attributes in the trace file")
    expect(page.locator("#panel-body")).to_contain_text("19,000 more links in the trace file")
    assert page.title() != "owned"
    assert page.evaluate("({}).polluted") is None
    assert page.locator("img, iframe, object, embed, link, style ~ style, a[href^='javascript']").count() == 0
    assert page.locator("script").count() == 3
    assert page.evaluate("document.documentElement.scrollWidth") <= 1400


def test_a_comparison_of_hostile_runs_is_a_table(opened: Opener) -> None:
    first, second = hostile_spans(), hostile_spans()
    page = opened(first, compared=second)
    expect(page.locator("table.comparison")).to_be_visible()
    assert compare(account(first), account(second)).steps[0].key in page.locator("table.comparison tbody").inner_text()


def test_misshapen_traces_are_shown(opened: Opener) -> None:
    page = opened(misshapen_spans())
    expect(page.locator("#found")).to_have_text("2,999 spans")
    for key in ("Enter", "z", "+", "0", "i", "End"):
        page.locator('.row[tabindex="0"]').press(key)
    expect(page.locator('.row[data-index="2998"]')).to_be_in_viewport()


def test_the_policy_refuses_what_would_get_in_all_the_same(browser: Browser, tmp_path: Path) -> None:
    page = browser.new_page()
    page.goto(write_report(tmp_path / "report.html", hostile_spans(), title="mine").as_uri())
    refused = page.evaluate(
        """async () => {
          const found = [];
          addEventListener("securitypolicyviolation", (each) => found.push(each.effectiveDirective));
          const script = document.createElement("script");
          script.textContent = "document.title = 'owned'";
          const image = new Image();
          image.src = "http://127.0.0.1:9/x";
          const style = document.createElement("style");
          style.textContent = "* { display: none }";
          document.body.append(script, image, style);
          await fetch("http://127.0.0.1:9/x").catch(() => {});
          while (found.length < 4) await new Promise((done) => setTimeout(done));
          return found.sort();
        }"""
    )
    assert refused == ["connect-src", "img-src", "script-src-elem", "style-src-elem"]
    assert page.title() == "mine"
    page.close()
