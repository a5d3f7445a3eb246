"""How does Phoenix keep scores of a trace? As annotations: its filter has `trace_annotations["NAME"].score`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from tracing.backends.client import Client
from tracing.backends.target import Settings
from tracing.scores import Score

# Synchronously: else Phoenix queues them, and says nothing of a trace that it does not have.
_ANNOTATIONS: Final = "/v1/trace_annotations?sync=true"


class PhoenixAnnotations:
    """Writes trace annotations by Phoenix's REST API, all of a trace at once.

    Args:
        base: Phoenix's address.
        settings: How requests are made.
    """

    def __init__(self, base: str, settings: Settings) -> None:
        self._url = base + _ANNOTATIONS
        self._client = Client(settings)

    def write(self, trace_id: int, scores: Sequence[Score]) -> int:
        """Write scores as annotations. Phoenix keeps one of each name and identifier, the last.

        An unknown one has the label `unknown` and no number.

        Raises:
            TargetError: When Phoenix does not take them.
        """
        data = [_annotation(trace_id, score) for score in scores]
        return len(self._client.post_json(self._url, {"data": data}, _Inserted).data)


def _annotation(trace_id: int, score: Score) -> dict[str, Any]:
    result: dict[str, Any] = {"explanation": score.comment}
    if score.value is None:
        result["label"] = "unknown"
    elif isinstance(score.value, str):
        result["label"] = score.value
    else:
        result["score"] = score.value
        if score.at_least:
            result["label"] = "at least"
    return {
        "trace_id": f"{trace_id:032x}",
        "name": score.name,
        "annotator_kind": "CODE",
        "identifier": score.id,
        "result": result,
        "metadata": score.metadata,
    }


class _Item(msgspec.Struct):
    id: str


class _Inserted(msgspec.Struct):
    data: list[_Item]
