"""Workflow code run against histories, as traces."""

from tracing.replay.code_lines import SourceLine
from tracing.replay.commands import Command
from tracing.replay.divergence import Divergence
from tracing.replay.loading import load_workflow, load_workflows
from tracing.replay.run import Replay, ReplayOutcome, replay
from tracing.replay.source import Recording, recordings
from tracing.replay.spans import replay_account, replay_spans
from tracing.replay.steps import ReplayedStep

__all__ = [
    "Command",
    "Divergence",
    "Recording",
    "Replay",
    "ReplayOutcome",
    "ReplayedStep",
    "SourceLine",
    "load_workflow",
    "load_workflows",
    "recordings",
    "replay",
    "replay_account",
    "replay_spans",
]
