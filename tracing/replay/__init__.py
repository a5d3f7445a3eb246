"""Runs workflow code against a recorded history, as a trace of its own."""

from __future__ import annotations

from tracing.replay.replaying import Outcome, Replay, replay
from tracing.replay.workflows import WorkflowReferenceError, load_workflow

__all__ = ["Outcome", "Replay", "WorkflowReferenceError", "load_workflow", "replay"]
