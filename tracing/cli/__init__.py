"""The command line: one module for each command, loaded only when it is called."""

from __future__ import annotations

import errno
import io
import logging
import sys
import traceback
from importlib import import_module
from typing import Final

import click

from tracing.exit import exit_process
from tracing.version import VERSION

COMMANDS: Final = {
    "demo": "the agent, a killed worker, the resumed run, its traces, its costs",
    "export": "histories → trace files",
    "send": "trace files → an OTLP endpoint",
    "replay": "run today's code against histories",
    "cost": "tokens and cost per step, model, attempt",
    "compare": "first run against replay or re-run",
    "tables": "trace files → Parquet tables of spans, steps and runs",
    "report": "the picture: waterfall, messages, costs",
    "doctor": "what is reachable, configured, missing, and how to mend it",
}
"""Commands and what they do, in the order of the help; each is the object `command` of a module of its name."""

OK: Final = 0
SOME_FAILED: Final = 1
USAGE: Final = 2
INTERRUPTED: Final = 130

_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""A full disk is no fault of ours."""


class _Commands(click.Group):
    """Loads a command's module when the command is called: `--help` needs neither servers' SDKs nor agents."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in COMMANDS:
            return None
        command = import_module(f"tracing.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(VERSION, prog_name="durable-trace")
def cli() -> None:
    """Traces AI agents on durable execution: from their histories, and what replay saved.

    Exit codes: 0 all done; 1 some inputs failed, each named with its reason, all others done; 2 wrong usage.
    """


def run(arguments: list[str]) -> int:
    """Run a command line and return its exit code; every error of a user is a sentence, not a traceback."""
    try:
        status = cli.main(args=arguments, prog_name="durable-trace", standalone_mode=False)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        return _told(error)
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        return INTERRUPTED
    except SystemExit as stop:
        # click's own way out where the reader of a pipe has gone.
        return stop.code if isinstance(stop.code, int) else SOME_FAILED
    except Exception as error:  # noqa: BLE001 - the process still ends with this code
        _complain(error)
        return SOME_FAILED
    return status if isinstance(status, int) else OK


def _told(error: click.ClickException) -> int:
    """Tell a user what is wrong; the exit code."""
    if isinstance(error, click.UsageError):
        error.show()
        return USAGE
    click.echo(f"durable-trace: {error.format_message()}", err=True)
    return SOME_FAILED


def _complain(error: Exception) -> None:
    if isinstance(error, OSError) and error.errno in _NO_ROOM:
        where = error.filename or "What is printed"
        click.echo(f"durable-trace: {where} cannot be written ({error.strerror}): make room, and call again.", err=True)
    else:  # a fault of ours: shown whole
        traceback.print_exception(error)


def main() -> None:
    """Entry point of the command `durable-trace`."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal without “→” is no reason to print nothing
    # Each retry is no news: what came of them is said at the end, in one sentence.
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    exit_process(run(sys.argv[1:]))
