"""Workflow code run against a history, as a trace."""

from tracing.replay.loading import load_workflow
from tracing.replay.run import Replay, ReplayedStep, ReplayOutcome, replay
from tracing.replay.spans import replay_account, replay_spans

__all__ = ["Replay", "ReplayOutcome", "ReplayedStep", "load_workflow", "replay", "replay_account", "replay_spans"]
