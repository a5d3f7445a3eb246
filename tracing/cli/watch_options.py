"""The options of `durable-trace export --watch`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import click
from click.core import ParameterSource

from tracing.cli.moments import EXAMPLES, microseconds_now, parsed_moment
from tracing.cli.numbers import A_DAY, Number
from tracing.cli.outputs import Output
from tracing.cli.sections import section
from tracing.export.watch import Pace

R = TypeVar("R")

_SECONDS: Final = Number(min=0, max=A_DAY)
_DEFAULT: Final = Pace()
_OF_WATCHER: Final = ("once", "since", "checkpoint", "settle", "overlap", "interval")


@dataclass(frozen=True, slots=True)
class WatchOptions:
    """Whether and how a namespace is followed.

    Attributes:
        watch: Whether it is.
        once: Whether to end when everything is done that can be done now.
        checkpoint: Folder of what the watcher knows.
        since: Close time of the first runs, in µs since the epoch; None for now.
        settle: Seconds from a run's close until it is looked at.
        overlap: Seconds of close times that are listed again each time.
        interval: Seconds between two listings.
    """

    watch: bool
    once: bool
    checkpoint: Path
    since: int | None
    settle: float
    overlap: float
    interval: float


def watching_options(function: Callable[..., R]) -> Callable[..., R]:
    """Add `--watch` and what belongs to it; the command gets them as `watching`."""
    option = section("Watching")

    @option("--watch", is_flag=True, help="Follow the namespace: send what each run lacks once it has closed.")
    @option("--once", is_flag=True, help="With --watch: do what can be done now, then end; for cron.")
    @option(
        "--checkpoint",
        metavar="FOLDER",
        type=Output(file=False),
        default=Path("durable-trace-checkpoint"),
        show_default=True,
        help="Folder for what --watch has done and what is not acknowledged.",
    )
    @option(
        "--since",
        metavar="TIME",
        help="First --watch: runs that closed since then, such as 2026-11-01, 36h or 7d; else now.",
    )
    @option(
        "--settle",
        metavar="SECONDS",
        type=_SECONDS,
        default=_DEFAULT.settle,
        show_default=True,
        help="Time for live spans to arrive after a run has closed.",
    )
    @option(
        "--overlap",
        metavar="SECONDS",
        type=_SECONDS,
        default=_DEFAULT.overlap,
        show_default=True,
        help="How late the server may show that a run has closed.",
    )
    @option(
        "--interval",
        metavar="SECONDS",
        type=Number(min=0.1, max=A_DAY),
        default=_DEFAULT.interval,
        show_default=True,
        help="Time between two looks at what has closed.",
    )
    @functools.wraps(function)
    def with_options(
        *,
        watch: bool,
        once: bool,
        checkpoint: Path,
        since: str | None,
        settle: float,
        overlap: float,
        interval: float,
        **rest: Any,
    ) -> R:
        if not watch and (given := _given()):
            raise click.UsageError(f"{given} belongs to --watch.")
        begin = None if since is None else parsed_since(since, microseconds_now())
        return function(watching=WatchOptions(watch, once, checkpoint, begin, settle, overlap, interval), **rest)

    return with_options


def _given() -> str:
    """The first option of a watcher that the user gave; "" where none was."""
    context = click.get_current_context()
    given = ParameterSource.COMMANDLINE
    return next((f"--{name}" for name in _OF_WATCHER if context.get_parameter_source(name) is given), "")


def parsed_since(text: str, now: int) -> int:
    """The time that `--since` says, in µs since the epoch.

    Args:
        text: As for `parsed_moment`.
        now: The time in µs since the epoch.

    Raises:
        click.UsageError: It is none.
    """
    try:
        return parsed_moment(text, now)
    except ValueError:
        raise click.UsageError(f"--since {text!a} is no time: give one like {EXAMPLES}.") from None
