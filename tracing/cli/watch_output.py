"""What does a user see of a watcher?

Runs on standard output, all else on standard error; on a terminal there is a line that says how it stands.
"""

from __future__ import annotations

import click
import msgspec
from rich.status import Status

from tracing.cli.console import complain, counted, messages, output, plain, safe
from tracing.export.watch.checkpoint import Checkpoint
from tracing.export.watch.closed_runs import ClosedRun, shown_time
from tracing.export.watch.delivery import Delivered
from tracing.export.watch.preparing import Prepared


class WatchOutput:
    """Tells the user what a watcher does.

    Attributes:
        failed_ones: How many things could not be done.

    Args:
        checkpoint: The watcher's state.
        target: The backend's name; None where runs are only written into files.
        as_json: Whether runs are told as JSON, one a line.
    """

    def __init__(self, checkpoint: Checkpoint, target: str | None, *, as_json: bool) -> None:
        self.failed_ones = 0
        self._checkpoint = checkpoint
        self._name = target
        self._as_json = as_json
        self._runs = self._sent = self._known = 0
        console = messages()
        self._status: Status | None = console.status("watching") if console.is_terminal else None
        if self._status:
            self._status.start()

    def handled(self, run: ClosedRun, prepared: Prepared) -> None:
        """See ``Listener``."""
        self._runs += 1
        self._known += prepared.known
        if self._as_json:
            line = {
                "workflow_id": run.workflow_id,
                "run_id": run.run_id,
                "closed": shown_time(run.closed),
                "missing": prepared.spans,
                "known": prepared.known,
                "sampled_out": prepared.sampled_out,
            }
            click.echo(msgspec.json.encode(line))
        elif prepared.spans or not self._name:
            lacks = f"{self._name} lacks {counted(prepared.spans)}, has {prepared.known}" if self._name else "written"
            output().print(f"{safe(run.workflow_id)} [dim]{safe(run.run_id)}[/]: {safe(lacks)}")
        self._show()

    def delivered(self, delivered: Delivered) -> None:
        """See ``Listener``."""
        self._sent += delivered.sent
        self._show()

    def failed(self, sentence: str) -> None:
        """See ``Listener``."""
        self.failed_ones += 1
        complain([sentence])

    def note(self, sentence: str) -> None:
        """See ``Listener``."""
        click.echo(plain(sentence), err=True)

    def end_status(self) -> None:
        """Show no more how it stands."""
        if self._status:
            self._status.stop()

    def summarize(self) -> None:
        """Say what was done."""
        if not self._as_json:
            output().print(self._summary())

    def _show(self) -> None:
        if self._status:
            self._status.update(f"watching: {self._summary()}")

    def _summary(self) -> str:
        if not self._name:
            return f"{counted(self._runs, 'run')} written"
        waiting = f"; {self._checkpoint.pending} batches wait" if self._checkpoint.pending else ""
        done = f"{counted(self._runs, 'run')}; {counted(self._sent)} sent to {safe(self._name)}"
        return f"{done}; it had {self._known} already{waiting}"
