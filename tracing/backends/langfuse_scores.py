"""How does Langfuse keep scores of a trace?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from tracing.backends.client import Client
from tracing.backends.target import Settings
from tracing.scores import Score
from tracing.spans.model import NS_PER_US

_SCORES: Final = "/api/public/scores"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class LangfuseScores:
    """Writes scores by Langfuse's public API.

    Args:
        base: Langfuse's address.
        settings: How requests are made.
        environment: Environment that scores are of; None for Langfuse's default.
    """

    def __init__(self, base: str, settings: Settings, environment: str | None = None) -> None:
        self._url = base + _SCORES
        self._client = Client(settings)
        self._environment = {"environment": environment} if environment else {}

    def write(self, trace_id: int, scores: Sequence[Score]) -> int:
        """Write scores, one after the other: servers before version 4 take no lists. Unknown ones are left out.

        Raises:
            TargetError: When Langfuse does not take one of them; those before are written.
        """
        known = [score for score in scores if score.value is not None]
        for score in known:
            self._client.post_json(self._url, _score(trace_id, score) | self._environment, _Created)
        return len(known)


def _score(trace_id: int, score: Score) -> dict[str, Any]:
    return {
        "id": score.id,
        "traceId": f"{trace_id:032x}",
        "name": score.name,
        "value": score.value,
        "dataType": "CATEGORICAL" if isinstance(score.value, str) else "NUMERIC",
        "comment": score.comment,
        "metadata": score.metadata,
        # A score is replaced by one of the same ID, name and day: so never the time at which it is written.
        "timestamp": (_EPOCH + timedelta(microseconds=score.time // NS_PER_US)).isoformat(timespec="milliseconds"),
    }


class _Created(msgspec.Struct):
    id: str
