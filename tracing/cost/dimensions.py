"""By what can the sums over runs be divided?"""

from __future__ import annotations

from typing import Final, Literal

Dimension = Literal[
    "type",
    "model",
    "provider",
    "day",
    "tag",
    "status",
    "step",
    "activity",
    "summary",
    "attempt",
    "prices",
    "session",
    "user",
    "namespace",
    "workflow",
    "run",
]
"""What runs can be divided by."""

DIMENSIONS: Final[dict[Dimension, str]] = {
    "type": "workflow type",
    "model": "model that answered",
    "provider": "its provider",
    "day": "day of the call, UTC",
    "tag": "tag of the run; a run with several counts in each",
    "status": "how the run stands",
    "step": "step: key and activity type",
    "activity": "activity type",
    "summary": "summary of the step, where content is on: of OpenAI Agents, the agent that asked",
    "attempt": "number of the attempt",
    "prices": "price list or override, with its version",
    "session": "session",
    "user": "user",
    "namespace": "namespace",
    "workflow": "workflow ID",
    "run": "run ID",
}
"""Each dimension, and what its values are."""

OF_CALLS: Final[frozenset[Dimension]] = frozenset({"model", "provider", "prices"})
"""Dimensions that only a model call has."""

NONE: Final = ""
"""Value of a group without one: no model call, no tag. Unknown is None."""

GroupKey = tuple[str | None, ...]
"""A value for each dimension."""
