"""How does a trace become one HTML file that asks nobody for anything?

Style and script stand in the file; its Content-Security-Policy lets exactly these two run, by their hashes, and nothing
be loaded. What comes from a trace is text: escaped by the templates, or data that the script sets as text.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from markupsafe import Markup

from tracing.cost import Comparison, accounts
from tracing.cost.tree import SpanTree
from tracing.report.assets import environment, policy, script, style
from tracing.report.data import page_data
from tracing.report.section import section
from tracing.report.spent import Spent
from tracing.report.strings import Strings
from tracing.spans.model import Span
from tracing.tracefile.atomic import atomic_writer


def write_report(path: Path, spans: Iterable[Span], comparison: Comparison | None = None, *, title: str = "") -> Path:
    """Write a report as one HTML file.

    It needs no network and no other file, and opens from a disk. The file is as private as its spans: it holds inputs
    and outputs where these hold them. The same spans make the same bytes.

    Args:
        path: The file; its folder must exist. One that is there is replaced at once, never in part.
        spans: Spans of one or more traces, of either reader. Each trace has a waterfall of its own.
        comparison: Two runs to show side by side.
        title: Title of the page; where it is "", the workflow's type and ID, or the number of traces.

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
    # Sorted, so that the order in which spans come shows nowhere.
    for span in sorted(SpanTree(spans).spans, key=lambda span: (span.start, span.trace_id, span.span_id)):
        traces[span.trace_id].append(span)
    runs = {trace_id: accounts(of_trace) for trace_id, of_trace in traces.items()}
    spent, strings = Spent(runs), Strings()
    sections = [section(trace_id, of_trace, runs[trace_id], spent, strings) for trace_id, of_trace in traces.items()]
    rows, details = page_data(sections, strings)
    return (
        environment()
        .get_template("page")
        .render(
            title=title or _title([each.title for each in sections], compared=comparison is not None),
            comparison=comparison,
            sections=sections,
            on_page=frozenset(span.span_id for of_trace in traces.values() for span in of_trace),
            style=Markup(style()),  # noqa: S704 - our own files
            script=Markup(script()),  # noqa: S704 - our own files
            policy=policy(),
            rows=Markup(rows),  # noqa: S704 - escaped for a script element
            details=Markup(details),  # noqa: S704 - escaped for a script element
        )
    )


def _title(traces: Sequence[str], *, compared: bool) -> str:
    """What the page shows: a trace, the run that is compared with another one, or several."""
    if len(traces) > 1 and not compared:
        return f"{len(traces):,} traces"
    return traces[0] if traces else "Trace report"
