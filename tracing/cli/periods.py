"""The options of commands that ask for a period: `--since` and `--until`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final, TypeVar

import click

from tracing.cli.moments import EXAMPLES, microseconds_now, parsed_moment
from tracing.cli.sections import section
from tracing.cost import Period
from tracing.spans.model import NS_PER_US

R = TypeVar("R")

COUNTED: Final = "What is counted"
"""Section of the help for what divides and limits an account."""


class _Moment(click.ParamType[int]):
    """A day, a time or how long ago it was. Its value is in ns since the epoch."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        try:
            return parsed_moment(value, microseconds_now()) * NS_PER_US
        except ValueError:
            self.fail(f"{value!a} is no day or time: give one like {EXAMPLES}.", param, ctx)


def period_options(function: Callable[..., R]) -> Callable[..., R]:
    """Add `--since` and `--until`; the command gets them as `when`."""
    option = section(COUNTED)

    @option(
        "--since",
        type=_Moment(),
        metavar="TIME",
        help="Count what began at this day or time (UTC; 7d: so long ago), or later.",
    )
    @option("--until", type=_Moment(), metavar="TIME", help="Count what began before this day or time (UTC).")
    @functools.wraps(function)
    def with_options(*, since: int | None, until: int | None, **rest: Any) -> R:
        if since is not None and until is not None and since >= until:
            raise click.UsageError("--since is not before --until: nothing began in between.")
        return function(when=Period(since, until), **rest)

    return with_options
