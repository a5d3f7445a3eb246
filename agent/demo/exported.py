"""What does a story's engine give of its runs? The results know no engine; this is all they ask of one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tracing import TracingConfig
    from tracing.tracefile import Span


@dataclass(frozen=True)
class ReplayedRun:
    """What a replay of a run came to.

    Attributes:
        reproduced: Whether every result came from history, and the run ended as it had.
        spans: The spans of the replay.
    """

    reproduced: bool
    spans: Sequence[Span]


class ExportedRun(Protocol):
    """One run, as the engine kept it."""

    @property
    def name(self) -> str:
        """What its files are called: a name from ``tracing.tracefile.run_name``."""

    @property
    def spans(self) -> Sequence[Span]:
        """Its exported spans, its own first."""

    def write_history(self, folder: Path) -> Path | None:
        """Write its raw history; None where the engine has no such file."""

    async def replay(self, config: TracingConfig) -> ReplayedRun:
        """Run today's code on what the engine kept: no activity or step is called again."""


class RunSource(Protocol):
    """Where the runs of a story are kept."""

    async def export(self, config: TracingConfig) -> Sequence[ExportedRun]:
        """All of them, in the order they began: runs of a chain, and the children of each."""
