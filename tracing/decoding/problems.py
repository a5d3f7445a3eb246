"""What is told of payloads that could not be decoded?

One sentence for each reason, with the events it concerns: a lost key concerns thousands of payloads.
"""

from __future__ import annotations

import re
from typing import Final

from tracing.config import logger

_WORDS: Final = 160
_NAMED: Final = 5
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\s]+")


class DecodingError(Exception):
    """Why a payload could not be decoded.

    Attributes:
        reason: The same for all payloads that fail alike. It may stand on spans: no words and names of others.
        detail: What else is said of this one, for the user's eyes and logs only; or "".
        passing: Whether it may be decoded later: what decodes it is away.
    """

    def __init__(self, reason: str, detail: str = "", *, passing: bool = False) -> None:
        super().__init__(f"{reason} ({detail})" if detail else reason)
        self.reason = reason
        self.detail = detail
        self.passing = passing


class EndpointError(DecodingError):
    """Why no payload can be decoded: the codec endpoint does not answer, or not to us."""


def raised(who: str, error: Exception) -> DecodingError:
    """What code of the user's raised, as the reason why a payload could not be decoded."""
    passing = isinstance(error, ConnectionError)
    return DecodingError(f"{who} raises {type(error).__name__}", words(str(error)), passing=passing)


class Problems:
    """What went wrong in one history; the first payload of each reason is logged, with all that is known of it.

    Attributes:
        passing: The first problem that may be over later.
    """

    def __init__(self) -> None:
        self.passing: DecodingError | None = None
        self._found: dict[str, list[int]] = {}

    def add(self, event_id: int, error: DecodingError) -> None:
        """Note that a payload of an event could not be decoded."""
        if error.reason not in self._found and error.detail:
            logger.warning("A payload cannot be decoded: %s", error)
        self._found.setdefault(error.reason, []).append(event_id)
        if error.passing:
            self.passing = self.passing or error

    @property
    def count(self) -> int:
        """How many payloads could not be decoded."""
        return sum(map(len, self._found.values()))

    def sentences(self) -> tuple[str, ...]:
        """A sentence for each reason."""
        return tuple(_sentence(*found) for found in self._found.items())


def _sentence(reason: str, events: list[int]) -> str:
    ids = sorted(set(events))
    more = f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else ""
    where = f"event{'s' if len(ids) > 1 else ''} {', '.join(map(str, ids[:_NAMED]))}{more}"
    payloads, left = ("A payload", "It stays") if len(events) == 1 else (f"{len(events)} payloads", "They stay")
    return f"{payloads} in {where} cannot be decoded: {reason}. {left} encoded, and usage in there is unknown."


def words(problem: str | Exception) -> str:
    """Words from outside as they may be shown: one line, short, no control characters; an error's after its class."""
    said = _CONTROL.sub(" ", str(problem)).strip()
    if isinstance(problem, Exception):
        said = f"{type(problem).__name__}: {said}" if said else type(problem).__name__
    return said if len(said) <= _WORDS else f"{said[:_WORDS]}…"
