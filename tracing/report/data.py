"""What does the page's script get: rows at once, details when a reader first asks for them?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from tracing.report.details import TraceDetails, trace_details
from tracing.report.rows import ROW_KINDS, Row
from tracing.report.section import Section
from tracing.report.strings import Strings
from tracing.report.waits import WAIT_KINDS
from tracing.spans.model import NS_PER_US

_IN_SCRIPT: Final = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})
"""Inside a script element, no character of the data may end the element or begin a comment."""


class _Trace(msgspec.Struct):
    """One trace: its ID in hex, when it began (µs since the epoch), its rows, its recovery points (µs after, sign)."""

    id: str
    begin: int
    rows: Sequence[Row]
    recoveries: Sequence[tuple[int, int]]


class _Rows(msgspec.Struct):
    kinds: Sequence[str]
    waits: Sequence[str]
    traces: Sequence[_Trace]
    strings: Sequence[str]


class _Details(msgspec.Struct):
    """Details of the traces; their strings are numbered on from those of the rows."""

    traces: Sequence[TraceDetails]
    strings: Sequence[str]


def page_data(sections: Sequence[Section], strings: Strings) -> tuple[str, str]:
    """The rows and the details of the page, as JSON that may stand in a script element.

    Args:
        sections: The traces.
        strings: Holds the texts of their rows.
    """
    numbers = {
        (span.trace_id, span.span_id): number
        for number, span in enumerate(span for section in sections for span in section.spans)
    }
    traces = [
        _Trace(
            f"{section.trace_id:032x}",
            section.begin,
            section.rows,
            [
                (each.at // NS_PER_US - section.begin, strings.number(f"worker lost: {each.sign}"))
                for each in section.recoveries
            ],
        )
        for section in sections
    ]
    of_rows = len(strings)
    rows = _Rows(ROW_KINDS, WAIT_KINDS, traces, strings.since(0))
    details = [trace_details(section.spans, numbers, strings) for section in sections]
    return _json(rows), _json(_Details(details, strings.since(of_rows)))


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode().translate(_IN_SCRIPT)
