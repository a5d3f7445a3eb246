"""How long does a report of many spans take: to write, to open in Chromium, to scroll, to search?"""

from __future__ import annotations

import json
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from agent.servers.chromium import find_chromium
from tracing import conventions as c
from tracing.report import write_report
from tracing.runs import Attributes
from tracing.spans.model import NS_PER_S, Span, SpanKind

SIZES = (5_000, 20_000)
ROUNDS = 5
TARGET_MS = 2_000
"""Opening a report of the first of `SIZES` should take no longer."""

_BEGIN = 1_795_000_000 * NS_PER_S
_MS = 1_000_000
_SCROLLING = """async (pixels) => {
  const frames = 120;
  const step = pixels || (document.body.scrollHeight - innerHeight) / frames;
  let [longest, last] = [0, await new Promise(requestAnimationFrame)];
  for (let frame = 0; frame <= frames; frame += 1) {
    scrollTo(0, frame * step);
    const now = await new Promise(requestAnimationFrame);
    longest = Math.max(longest, now - last);
    last = now;
  }
  return longest;
}"""
_SEARCHING = """async (words) => {
  const begun = performance.now();
  document.getElementById("search").value = words;
  document.getElementById("search").dispatchEvent(new Event("input"));
  while (!document.getElementById("found").textContent.includes("of")) await new Promise(requestAnimationFrame);
  return performance.now() - begun;
}"""


@dataclass(frozen=True)
class Opened:
    """A report in Chromium. Times in ms, medians of the rounds; frames: the longest of all rounds.

    Attributes:
        spans: Spans in it.
        written: Time to write it.
        megabytes: Size of the file.
        ready: From the beginning of navigation until rows are there and keys are heard.
        elements: Elements on the page.
        scrolling: Longest frame while rows are scrolled through, 200 pixels a frame.
        jumping: Longest frame while the whole page is passed in 120 frames: each shows other rows.
        searching: From the first key in the search field until hits are shown; for 80 of it, more keys are waited for.
    """

    spans: int
    written: float
    megabytes: float
    ready: float
    elements: int
    scrolling: float
    jumping: float
    searching: float


def agent_run(spans: int) -> list[Span]:
    """A run of steps, each with an attempt, a model call with messages, and an HTTP request."""
    shared: Attributes = {c.RUN_ID: "run-1", c.WORKFLOW_ID: "bench", c.WORKFLOW_TYPE: "Agent", c.NAMESPACE: "default"}
    steps = (spans - 1) // 4
    found = [_span(1, None, c.run_workflow("Agent"), (0, 500 * steps), shared | {c.RUN_STATUS: "completed"})]
    for step in range(steps):
        number, start = 4 * step + 2, 500 * step
        activity = shared | {c.ACTIVITY_ID: str(step), c.ACTIVITY_TYPE: "ask", c.TASK_QUEUE: "agents"}
        asked = [{"role": "user", "parts": [{"type": "text", "content": f"What of part {step}? " + "Words. " * 40}]}]
        call: Attributes = activity | {
            c.OPERATION: "chat",
            c.PROVIDER: "openai",
            c.REQUEST_MODEL: "gpt-4o",
            c.RESPONSE_MODEL: "gpt-4o-2024-08-06",
            c.USAGE_INPUT: 1000 + step,
            c.USAGE_OUTPUT: 200,
            c.COST: 0.0046325,
            c.INPUT_MESSAGES: json.dumps(asked),
        }
        found += [
            _span(number, 1, c.start_activity("ask"), (start, start + 480), activity | {c.ATTEMPTS: 1}),
            _span(number + 1, number, c.run_activity("ask"), (start + 20, start + 460), activity | {c.ATTEMPT: 1}),
            _span(number + 2, number + 1, "chat gpt-4o", (start + 30, start + 450), call),
            _span(number + 3, number + 2, "POST", (start + 35, start + 440), {"http.response.status_code": 200}),
        ]
    return found


def measure(size: int) -> Opened:
    """Write and open a report of so many spans."""
    spans = agent_run(size)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        begun = time.perf_counter()
        file = write_report(Path(folder) / "report.html", spans)
        written = (time.perf_counter() - begun) * 1000
        browser = playwright.chromium.launch(
            executable_path=str(find_chromium().path), args=["--no-sandbox", "--disable-gpu"]
        )
        rounds = [_round(browser.new_page(viewport={"width": 1400, "height": 1000}), file) for _ in range(ROUNDS)]
        browser.close()
        ready, elements, scrolling, jumping, searching = zip(*rounds, strict=True)
        return Opened(
            len(spans),
            written,
            file.stat().st_size / 1e6,
            sorted(ready)[ROUNDS // 2],
            max(int(count) for count in elements),
            max(scrolling),
            max(jumping),
            sorted(searching)[ROUNDS // 2],
        )


def _round(page: Page, file: Path) -> tuple[float, float, float, float, float]:
    page.goto(file.as_uri())
    ready = page.evaluate("performance.getEntriesByName('ready')[0].startTime")
    elements = page.evaluate("document.querySelectorAll('*').length")
    scrolling = page.evaluate(_SCROLLING, 200)
    jumping = page.evaluate(_SCROLLING, 0)
    searching = page.evaluate(_SEARCHING, "part 1117?")
    page.close()
    return ready, elements, scrolling, jumping, searching


def _span(number: int, parent: int | None, name: str, took: tuple[int, int], attributes: Attributes) -> Span:
    start, end = (_BEGIN + ms * _MS for ms in took)
    return Span(1, number, parent, name, SpanKind.INTERNAL, start, end, attributes)
