"""``python -m agent.failures [FAILURE]...``: make the failures happen, on both sides, and say what they cost."""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from agent.failures.checks import checks
from agent.failures.experiment import Experiments
from agent.failures.experiments import FAILURES
from agent.failures.laboratory import Laboratory
from agent.failures.outcome import Outcome
from agent.failures.table import as_json, markdown, show, with_table
from agent.servers.locate import ServerNotFoundError
from agent.servers.process import ProcessError
from agent.servers.progress import Progress
from tracing import exit_process

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.failures.failure import Failure

_INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Make failures happen, and print their table.

    Returns:
        0 where all that is claimed held, 1 where something did not, or a server could not be had, 130 after Ctrl-C.
    """
    names = {failure.name: failure for failure in FAILURES}
    parser = argparse.ArgumentParser(prog="python -m agent.failures", description="What failures cost an agent.")
    parser.add_argument("failures", nargs="*", metavar="FAILURE", help=f"one of {', '.join(names)} (default: all)")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the table between the marks of this document")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all numbers to this file")
    given = parser.parse_args(argv)
    if unknown := [name for name in given.failures if name not in names]:
        parser.error(f"there is no failure {unknown[0]}; there are {', '.join(names)}")
    if given.failures and (given.write or given.json):
        parser.error("--write and --json take the table of all failures")
    chosen = [names[name] for name in given.failures] or list(FAILURES)
    progress = Progress()
    try:
        outcomes = asyncio.run(_make(chosen, progress))
    except (ServerNotFoundError, ProcessError) as error:
        progress.say(str(error))
        return 1
    except KeyboardInterrupt:
        progress.say("Interrupted.")
        return _INTERRUPTED
    came = [outcome for outcome in outcomes if isinstance(outcome, Outcome)]
    for failure, outcome in zip(chosen, outcomes, strict=True):
        if isinstance(outcome, BaseException):
            progress.say(f"{failure.name}: {type(outcome).__name__}: {outcome}")
    show(came, Console(highlight=False))
    held = len(came) == len(chosen) and all(all(checks(outcome).values()) for outcome in came)
    if held and given.write:
        given.write.write_text(with_table(given.write.read_text(), markdown(came)))
    if held and given.json:
        given.json.write_text(as_json(came))
    return 0 if held else 1


async def _make(failures: Sequence[Failure], progress: Progress) -> list[Outcome | BaseException]:
    with tempfile.TemporaryDirectory(prefix="failures-") as folder:
        async with Laboratory(Path(folder), progress) as laboratory:
            with progress.step(f"Making {len(failures)} failures happen, with durable execution and without"):
                return await Experiments(laboratory).outcomes(failures)


if __name__ == "__main__":
    exit_process(main())
