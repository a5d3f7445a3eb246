"""Reports in a real Chromium that may reach nothing but the report's own file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import pytest
from playwright.sync_api import sync_playwright

from agent.servers.chromium import find_chromium
from tracing.cost import account, compare
from tracing.report import write_report

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from playwright.sync_api import Browser, Page, Route

    from tracing.spans.model import Span


class Opener(Protocol):
    """Opens a report of some spans, beside those of a run it is compared with."""

    def __call__(
        self, spans: Sequence[Span], *, compared: Sequence[Span] = (), width: int = 1400, address: str = ""
    ) -> Page: ...


@pytest.fixture(scope="module")  # while it is there, its event loop counts as running: others' tests cannot have theirs
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(find_chromium(quick=True).path),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield browser
        browser.close()


@pytest.fixture
def opened(browser: Browser, tmp_path: Path) -> Iterator[Opener]:
    """Opens a report, and shows at the end that it asked for nothing and that nothing went wrong in it."""
    context = browser.new_context(reduced_motion="reduce")
    trouble: list[str] = []

    def open_report(
        spans: Sequence[Span], *, compared: Sequence[Span] = (), width: int = 1400, address: str = ""
    ) -> Page:
        comparison = compare(account(spans), account(compared)) if compared else None
        file = write_report(tmp_path / "report.html", [*spans, *compared], comparison).as_uri()
        page = context.new_page()
        page.set_viewport_size({"width": width, "height": 1000})
        page.on("console", lambda message: trouble.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: trouble.append(f"error: {error}"))
        page.on("dialog", lambda dialog: trouble.append(f"dialog: {dialog.message}"))
        page.on("popup", lambda other: trouble.append(f"popup: {other.url}"))

        def only_the_file(route: Route) -> None:
            if route.request.url.partition("#")[0] == file:
                route.continue_()
            else:
                trouble.append(f"request: {route.request.url}")
                route.abort()

        page.route("**/*", only_the_file)
        page.goto(f"{file}{address}")
        return page

    yield open_report
    context.close()
    assert trouble == []
