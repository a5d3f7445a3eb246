"""How is a program that takes minutes, a download or a build, run to its end with progress shown?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from agent.servers.locate import SourceError
from agent.servers.process import ProcessError, SupervisedProcess

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from agent.servers.progress import Progress

_POLL_SECONDS: Final = 0.2


def run_command(
    doing: str,
    command: Sequence[str | Path],
    *,
    log: Path,
    environ: Mapping[str, str],
    cwd: Path,
    progress: Progress,
) -> None:
    """Run a command to its end. It is stopped, with whatever it started, when this process is interrupted or ends.

    Args:
        doing: What it does, in words, with a capital letter.
        command: Program and arguments.
        log: File for its output, emptied first.
        environ: Its whole environment.
        cwd: Its working directory.
        progress: Shows what it does and for how long.

    Raises:
        SourceError: It could not be started or ended with an error; the message has the end of its log.
    """
    log.unlink(missing_ok=True)
    process = SupervisedProcess(doing, command, log=log, environ=environ, cwd=cwd)
    try:
        with progress.step(doing) as tick, process:
            while (status := process.wait(_POLL_SECONDS)) is None:
                tick()
            if status != 0:
                raise SourceError(f"failed with status {status}. {process.log_tail()}")
    except ProcessError as error:
        raise SourceError(str(error)) from error
