"""Is a history reproduced, as a test: yes, or an error that says where not?"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from temporalio.converter import DataConverter

from tracing.history import Unreadable, read
from tracing.history.sources.files import is_history, local_files, no_history
from tracing.replay.loading import load_data_converter, load_plugin, load_workflows, of_type
from tracing.replay.run import Replay, replay
from tracing.replay.source import recordings
from tracing.tracefile.names import run_name

__all__ = ["Checks", "NotReproducedError", "is_history", "why_empty"]


def why_empty(folder: Path) -> str:
    """Why a folder has nothing to check, in a sentence; "" where it has."""
    empty = no_history(str(folder))
    return str(empty) if next(local_files(folder)) == empty else ""


class NotReproducedError(AssertionError):
    """A history was not reproduced; the message is the whole report."""


class Checks:
    """Checks histories against workflow classes."""

    def __init__(
        self,
        workflows: Sequence[str],
        *,
        data_converter: str = "",
        plugins: Sequence[str] = (),
        skip_unknown: bool = False,
    ) -> None:
        """Load everything.

        Args:
            workflows: As for ``load_workflows``.
            data_converter: ``module:object`` of the worker's data converter; "" for the SDK's.
            plugins: ``module:object`` of the worker's plugins.
            skip_unknown: Whether histories of other workflow types are no failures.

        Raises:
            ValueError: Something cannot be loaded, or is of another kind.
        """
        self._workflows = load_workflows(*workflows)
        self._converter = load_data_converter(data_converter) if data_converter else DataConverter.default
        self._plugins = [load_plugin(reference) for reference in plugins]
        self._skip_unknown = skip_unknown
        self._files: dict[str, str] = {}

    def names(self, path: str) -> list[tuple[int, str]]:
        """Positions and names of the histories of a file, also of those that cannot be read.

        Each history once: where pages of it are in several files, with the first that is asked about.
        """
        return [
            (position, "unreadable" if isinstance(found, Unreadable) else run_name(found.workflow_id, found.run_id))
            for position, found in enumerate(read(path, beside=True))
            if self._files.setdefault(found.source, path) == path
        ]

    def check(self, path: str, position: int, *, named: bool) -> str:
        """Replay a history of a file.

        Args:
            path: The file.
            position: Which of its histories, from 0.
            named: Whether the file was named itself, and not found in a folder: JSON of another kind is then no test
                to skip, but a mistake.

        Returns:
            Why it was skipped; "" where it was reproduced.

        Raises:
            NotReproducedError: It was not.
        """
        record = next((found for number, found in enumerate(recordings(path)) if number == position), None)
        if record is None:
            raise NotReproducedError(f"{path} has changed since it was collected: run the tests again.")
        if isinstance(record, Unreadable):
            if record.foreign and not named:
                return record.reason
            raise NotReproducedError(str(record))
        if self._skip_unknown and of_type(self._workflows, record.workflow_type) is None:
            return f"no workflow of type {record.workflow_type!r} is given"
        result = asyncio.run(replay(record, self._workflows, data_converter=self._converter, plugins=self._plugins))
        if result.outcome != "reproduced":
            raise NotReproducedError(_report(result))
        return ""


def _report(result: Replay) -> str:
    divergence = result.divergence
    at = f" at event {divergence.event_id}" if divergence is not None and divergence.event_id is not None else ""
    parted = divergence.report if divergence is not None else ()
    lines = [f"  {name + ':':<10}{words}" for name, words in (*parted, ("reason", result.message))]
    return "\n".join([f"{result.workflow_type} {result.workflow_id}: {result.outcome}{at}", *lines])
