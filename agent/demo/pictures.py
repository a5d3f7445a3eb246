"""Makes the pictures of the README from a demo that is really run: what it prints, and its report in Chromium."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from playwright.sync_api import sync_playwright
from rich.console import Console
from rich.terminal_theme import MONOKAI

from agent.demo.demo import run_demo
from agent.servers.chromium import find_chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser

IMAGES: Final = Path(__file__).parents[2] / "docs" / "images"
FOLDER: Final = Path("out/pictures")
"""Relative: the demo prints where its files are."""
COLUMNS: Final = 100
REPORT_PIXELS: Final = (1400, 1560)


def main() -> int:
    """Run the demo, and take its pictures; the demo's exit code."""
    console = Console(file=io.StringIO(), record=True, width=COLUMNS, force_terminal=True, highlight=False)
    status = run_demo(FOLDER, console=console)
    if status:
        sys.stdout.write(console.export_text())
        return status
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(find_chromium().path), args=["--no-sandbox"])
        _picture_of_terminal(browser, console.export_svg(title="make demo", theme=MONOKAI), IMAGES / "demo.png")
        _picture_of_report(browser, FOLDER / "report.html", IMAGES / "report.png")
        browser.close()
    return 0


def _picture_of_terminal(browser: Browser, svg: str, file: Path) -> None:
    # Without any network: the font that the SVG would load gives way to one that is here.
    page = browser.new_context(offline=True, device_scale_factor=1.5).new_page()
    page.set_content(f"<style>body {{ margin: 0 }} svg {{ width: 1100px; display: block }}</style>{svg}")
    page.locator("svg").screenshot(path=file)


def _picture_of_report(browser: Browser, report: Path, file: Path) -> None:
    width, height = REPORT_PIXELS
    page = browser.new_context(offline=True, color_scheme="light").new_page()
    page.set_viewport_size({"width": width, "height": height})
    page.goto(report.absolute().as_uri())
    page.wait_for_load_state()
    page.screenshot(path=file)


if __name__ == "__main__":
    sys.exit(main())
