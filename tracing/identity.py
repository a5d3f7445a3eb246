"""Which trace and span IDs do a run, its steps and its attempts get?

Both readers compute the same IDs from what both know, so a span read live and the same span read from history are one.
``blake2b`` over UTF-8 text, truncated. The scheme's version is part of the text, of our header and of the ledger, so a
later scheme does not orphan old traces.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Final, Literal

SCHEME: Final = 1
"""Version of this scheme."""

StepKind = Literal["activity", "timer", "signal", "child_workflow", "update", "nexus_operation", "external_signal"]


def _digest(size: int, *parts: str) -> int:
    # Parts that users choose (activity IDs …) come last, so that no separator inside them can imitate another text.
    text = "\n".join((f"durable-trace/{SCHEME}", *parts))
    value = int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=size).digest(), "big")
    return value or 1  # W3C Trace Context: zero is not a valid ID


def run_trace_id(run_id: str) -> int:
    """Trace ID of a run whose trace no header of ours decides (16 bytes)."""
    return _digest(16, "trace", run_id)


def run_span_id(run_id: str) -> int:
    """Span ID of a run (8 bytes)."""
    return _digest(8, "run", run_id)


def step_span_id(run_id: str, kind: StepKind, key: str, nth: int = 1) -> int:
    """Span ID of a step.

    Args:
        run_id: The real run ID.
        kind: Kind of step.
        key: What worker and history both know of it: activity ID, timer ID, event ID of a signal.
        nth: Which use of that key in the run, from 1: the same activity ID may legally be used twice.
    """
    return _digest(8, "step", run_id, kind, str(nth), key)


def attempt_span_id(run_id: str, activity_id: str, attempt: int, started_us: int) -> int:
    """Span ID of one attempt of an activity.

    Args:
        run_id: The real run ID.
        activity_id: Activity ID.
        attempt: Number of the attempt, from 1.
        started_us: The server's started time, in µs since the epoch (history has it in ns: truncate).
    """
    return _digest(8, "attempt", run_id, str(attempt), str(started_us), activity_id)


def replay_trace_id(run_id: str, replay_id: str) -> int:
    """Trace ID of one replay of a run (16 bytes)."""
    return _digest(16, "replay-trace", run_id, replay_id)


def replay_span_id(run_id: str, replay_id: str) -> int:
    """Span ID of one replay of a run (8 bytes)."""
    return _digest(8, "replay", run_id, replay_id)


def replay_step_span_id(replay_span: int, kind: StepKind, key: str, nth: int = 1) -> int:
    """Span ID of a step in a replay.

    Args:
        replay_span: Span ID of the replay.
        kind: Kind of step.
        key: As for the step of the run.
        nth: As for the step of the run.
    """
    return _digest(8, "replay-step", f"{replay_span:016x}", kind, str(nth), key)
