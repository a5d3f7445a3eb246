"""How do rows of the table of spans become spans again, for an account of the runs in it?

Each column of ``span_rows.py`` goes back to the attribute it came from. Times are whole µs in the table, and amounts
have 18 decimals; everything that an account is made of is there, so that it is the account of the trace files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

import msgspec

from tracing import conventions as c
from tracing.runs import Attributes, AttributeValue
from tracing.spans.model import NS_PER_S, NS_PER_US, Event, Link, Span, SpanKind, StatusCode
from tracing.tables.columns import SPANS
from tracing.tables.grouping import Group
from tracing.tables.parquet import TablesError, load_pyarrow
from tracing.tables.span_rows import TEXTS, TOKENS

_BATCH_ROWS: Final = 1_000
"""Rows that are held as Python's objects."""
_CONTENT: Final = frozenset({"input", "output"})
_COLUMNS: Final = [column.name for column in SPANS if column.name not in {"resource", "end_time", "kind", "step_key"}]
_MEND: Final = "give what `durable-trace tables` writes, or write it again."
_TEXTS: Final = {
    **TEXTS,
    "run_id": c.RUN_ID,
    "session_id": c.SESSION_ID,
    "user_id": c.USER_ID,
    "environment": c.ENVIRONMENT,
}


def span_tables(path: Path) -> list[Path]:
    """The files of the table of spans that a path names: such a file, their folder, or the folder of all tables."""
    if path.is_dir():
        folders = [folder for folder in (path / "spans", path) if any(folder.glob("*.parquet"))]
        return sorted(folders[0].glob("*.parquet")) if folders else []
    return [path] if path.suffix == ".parquet" else []


def table_groups(file: Path, *, content: bool = False) -> Iterator[Group]:
    """The runs of one file of the table of spans, each with its spans, one at a time.

    Args:
        file: The file.
        content: Whether inputs and outputs are read, too.

    Raises:
        TablesError: Without pyarrow, or where the file is no table of spans, or damaged.
    """
    _, parquet = load_pyarrow()
    names = _COLUMNS if content else [name for name in _COLUMNS if name not in _CONTENT]
    try:
        with parquet.ParquetFile(file) as table:
            if missing := sorted(set(names) - set(table.schema_arrow.names)):
                raise TablesError(f"{file} is no table of spans (it has no column {missing[0]}): {_MEND}")
            # A run's rows are in one file, one after the other.
            for (trace_id, run_id), rows in groupby(_rows(table, names), key=itemgetter("trace_id", "run_id")):
                yield Group(int(trace_id, 16), run_id or "", [_span(row) for row in rows])
    except (OSError, ValueError, TypeError, KeyError, AttributeError, msgspec.MsgspecError) as error:
        if isinstance(error, TablesError):
            raise
        raise TablesError(f"{file} cannot be read ({error}): {_MEND}") from error


def _rows(table: Any, names: Sequence[str]) -> Iterator[dict[str, Any]]:
    pa, _ = load_pyarrow()
    for batch in table.iter_batches(_BATCH_ROWS, columns=names):
        # Times as numbers: a date ends with the year 9999, and what is in a trace need not.
        columns = [
            (batch[name].cast(pa.int64()) if name == "start_time" else batch[name]).to_pylist() for name in names
        ]
        for cells in zip(*columns, strict=True):
            yield dict(zip(names, cells, strict=True))


def _span(row: Mapping[str, Any]) -> Span:
    start = row["start_time"] * NS_PER_US
    duration, parent = row["duration_s"], row["parent_span_id"]
    return Span(
        trace_id=int(row["trace_id"], 16),
        span_id=int(row["span_id"], 16),
        parent_id=int(parent, 16) if parent else None,
        name=row["name"] or "",
        kind=SpanKind[row["span_kind"].upper()],
        start=start,
        end=None if duration is None else start + round(duration * NS_PER_S),
        attributes=_attributes(row),
        status=StatusCode[row["status"].upper()],
        status_message=row["status_message"] or "",
        events=tuple(
            Event(event["name"], event["time"], _plain(event["attributes"])) for event in _objects(row["events"])
        ),
        links=tuple(
            Link(int(link["trace_id"], 16), int(link["span_id"], 16), _plain(link["attributes"]))
            for link in _objects(row["links"])
        ),
        scope=row["scope"] or "",
    )


def _attributes(row: Mapping[str, Any]) -> Attributes:
    rest = row["attributes"]
    attributes = _plain(msgspec.json.decode(rest)) if rest else {}
    for column, key in _TEXTS.items():
        if (value := row.get(column)) is not None:
            attributes[key] = value
    for column, key in (*TOKENS.items(), ("attempt", c.ATTEMPT), ("queue_time_s", c.QUEUE_TIME)):
        if (number := row[column]) is not None:
            attributes[key] = number
    if row["cost_usd"] is not None:
        attributes[c.COST] = float(row["cost_usd"])
    if row["reused"]:
        attributes[c.REUSED] = True
    if row["tags"]:
        attributes[c.TAGS] = tuple(row["tags"])
    return attributes


def _plain(attributes: Mapping[str, Any]) -> Attributes:
    return {key: _value(value) for key, value in attributes.items() if value is not None}


def _value(value: Any) -> AttributeValue:
    result: AttributeValue = tuple(value) if isinstance(value, list) else value
    return result


def _objects(text: str | None) -> Sequence[Any]:
    found: Sequence[Any] = msgspec.json.decode(text) if text else ()
    return found
