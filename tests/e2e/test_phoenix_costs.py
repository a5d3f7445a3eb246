"""What a real Phoenix computes for calls of many models: the table of docs/cost.md, asked again."""

from __future__ import annotations

import re
import uuid
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from agent.servers.phoenix_api import PhoenixReader
from tests.cost.runs import Attempt, Call, RecordedRun, at
from tracing import conventions as c
from tracing.backends import target_for
from tracing.pricing import price_of_call
from tracing.tracefile import send

if TYPE_CHECKING:
    from tests.e2e.conftest import Eventually
    from tracing.spans.model import Span

pytestmark = pytest.mark.e2e

DOCUMENT = Path(__file__).parents[2] / "docs" / "cost.md"
ROW = re.compile(r"^\| `([\w.]+)` \| `([\w.-]+)` \| ([\d.]+) \| ([\d.]+|none) \| (.*) \|$", re.MULTILINE)
TOKENS = {c.USAGE_INPUT: 7001, c.USAGE_CACHE_READ: 5000, c.USAGE_OUTPUT: 1009}
"""Of each call, as the page says."""


class Row(NamedTuple):
    provider: str
    model: str
    ours: float
    phoenix: float | None
    why: str


TABLE = [
    Row(provider, model, float(ours), None if phoenix == "none" else float(phoenix), why)
    for provider, model, ours, phoenix, why in ROW.findall(DOCUMENT.read_text())
]


def priced(row: Row) -> float:
    named = {c.OPERATION: "chat", c.PROVIDER: row.provider, c.REQUEST_MODEL: row.model, c.RESPONSE_MODEL: row.model}
    price = price_of_call({**named, **TOKENS}, at(0))
    assert price is not None
    return float(price.cost)


def calls() -> list[Span]:
    """A run with a call of each model."""
    made = [
        Call(2, 3, row.ours, 7001, 1009, cached=5000, model=row.model, asked=row.model, provider=row.provider)
        for row in TABLE
    ]
    return RecordedRun(str(uuid.uuid4())).step("ask", 1, 9, Attempt(1, 9, made)).spans()


def test_the_pages_costs_are_ours_and_each_difference_is_explained() -> None:
    assert len(TABLE) == 12
    assert {row.model: row.ours for row in TABLE} == {row.model: priced(row) for row in TABLE}
    assert [row.model for row in TABLE if (row.why == "equal") != (row.phoenix == row.ours)] == []


def test_phoenix_computes_what_the_page_says(phoenix: str, eventually: Eventually) -> None:
    expected = {row.model: row.phoenix for row in TABLE}
    with PhoenixReader(phoenix) as reader:

        def computed() -> dict[str, float | None]:
            """Costs in a new trace: Phoenix loads its prices once it is up, and calls that come sooner get none."""
            spans = calls()
            trace_id = f"{spans[0].trace_id:032x}"
            assert send(spans, target_for("phoenix", {"PHOENIX_COLLECTOR_ENDPOINT": phoenix})).sent == len(spans)

            def costs() -> dict[str, float | None]:
                found = {span.name.removeprefix("chat "): span.cost_usd for span in reader.spans(trace_id)}
                # Phoenix adds up binary fractions: beyond the twelfth place they are no prices.
                return {row.model: None if (cost := found.get(row.model)) is None else round(cost, 12) for row in TABLE}

            with suppress(AssertionError):  # costs come a moment after the spans
                eventually(costs, expected, seconds=15)
            return costs()

        eventually(computed, expected)
