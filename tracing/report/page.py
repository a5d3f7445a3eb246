"""How does a trace become one HTML file that asks nobody for anything?

Style and script stand in the file; its Content-Security-Policy lets exactly these two run, by their hashes, and nothing
be loaded. What comes from a trace is text: escaped by the template, or data that the script writes as text.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import msgspec
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from tracing import conventions as c
from tracing.cost import Comparison, RunAccount, accounts
from tracing.cost.tree import SpanTree
from tracing.report.details import details
from tracing.report.text import HIDDEN, difference, duration, exact, instant, money, visible
from tracing.report.waterfall import Waterfall, waterfall
from tracing.spans.model import Span
from tracing.tracefile.atomic import atomic_writer

_DEEPEST_INDENT: Final = 12
_UNSAFE_IN_SCRIPT: Final = re.compile(f"[<>&{HIDDEN}]")
"""Inside a script element, no character of the data may end the element, begin a comment, or hide from who reads on."""


@dataclass(frozen=True)
class _Section:
    """One trace on the page."""

    trace_id: str
    title: str
    runs: tuple[RunAccount, ...]
    session: str
    picture: Waterfall
    details: dict[str, Any]


def write_report(
    path: Path | str, spans: Iterable[Span], comparison: Comparison | None = None, *, title: str = "Trace report"
) -> Path:
    """Write a report as one HTML file.

    It needs no network and no other file, and works from a disk. The file is as private as its spans: it holds inputs
    and outputs where these hold them.

    Args:
        path: The file; its folder must exist. One that is there is replaced at once, never in part.
        spans: Spans of one or more traces, of either reader.
        comparison: Two runs to show side by side, first.
        title: Title of the page.

    Returns:
        The file.

    Raises:
        OSError: It cannot be written.
    """
    path = Path(path)
    page = render_report(spans, comparison, title=title)
    with atomic_writer(path) as file:
        file.write(page.encode("utf-8", "backslashreplace"))
    return path


def render_report(spans: Iterable[Span], comparison: Comparison | None = None, *, title: str = "Trace report") -> str:
    """The report's HTML; the arguments are those of `write_report`."""
    traces: defaultdict[int, list[Span]] = defaultdict(list)
    for span in SpanTree(spans).spans:
        traces[span.trace_id].append(span)
    sections = [_section(trace_id, of_trace) for trace_id, of_trace in traces.items()]
    sections.sort(key=lambda section: min((run.start for run in section.runs), default=0))
    style = _asset("report.css")
    script = _asset("report.js")
    return (
        _environment()
        .from_string(_asset("report.html.jinja"))
        .render(
            title=title,
            comparison=comparison,
            sections=sections,
            style=Markup(style),  # noqa: S704 - our own file
            script=Markup(script),  # noqa: S704 - our own file
            policy=_policy(style, script),
            data=Markup(_data([section.details for section in sections])),  # noqa: S704 - escaped for a script element
            deepest=_DEEPEST_INDENT,
        )
    )


def _section(trace_id: int, spans: list[Span]) -> _Section:
    runs = accounts(spans)
    picture = waterfall(spans, runs)
    first = picture.rows[0].span
    named = runs[0].workflow_type if runs else first.name
    return _Section(
        trace_id=f"{trace_id:032x}",
        title=f"Replay of {named}" if runs and runs[0].replay_id else named,
        runs=tuple(runs),
        session=next((str(span.attributes[c.SESSION_ID]) for span in spans if c.SESSION_ID in span.attributes), ""),
        picture=picture,
        details=details([row.span for row in picture.rows]),
    )


def _data(value: Any) -> str:
    text = msgspec.json.encode(_encodable(value)).decode()
    return _UNSAFE_IN_SCRIPT.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _encodable(value: Any) -> Any:
    """The same with text that UTF-8 can hold: half of a surrogate pair is written as its code."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {key: _encodable(each) for key, each in value.items()}
    return [_encodable(each) for each in value] if isinstance(value, list) else value


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
    environment.filters.update(duration=duration, instant=instant, money=money, exact=exact)
    environment.globals.update(difference=difference)
    return environment


def _shown(value: object) -> object:
    return value if isinstance(value, (Markup, int, float)) else visible(value)
