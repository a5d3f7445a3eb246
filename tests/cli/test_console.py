"""What commands print where nobody looks, into pipes, and where there is little room."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import pytest
from msgspec.structs import replace

from tests.tables.fleet import research, reset
from tracing import conventions as c
from tracing.cli.comparison import comparison_table
from tracing.cli.console import output, usd
from tracing.cli.cost_tables import in_order, run_table, sums_table
from tracing.cost import account, compare, tallies

if TYPE_CHECKING:
    from tracing.cost import Dimension
    from tracing.spans.model import Span


def test_a_line_into_a_pipe_is_never_wrapped(capsys: pytest.CaptureFixture[str]) -> None:
    output().print("order-7: 12 spans → " + "a folder/" * 60)
    assert capsys.readouterr().out == "order-7: 12 spans → " + "a folder/" * 60 + "\n"


def test_a_name_in_a_table_into_a_pipe_is_never_folded(capsys: pytest.CaptureFixture[str]) -> None:
    name = "ResearchAgentWorkflow" * 40
    spans = [replace(span, attributes=span.attributes | {c.WORKFLOW_TYPE: name}) for span in research()]
    by: tuple[Dimension, ...] = ("workflow", "run", "type")
    found = tallies(account(spans), by)
    console = output()
    console.print(sums_table(by, in_order(by, found), found[next(iter(found))], replays=0, width=console.width))
    assert name in capsys.readouterr().out


@pytest.mark.parametrize("columns", [30, 60, 80])
@pytest.mark.parametrize("times_dearer", [1, 10**9])
def test_on_a_narrow_terminal_no_amount_is_cut_and_no_column_vanishes(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: int, times_dearer: int
) -> None:
    for name, value in {"TTY_COMPATIBLE": "1", "NO_COLOR": "1", "COLUMNS": str(columns), "LINES": "25"}.items():
        monkeypatch.setenv(name, value)
    console = output()
    first, second = (account(_dearer(spans, times_dearer)) for spans in (research(), reset()))
    by: tuple[Dimension, ...] = ("type", "model")
    rows = in_order(by, tallies(first, by))
    for shown, name in (
        (comparison_table(compare(first, second), console.width), "step"),
        (run_table(first, console.width), "step"),
        (sums_table(by, rows, tallies(first, ())[()], replays=0, width=console.width), "type"),
    ):
        console.print(shown.renderables[0])
        told = click.unstyle(capsys.readouterr().out)
        assert usd(first.amount.usd, at_least=True) in told
        assert f" {name} " in told
        assert "…" not in told


def _dearer(spans: list[Span], times: int) -> list[Span]:
    """The same with other prices."""
    return [
        replace(span, attributes=span.attributes | {c.COST: cost * times})
        if isinstance(cost := span.attributes.get(c.COST), float)
        else span
        for span in spans
    ]
