"""Times that users give to commands: a day, a time, or how long ago it was."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from typing import Final

from tracing.spans.model import NS_PER_S, NS_PER_US

_UNITS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_AGO: Final = re.compile(r"(\d{1,9})([smhd])")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_US_PER_S: Final = NS_PER_S // NS_PER_US

EXAMPLES: Final = "2026-11-01, 2026-11-01T08:00Z, 36h or 7d"
"""What is understood."""


def parsed_moment(text: str, now: int) -> int:
    """A time, or how long ago that was, in µs since the epoch.

    Args:
        text: ISO 8601, in UTC where it names no other zone, or a number and s, m, h or d.
        now: The time in µs since the epoch.

    Raises:
        ValueError: It is neither.
    """
    if ago := _AGO.fullmatch(text.strip()):
        return max(0, now - int(ago[1]) * _UNITS[ago[2]] * _US_PER_S)
    moment = datetime.fromisoformat(text.strip())
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // timedelta(microseconds=1)


def microseconds_now() -> int:
    """The time in µs since the epoch."""
    return time.time_ns() // NS_PER_US
