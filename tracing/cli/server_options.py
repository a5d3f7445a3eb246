"""The options of commands that read many runs from a server."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import click

from tracing.cli.numbers import Number
from tracing.cli.sections import section
from tracing.history.server.reader import CONCURRENCY

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """Which runs beside the one that is named, and how fast they are read."""

    chain: bool
    children: bool
    concurrency: int
    rate: float | None

    @property
    def related(self) -> bool:
        """Whether more than one run is meant by a workflow ID."""
        return self.chain or self.children

    def check(self, workflow_id: str | None) -> None:
        """See that they go with the rest of the command.

        Raises:
            click.UsageError: They do not.
        """
        if self.related and not workflow_id:
            raise click.UsageError("--chain and --children go from a run to others: give them with --workflow-id.")


def server_options(which_runs: str) -> Callable[[Callable[..., R]], Callable[..., R]]:
    """Add `--chain`, `--children`, `--concurrency` and `--rate`; the command gets them as `reading`.

    Args:
        which_runs: Section of the help in which the command says which runs are meant.
    """
    which, server = section(which_runs), section("Server")

    def add(function: Callable[..., R]) -> Callable[..., R]:
        @which(
            "--chain",
            is_flag=True,
            help="With --workflow-id: all runs of its chain: continued, retried, by cron, reset.",
        )
        @which("--children", is_flag=True, help="With --workflow-id: its chain, and the chains of all its children.")
        @server(
            "--concurrency",
            type=click.IntRange(1),
            metavar="N",
            default=CONCURRENCY,
            show_default=True,
            help="Histories fetched from the server at once.",
        )
        @server(
            "--rate",
            type=Number(0, min_open=True),
            metavar="N",
            help="Requests per second to the server, at most.",
        )
        @functools.wraps(function)
        def with_options(*, chain: bool, children: bool, concurrency: int, rate: float | None, **rest: Any) -> R:
            return function(reading=ServerOptions(chain, children, concurrency, rate), **rest)

        return with_options

    return add
