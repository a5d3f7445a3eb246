"""What did an SDK note in a marker: a local activity, a patch, a version, a side effect?

Python, TypeScript, .NET, Ruby and Rust share Temporal's Core and its markers; Go and Java have their own.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from tracing import conventions as c
from tracing.history.attributes.workflow import MarkerRecorded
from tracing.history.values import Payloads
from tracing.runs import Attributes
from tracing.spans.model import NS_PER_S

_CORE_LOCAL_ACTIVITY: Final = "core_local_activity"
_LOCAL_ACTIVITY: Final = "LocalActivity"
LOCAL_ACTIVITY_MARKERS: Final = frozenset({_CORE_LOCAL_ACTIVITY, _LOCAL_ACTIVITY})
"""Names of the markers of local activities."""

MAX_TEXT: Final = 256
"""Longest ID that is shown of a marker, in characters."""

_MAX_SECONDS: Final = (1 << 63) // NS_PER_S - 1
_READABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class _Time(msgspec.Struct, frozen=True):
    seconds: int = 0
    nanos: int = 0

    def ns(self) -> int:
        return max(0, min(self.seconds, _MAX_SECONDS)) * NS_PER_S + self.nanos % NS_PER_S


class LocalActivityNote(msgspec.Struct, frozen=True):
    """What is noted of one try of a local activity, as Core writes it.

    Attributes:
        activity_id: Activity ID of this try.
        activity_type: Activity type.
        complete_time: When it ended; Go and Java do not say.
        original_schedule_time: When its first try was scheduled; Go and Java do not say.
        backoff: Set where it is to be tried again by another marker.
    """

    activity_id: str = ""
    activity_type: str = ""
    complete_time: _Time | None = None
    original_schedule_time: _Time | None = None
    backoff: object = None


class _GoNote(msgspec.Struct, frozen=True, rename="pascal"):
    activity_id: str = msgspec.field(default="", name="ActivityID")
    activity_type: str = ""


_CORE: Final = msgspec.json.Decoder(LocalActivityNote, strict=False)
_GO: Final = msgspec.json.Decoder(_GoNote, strict=False)


def local_activity_note(marker: MarkerRecorded) -> LocalActivityNote | None:
    """What a marker notes of a local activity; None where it is another marker, or damaged."""
    try:
        if marker.marker_name == _CORE_LOCAL_ACTIVITY:
            data = marker.details.get("data")
            note = _CORE.decode(data[0].data) if data else None
        elif marker.marker_name == _LOCAL_ACTIVITY:
            note = _of_go_or_java(marker)
        else:
            return None
    except _READABLE:
        return None
    return note if note is not None and note.activity_id else None


def local_activity_result(marker: MarkerRecorded) -> Payloads:
    """The result that stands in a local activity's marker."""
    return marker.details.get("result", Payloads())


def _of_go_or_java(marker: MarkerRecorded) -> LocalActivityNote | None:
    if "activityId" in marker.details:
        return LocalActivityNote(_text(marker, "activityId"), _text(marker, "type"))
    data = marker.details.get("data")
    note = _GO.decode(data[0].data) if data else None
    return LocalActivityNote(note.activity_id, note.activity_type) if note is not None else None


def marker_attributes(marker: MarkerRecorded) -> Attributes:
    """What tells a patch, a version or a side effect from others."""
    told: dict[str, Any] = {}
    match marker.marker_name:
        case "core_patch":
            patch = _value(marker, "patch-data")
            id_ = patch.get("id") if isinstance(patch, dict) else _bytes(marker, "patch_id")  # an early form of Core's
            told[c.PATCH_ID] = id_
        case "Version":
            told[c.PATCH_ID] = _text(marker, "change-id") or _text(marker, "changeId")
            told[c.PATCH_VERSION] = _value(marker, "version")
        case "SideEffect" | "MutableSideEffect":
            told[c.SIDE_EFFECT_ID] = _text(marker, "side-effect-id") or _text(marker, "id")
    return {key: value for key, value in told.items() if _shown(key, value)}


def _shown(key: str, value: object) -> bool:
    if key == c.PATCH_VERSION:
        return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 63
    return isinstance(value, str) and 0 < len(value) <= MAX_TEXT


def _text(marker: MarkerRecorded, key: str) -> str:
    value = _value(marker, key)
    return "" if isinstance(value, (bool, dict, list)) or value is None else str(value)


def _value(marker: MarkerRecorded, key: str) -> Any:
    data = marker.details.get(key)
    try:
        return msgspec.json.decode(data[0].data) if data else None
    except _READABLE:
        return None


def _bytes(marker: MarkerRecorded, key: str) -> str:
    data = marker.details.get(key)
    return bytes(data[0].data).decode("utf-8", "replace") if data else ""
