"""What does a command print, and where?

Results go to standard output, progress and complaints to standard error. Names and messages come from histories, which
anybody may have written: control characters and terminal escapes in them are shown, not obeyed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final

import click
import msgspec
from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from tracing.cost import rounded
from tracing.spans.model import NS_PER_S

_PIPED_WIDTH: Final = 10_000
"""Columns where nobody looks: no name, whose length nobody knows, is folded, so that what reads the pipe finds it."""
_LEAST_WIDTH: Final = 60
"""Columns that tables have at least: on fewer, a terminal breaks their lines, and no amount is cut."""
_LEAST_TEXT: Final = 6
"""Columns of text that is wrapped, at least."""
_BETWEEN: Final = 3
"""Columns between two of a table."""
_WHOLE: Final = 10
_MINUTE: Final = 60
_HOUR: Final = 3600
_DAY: Final = 86_400

ROOM: Final = 100
"""Columns from which on two numbers of a table stand beside each other, and below each other on fewer."""

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def output() -> Console:
    """The console for results: tables as wide as the terminal, and wide enough for every column where it is none.

    Lines are never wrapped: a terminal does that itself, and whoever reads a pipe wants them whole.
    """
    console = Console(highlight=False, soft_wrap=True)
    width = max(console.width, _LEAST_WIDTH) if console.is_terminal else _PIPED_WIDTH
    return Console(highlight=False, soft_wrap=True, width=width)


def table(title: str) -> Table:
    """An empty table that fits 80 columns."""
    return Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1))


def keep_whole(shown: Table, width: int) -> None:
    """Let no column that is not wrapped be cut, and none vanish.

    Args:
        shown: A table with all of its rows. Where it has not room enough, it is wider, and a terminal breaks its lines.
        width: Columns that there are.
    """
    needed = 0
    for column in shown.columns:
        texts = (str(text) for text in (column.header, *column.cells))
        widest = max(cell_len(line) for text in texts for line in text.splitlines() or ("",))
        if column.no_wrap:
            column.min_width = max(column.min_width or 0, widest)
        needed += (column.min_width or min(widest, _LEAST_TEXT)) + _BETWEEN
    if needed > width:
        shown.width = needed


def parted(whole: int, part: int, between: str = " ") -> str:
    """A number of tokens and, in brackets, the part of it that was cached or spent on reasoning."""
    return f"{whole:,}{between}({part:,})" if part else f"{whole:,}"


def counted(number: int, noun: str = "span") -> str:
    """A number with its noun: 1 span, 2 spans."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def time_text(nanoseconds: int | None, *, signed: bool = False) -> str:
    """A duration, in the unit that shows it shortly."""
    if nanoseconds is None:
        return "open"
    seconds = abs(nanoseconds) / NS_PER_S
    sign = ("-" if nanoseconds < 0 else "+") if signed else ""
    if seconds < _MINUTE:
        return f"{sign}{seconds:.2f} s"
    if seconds < _HOUR:
        return f"{sign}{seconds / _MINUTE:.1f} min"
    return f"{sign}{seconds / _HOUR:.1f} h" if seconds < _DAY else f"{sign}{seconds / _DAY:,.1f} d"


def messages() -> Console:
    """The console for progress and complaints."""
    return Console(stderr=True, highlight=False)


def safe(text: object) -> str:
    """Untrusted text for a table or message: no escapes, no direction marks, no markup."""
    return escape(plain(text))


def plain(text: object) -> str:
    """Untrusted text without control characters; they become their code in angle brackets."""
    return _CONTROL.sub(lambda match: f"<{ord(match[0]):02X}>", str(text))


def print_json(value: Any) -> None:
    """A result as indented JSON on standard output."""
    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def complain(failures: Iterable[str]) -> bool:
    """Print each failure as a line on standard error; whether there was any."""
    failed = False
    for failure in failures:
        failed = True
        click.echo(f"durable-trace: {plain(failure)}", err=True)
    return failed


def usd(amount: Decimal | None, *, at_least: bool = False) -> str:
    """An amount of money; unknown is a word, never 0."""
    if amount is None:
        return "unknown"
    return f"{'≥ ' if at_least else ''}${rounded(amount):,f}"


def progress() -> Progress:
    """A progress bar on standard error; nothing where that is no terminal."""
    return _bar(TimeRemainingColumn())


class _Rate(TextColumn):
    """How many a second."""

    def __init__(self) -> None:
        super().__init__("")

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        if not speed:
            return Text("")
        return Text(f"{speed:,.0f}/s" if speed >= _WHOLE else f"{speed:.1f}/s")


def export_progress() -> Progress:
    """A progress bar of a long export, with its rate; nothing where standard error is no terminal."""
    return _bar(_Rate(), TimeElapsedColumn(), TimeRemainingColumn())


def _bar(*beside: ProgressColumn) -> Progress:
    console = messages()
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        *beside,
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )
