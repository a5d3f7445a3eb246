"""`durable-trace export --watch`, killed at a named point.

python -m tests.e2e.killed_watcher POINT ARGUMENT...

It sends itself SIGKILL there: when the first batch is `written` and its run not yet recorded, `kept`, `taken` by the
backend and not yet marked as such, or `acknowledged`.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from tracing.cli import main
from tracing.export.watch.checkpoint import Checkpoint
from tracing.export.watch.journal import Done, Journal


def die(*_: object, **__: object) -> None:
    """Be killed."""
    os.kill(os.getpid(), signal.SIGKILL)


def before(function: Callable[..., Any], when: Callable[..., bool]) -> Callable[..., Any]:
    """A function that is killed before it does anything."""

    def dying(*args: Any, **named: Any) -> Any:
        if when(*args):
            die()
        return function(*args, **named)

    return dying


def after(function: Callable[..., Any], when: Callable[..., bool]) -> Callable[..., Any]:
    """A function that is killed when it is done."""

    def dying(*args: Any, **named: Any) -> Any:
        result = function(*args, **named)
        if when(*args):
            die()
        return result

    return dying


POINTS: dict[str, Callable[[], None]] = {
    "written": lambda: setattr(Journal, "add", before(Journal.add, lambda _, record: isinstance(record, Done))),
    "kept": lambda: setattr(Checkpoint, "keep", after(Checkpoint.keep, lambda _, __, batches: bool(batches))),
    "taken": lambda: setattr(Checkpoint, "acknowledged", before(Checkpoint.acknowledged, lambda *_: True)),
    "acknowledged": lambda: setattr(Checkpoint, "acknowledged", after(Checkpoint.acknowledged, lambda *_: True)),
}

if __name__ == "__main__":
    POINTS[sys.argv.pop(1)]()
    main()
