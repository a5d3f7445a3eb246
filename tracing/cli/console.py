"""What does a command print, and where?

Results go to standard output, progress and complaints to standard error. Names and messages come from histories, which
anybody may have written: control characters and terminal escapes in them are shown, not obeyed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

import click
import msgspec
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

_PIPED_WIDTH: Final = 160
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def output() -> Console:
    """The console for results: as wide as the terminal, and wide enough for every column where it is none."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=_PIPED_WIDTH)


def table(title: str) -> Table:
    """An empty table that fits 80 columns."""
    return Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1))


def parted(whole: int, part: int) -> str:
    """A number of tokens and, in brackets, the part of it that was cached or spent on reasoning."""
    return f"{whole:,} ({part:,})" if part else f"{whole:,}"


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


def usd(amount: float | None, *, at_least: bool = False) -> str:
    """An amount of money; unknown is a word, never 0."""
    if amount is None:
        return "unknown"
    return f"{'≥ ' if at_least else ''}${amount:,.6f}"


def progress() -> Progress:
    """A progress bar on standard error; nothing where that is no terminal."""
    console = messages()
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )
