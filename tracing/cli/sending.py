"""The options of commands that send spans, and what they say of it."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from tracing.backends.target import Target
from tracing.cli.console import counted, output, safe
from tracing.cli.sections import section
from tracing.tracefile.folder import FolderIndex

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class SendOptions:
    """Where to send, and whether only what is missing there.

    Attributes:
        to: Backend or address.
        repair: Whether only what is missing is sent.
        have: Trace files, and folders with all that are below them, that say what is there already; none where the
            backend is asked.
    """

    to: str | None
    repair: bool
    have: tuple[Path, ...] = ()

    def index(self) -> FolderIndex | None:
        """What says what is there already, instead of the backend; None where it is asked itself."""
        return FolderIndex(*self.have) if self.have else None

    def counts_as_there(self, path: Path) -> bool:
        """Whether what is in a file or folder counts as there already: it is one that `have` names, or below one."""
        return any(_real(path).is_relative_to(_real(have)) for have in self.have)


def sending_options(function: Callable[..., R]) -> Callable[..., R]:
    """Add `--to`, `--repair` and `--have`; the command gets them as `sending`."""
    option = section("Sending")

    @option("--to", metavar="ENDPOINT", help="Send to: phoenix, langfuse, otlp, or an OTLP/HTTP address.")
    @option("--repair", is_flag=True, help="Ask the backend what it has, and send only what is missing.")
    @option(
        "--have",
        metavar="PATH",
        multiple=True,
        type=click.Path(path_type=Path, exists=True),
        help="Trace file, or folder: what is in it, or below, counts as there, and nobody is asked. Repeatable.",
    )
    @functools.wraps(function)
    def with_options(*, to: str | None, repair: bool, have: tuple[Path, ...], **rest: Any) -> R:
        return function(sending=SendOptions(to, repair or bool(have), have), **rest)

    return with_options


def _real(path: Path) -> Path:
    """Where a path leads."""
    # `Path.resolve` raises where links lead in a circle.
    return Path(os.path.realpath(path))


def check_output(sending: SendOptions, folder: Path) -> None:
    """See that what is exported does not count as sent, because it is where the backend's trace files are.

    Args:
        sending: Where to send.
        folder: The output folder.

    Raises:
        click.UsageError: It would.
    """
    written = _real(folder)
    if sending.counts_as_there(folder) or any(
        _real(have).parent == written and have.is_file() for have in sending.have
    ):
        raise click.UsageError(
            "--have names what the backend has, and -o the folder that all is exported into: give another with -o, "
            "which is not below that of --have, and in which no file is that --have names."
        )


def report_sent(target: Target, sent: int, runs: Sequence[dict[str, Any]] = ()) -> None:
    """Say how many spans were sent, how many the target had already, and how many sampling leaves out."""
    known = sum(run.get("known", 0) for run in runs)
    left_out = sum(run.get("sampled_out", 0) for run in runs)
    had = f"; it had {known} already" if known else ""
    sampled_out = f"; {left_out} of runs that were sampled out stay here" if left_out else ""
    output().print(f"{counted(sent)} sent to {safe(target.name)}{had}{sampled_out}")
