"""Which trace and span IDs do a run, its steps and its attempts get?

Both readers compute the same IDs from what both know, so a span read live and the same span read from history are one.
``blake2b`` over UTF-8 text, truncated. The scheme's version is part of the text, of our header and of the ledger, so a
later scheme does not orphan old traces.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Final, Literal

SCHEME: Final = 1
"""Version of this scheme."""

_PREFIX: Final = f"durable-trace/{SCHEME}\n"
_CACHED: Final = 4_096
"""IDs that are remembered: those of a run and its steps are asked for again with each of their spans."""

StepKind = Literal[
    "activity",
    "local_activity",
    "timer",
    "signal",
    "child_workflow",
    "update",
    "nexus_operation",
    "external_signal",
    "external_cancel",
]


def _digest(size: int, *parts: str) -> int:
    # Parts that users choose (activity IDs …) come last, so that no separator inside them can imitate another text.
    return _hashed("\n".join(parts), size)


def _hashed(text: str, size: int = 8) -> int:
    data = (_PREFIX + text).encode("utf-8", "surrogatepass")
    # W3C Trace Context: zero is not a valid ID.
    return int.from_bytes(blake2b(data, digest_size=size).digest(), "big") or 1


@lru_cache(_CACHED)
def run_trace_id(run_id: str) -> int:
    """Trace ID of a run whose trace no header of ours decides (16 bytes)."""
    return _digest(16, "trace", run_id)


def activity_trace_id(activity_run_id: str) -> int:
    """Trace ID of a standalone activity whose trace no header of ours decides (16 bytes)."""
    return _digest(16, "activity-trace", activity_run_id)


@lru_cache(_CACHED)
def run_span_id(run_id: str) -> int:
    """Span ID of a run (8 bytes)."""
    return _digest(8, "run", run_id)


@lru_cache(_CACHED)
def resumed_span_id(run_id: str, nth: int) -> int:
    """Span ID of a part of a run: of what it did after it was over, and was resumed in place (DBOS).

    Args:
        run_id: Run ID.
        nth: Which part, from 1: what it did before is the run's own span.
    """
    return _digest(8, "resumed", run_id, str(nth))


@lru_cache(_CACHED)
def step_span_id(run_id: str, kind: StepKind, key: str, nth: int = 1) -> int:
    """Span ID of a step.

    Args:
        run_id: The real run ID.
        kind: Kind of step.
        key: What worker and history both know of it: activity ID, timer ID, event ID of a signal.
        nth: Which use of that key in the run, from 1: the same activity ID may legally be used twice.
    """
    return _hashed(f"step\n{run_id}\n{kind}\n{nth}\n{key}")


def attempt_span_id(run_id: str, activity_id: str, attempt: int, started_us: int) -> int:
    """Span ID of one attempt of an activity.

    Args:
        run_id: The real run ID; of a standalone activity, the activity's own.
        activity_id: Activity ID.
        attempt: Number of the attempt, from 1.
        started_us: The server's started time, in µs since the epoch (history has it in ns: truncate). Of a local
            activity, the worker's, which its ledger keeps.
    """
    return _hashed(f"attempt\n{run_id}\n{attempt}\n{started_us}\n{activity_id}")


def recognised_span_id(attempt_span: int, nth: int) -> int:
    """Span ID of a model call that was recognised in an attempt's result.

    Args:
        attempt_span: Span ID of the attempt.
        nth: Which call of the result, from 1.
    """
    return _digest(8, "recognised", f"{attempt_span:016x}", str(nth))


def workflow_code_span_id(run_id: str, library: str, key: str) -> int:
    """Span ID of what a library did in workflow code.

    Args:
        run_id: The real run ID.
        library: The library.
        key: Its own ID of it, which is the same in each replay.
    """
    return _digest(8, "workflow-code", run_id, library, key)


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


def repeated_span_id(span_id: int, nth: int) -> int:
    """Span ID of another span whose ID is taken: of damaged or forged histories only."""
    return _digest(8, "repeated", f"{span_id:016x}", str(nth))


def comparison_score_id(name: str, first: Sequence[str], second: Sequence[str]) -> int:
    """ID of a score that a comparison of two sides gives (16 bytes).

    Args:
        name: Name of the score.
        first: What the first side is: run IDs, or a run ID and a replay ID.
        second: What the second side is.
    """
    return _digest(16, "score", name, str(len(first)), *first, *second)
