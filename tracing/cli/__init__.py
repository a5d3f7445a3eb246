"""The command line: one module for each command, loaded only when it is called."""

from __future__ import annotations

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
    "report": "the picture: waterfall, messages, costs",
    "doctor": "what is reachable, configured, missing, and how to mend it",
}
"""Commands and what they do, in the order of the help; each is the object `command` of a module of its name."""

OK: Final = 0
SOME_FAILED: Final = 1
USAGE: Final = 2
INTERRUPTED: Final = 130


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


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
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
        error.show()
        return USAGE if isinstance(error, click.UsageError) else SOME_FAILED
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        return INTERRUPTED
    except SystemExit as stop:
        # click's own way out where the reader of a pipe has gone.
        return stop.code if isinstance(stop.code, int) else SOME_FAILED
    except Exception:  # noqa: BLE001 - a fault of ours: shown whole, and the process still ends with this code
        traceback.print_exc()
        return SOME_FAILED
    return status if isinstance(status, int) else OK


def main() -> None:
    """Entry point of the command `durable-trace`."""
    # Each retry is no news: what came of them is said at the end, in one sentence.
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    exit_process(run(sys.argv[1:]))
