"""The options of commands that send spans, and what they say of it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import click

from tracing.backends.target import Target
from tracing.cli.console import output, safe

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class SendOptions:
    """Where to send, and whether only what is missing there."""

    to: str | None
    repair: bool


def sending_options(function: Callable[..., R]) -> Callable[..., R]:
    """Add `--to` and `--repair`; the command gets them as `sending`."""

    @click.option("--to", metavar="ENDPOINT", help="Send to: phoenix, langfuse, otlp, or an OTLP/HTTP address.")
    @click.option("--repair", is_flag=True, help="Ask the backend what it has, and send only what is missing.")
    @functools.wraps(function)
    def with_options(*, to: str | None, repair: bool, **rest: Any) -> R:
        return function(sending=SendOptions(to, repair), **rest)

    return with_options


def report_sent(target: Target, sent: int, runs: Sequence[dict[str, Any]] = ()) -> None:
    """Say how many spans were sent, and how many the target had already."""
    known = sum(run.get("known", 0) for run in runs)
    had = f"; it had {known} already" if known else ""
    output().print(f"{sent} spans sent to {safe(target.name)}{had}")
