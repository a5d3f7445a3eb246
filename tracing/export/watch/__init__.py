"""Following a namespace: what its closed runs lack in a backend is sent, through every kill and outage."""

from __future__ import annotations

from tracing.export.watch.checkpoint import Checkpoint
from tracing.export.watch.pace import Pace
from tracing.export.watch.state import CheckpointError, Scope
from tracing.export.watch.taking import QueryError
from tracing.export.watch.watcher import Watcher

__all__ = ["Checkpoint", "CheckpointError", "Pace", "QueryError", "Scope", "Watcher"]
