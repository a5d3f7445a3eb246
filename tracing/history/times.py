"""How are times and durations written in JSON histories (RFC 3339, ``10s``), in whole nanoseconds?"""

from __future__ import annotations

import re
from calendar import timegm
from datetime import datetime
from functools import lru_cache
from typing import Final

NS_PER_S: Final = 1_000_000_000
_MAX_NS: Final = 1 << 63
_MAX_DURATION_S: Final = 315_576_000_000  # protobuf's limit, about 10,000 years
_NS_DIGITS: Final = 9
_MINUTE: Final = len("2006-01-02T15:04")
_START: Final = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}")
_REST: Final = re.compile(r":([0-5][0-9]|60)(?:\.([0-9]+))?(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))")


def timestamp_ns(text: str) -> int:
    """Nanoseconds since the epoch of an RFC 3339 time: ``2026-11-23T07:19:26.709122100Z``, or with an offset.

    Digits beyond nanoseconds are cut.

    Raises:
        ValueError: It is no such time, or is before 1970 or after 2262.
    """
    rest = _REST.fullmatch(text, _MINUTE)
    if rest is None:
        raise ValueError(f"{text!r} is not a time such as '2026-11-23T07:19:26.7091Z'")
    second, fraction, sign, hours, minutes = rest.groups()
    # 60 is a leap second, which Python's datetime does not know.
    time = (_seconds(text[:_MINUTE]) + int(second)) * NS_PER_S
    if fraction is not None:
        time += _fraction(fraction)
    if sign is not None:
        offset = (int(hours) * 60 + int(minutes)) * 60 * NS_PER_S
        time += offset if sign == "-" else -offset
    if not 0 <= time < _MAX_NS:
        raise ValueError(f"{text!r} is not between 1970 and 2262")
    return time


def duration_ns(text: str) -> int:
    """Nanoseconds of a duration in protobuf's JSON form: ``10s``, ``0.5s``, ``-1.25s``.

    Raises:
        ValueError: It is no such duration, or longer than protobuf allows (10,000 years).
    """
    number, unit = text[:-1], text[-1:]
    negative = number.startswith("-")
    whole, point, fraction = number[negative:].partition(".")
    if unit != "s" or not _digits(whole) or (point and not _digits(fraction)) or len(whole) > len(str(_MAX_DURATION_S)):
        raise ValueError(f"{text!r} is not a duration such as '10s'")
    seconds = int(whole)
    if seconds > _MAX_DURATION_S:
        raise ValueError(f"{text!r} is longer than 10,000 years")
    duration = seconds * NS_PER_S + (_fraction(fraction) if point else 0)
    return -duration if negative else duration


@lru_cache(maxsize=4096)  # a history has many events in each minute
def _seconds(minute: str) -> int:
    """Seconds since the epoch at the beginning of a minute."""
    if not _START.fullmatch(minute):
        raise ValueError(f"{minute!r} is not a time such as '2026-11-23T07:19'")
    return timegm(datetime.fromisoformat(f"{minute[:10]}T{minute[11:]}").timetuple())


def _fraction(digits: str) -> int:
    return int(digits if len(digits) == _NS_DIGITS else digits[:_NS_DIGITS].ljust(_NS_DIGITS, "0"))


def _digits(text: str) -> bool:
    return text.isascii() and text.isdecimal()
