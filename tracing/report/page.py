"""How does a trace become one HTML file that asks nobody for anything?

Style and script stand in the file; its Content-Security-Policy lets exactly these two run, by their hashes, and nothing
be loaded. What comes from a trace is text: escaped by the template, or data that the script sets as text.
"""

from __future__ import annotations

from base64 import b64encode
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Final

import msgspec
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from tracing.cost import Comparison, RunAccount, accounts
from tracing.cost.tree import SpanTree
from tracing.report.details import TraceDetails, trace_details
from tracing.report.text import counted, difference, duration, exact, instant, money, visible
from tracing.report.waterfall import Waterfall, waterfall
from tracing.spans.model import Span
from tracing.tracefile.atomic import atomic_writer

_IN_SCRIPT: Final = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})
"""Inside a script element, no character of the data may end the element or begin a comment."""


@dataclass(frozen=True)
class _Section:
    """One trace on the page."""

    trace_id: int
    title: str
    runs: tuple[RunAccount, ...]
    picture: Waterfall

    @property
    def begin(self) -> int:
        return min(row.span.start for row in self.picture.rows)


def write_report(path: Path, spans: Iterable[Span], comparison: Comparison | None = None, *, title: str = "") -> Path:
    """Write a report as one HTML file.

    It needs no network and no other file, and opens from a disk. The file is as private as its spans: it holds inputs
    and outputs where these hold them. The same spans make the same bytes.

    Args:
        path: The file; its folder must exist. One that is there is replaced at once, never in part.
        spans: Spans of one or more traces, of either reader. Each trace has a waterfall of its own.
        comparison: Two runs to show side by side.
        title: Title of the page; the workflow's type and ID where it is "".

    Returns:
        The file.

    Raises:
        OSError: It cannot be written.
    """
    page = render_report(spans, comparison, title=title)
    with atomic_writer(path) as file:
        file.write(page.encode())
    return path


def render_report(spans: Iterable[Span], comparison: Comparison | None = None, *, title: str = "") -> str:
    """The report's HTML; the arguments are those of `write_report`."""
    traces: defaultdict[int, list[Span]] = defaultdict(list)
    for span in SpanTree(spans).spans:
        traces[span.trace_id].append(span)
    sections = sorted((_section(*trace) for trace in traces.items()), key=lambda each: (each.begin, each.trace_id))
    row_ids = {
        (row.span.trace_id, row.span.span_id): f"row-{trace}-{number}"
        for trace, section in enumerate(sections)
        for number, row in enumerate(section.picture.rows)
    }
    details = [trace_details(section.picture.rows, row_ids) for section in sections]
    style, script = _asset("report.css"), _asset("report.js")
    return (
        _environment()
        .from_string(_asset("report.html.jinja"))
        .render(
            title=title or (sections[0].title if sections else "Trace report"),
            comparison=comparison,
            sections=sections,
            row_count=len(row_ids),
            style=Markup(style),  # noqa: S704 - our own file
            script=Markup(script),  # noqa: S704 - our own file
            policy=_policy(style, script),
            details=Markup(_data(details)),  # noqa: S704 - escaped for a script element
        )
    )


def _section(trace_id: int, spans: list[Span]) -> _Section:
    runs = accounts(spans)
    picture = waterfall(spans, runs)
    title = picture.rows[0].span.name
    if runs:
        title = f"{'Replay of ' if runs[0].replay_id else ''}{runs[0].workflow_type} {runs[0].workflow_id}".strip()
    return _Section(trace_id, title, tuple(runs), picture)


def _data(details: list[TraceDetails]) -> str:
    return msgspec.json.encode(details).decode().translate(_IN_SCRIPT)


def _policy(style: str, script: str) -> str:
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


@cache
def _asset(name: str) -> str:
    return files("tracing.report").joinpath(name).read_text("utf-8")


@cache
def _environment() -> Environment:
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, finalize=_shown
    )
    environment.filters.update(duration=duration, instant=instant, money=money, exact=exact, counted=counted)
    environment.globals.update(difference=difference)
    return environment


def _shown(value: object) -> object:
    return value if isinstance(value, (Markup, int, float)) else visible(value)
