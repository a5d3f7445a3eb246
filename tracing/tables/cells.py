"""How does a value of a trace become a cell of a table?

Traces come from anywhere: a cell always has the type of its column, whatever the trace holds. What is absent is null.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_EVEN, Context, Decimal
from math import isfinite
from typing import Any, Final

import msgspec

from tracing import conventions as c
from tracing.cost.amount import Amount
from tracing.runs import AttributeValue
from tracing.spans.model import NS_PER_S, NS_PER_US
from tracing.tables.columns import USD_PRECISION, USD_SCALE

Cell = str | int | float | bool | Decimal | list[str] | None
Row = dict[str, Cell]

_LARGEST: Final = (1 << 63) - 1
_EXACT: Final = Context(prec=2 * USD_PRECISION)
_STEP: Final = Decimal(1).scaleb(-USD_SCALE)
_TOO_MUCH: Final = Decimal(1).scaleb(USD_PRECISION - USD_SCALE - 3)
"""Larger than any real amount, and small enough that a thousand of them can be added up."""


def text_cell(value: object) -> str | None:
    """Text as UTF-8 can hold it; null where it is empty or none."""
    if not isinstance(value, str) or not value:
        return None
    if value.isascii():
        return value
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.encode("utf-8", "replace").decode()
    return value


def count_cell(value: int) -> int:
    """A number of things."""
    return min(value, _LARGEST)


def time_cell(nanoseconds: int | None) -> int | None:
    """A time, in µs since the epoch."""
    return None if nanoseconds is None else nanoseconds // NS_PER_US


def time_cells(start: int, end: int | None) -> Row:
    """Begin, end and duration."""
    return {
        "start_time": time_cell(start),
        "end_time": time_cell(end),
        "duration_s": None if end is None else max(0, end - start) / NS_PER_S,
    }


def usd_cell(value: Decimal | None) -> Decimal | None:
    """An amount, rounded to 1e-18 USD; null where it is unknown, or no amount that could be."""
    if value is None or not value.is_finite() or abs(value) >= _TOO_MUCH:
        return None
    return value.quantize(_STEP, ROUND_HALF_EVEN, _EXACT)


def amount_cells(name: str, value: Amount) -> Row:
    """An amount and whether it is a least one."""
    known = usd_cell(value.usd)
    return {f"{name}_usd": known, f"{name}_at_least": value.at_least or (known is None and value.usd is not None)}


def strings_cell(values: Iterable[object]) -> list[str] | None:
    """Texts, in the order given; null where there is none."""
    found = [clean for value in values if (clean := text_cell(value)) is not None]
    return found or None


def object_cell(values: Mapping[str, AttributeValue]) -> str | None:
    """Attributes as a JSON object, by their keys in order; null where there is none."""
    return as_json(dict(sorted(values.items()))) if values else None


def as_json(value: Any) -> str:
    """A value as JSON. Infinity and NaN, which JSON lacks, are null."""
    try:
        return msgspec.json.encode(value).decode()
    except (msgspec.MsgspecError, UnicodeError, OverflowError):
        # Halves of surrogate pairs, and integers of any length: the standard library writes both, in ASCII.
        return json.dumps(_finite(value), separators=(",", ":"))


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, (list, tuple)) else value


def session_cells(attributes: Mapping[str, AttributeValue], resource: Mapping[str, AttributeValue]) -> Row:
    """Session, user, tags, environment and service."""
    tags = attributes.get(c.TAGS)
    return {
        "session_id": text_cell(attributes.get(c.SESSION_ID)),
        "user_id": text_cell(attributes.get(c.USER_ID)),
        "tags": strings_cell(tags) if isinstance(tags, tuple) else None,
        "environment": text_cell(attributes.get(c.ENVIRONMENT)) or text_cell(resource.get(c.ENVIRONMENT)),
        "service": text_cell(resource.get(c.SERVICE_NAME)),
        "service_version": text_cell(resource.get(c.SERVICE_VERSION)),
    }
