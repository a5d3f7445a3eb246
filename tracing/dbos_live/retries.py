"""When does DBOS try a step again whose attempt has failed?"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from tracing.live.failopen import fail_open

LONGEST_INTERVAL_SECONDS: Final = 3_600.0
"""DBOS waits no longer than that, whatever a step's settings say."""


class Pause(NamedTuple):
    """How long a step waits for its next attempt.

    Attributes:
        seconds: For so many seconds at most; 0 where no attempt follows.
        certain: Whether one follows: else the step may be over, as DBOS or the user's ``should_retry`` decides.
    """

    seconds: float
    certain: bool


NO_PAUSE: Final = Pause(0.0, certain=False)
"""No attempt follows."""


@dataclass(frozen=True, slots=True)
class Retries:
    """Settings of a step, as `StepOptions` of DBOS has them and with its defaults.

    Attributes:
        max_attempts: How often its function is called at most; once where no retries are allowed.
        interval_seconds: How long DBOS waits before the second attempt.
        backoff_rate: How much longer it waits before each one after that.
        asks: Whether a predicate of the user's decides.
        limited: Whether an attempt has a time limit.
    """

    max_attempts: int = 1
    interval_seconds: float = 1.0
    backoff_rate: float = 2.0
    asks: bool = False
    limited: bool = False

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Retries:
        """Those among a step's options; what is left out there has DBOS's default."""
        return cls(
            max_attempts=options.get("max_attempts", 3) if options.get("retries_allowed") else 1,
            interval_seconds=options.get("interval_seconds", 1.0),
            backoff_rate=options.get("backoff_rate", 2.0),
            asks=options.get("should_retry") is not None,
            limited=options.get("timeout_seconds") is not None,
        )

    def pause_after(self, number: int, error: BaseException | None) -> Pause:
        """How long the step waits after an attempt; not at all by settings that are no numbers, at which DBOS fails.

        Args:
            number: Number of the attempt, from 1.
            error: What it raised; None where it returned.
        """
        # By its time limit DBOS cancels an attempt, and takes it for one that failed; but not all that is cancelled is.
        cut_off = self.limited and isinstance(error, asyncio.CancelledError)
        if cut_off or isinstance(error, Exception):
            with fail_open("the settings of a DBOS step"):
                if number < self.max_attempts:
                    wait = self.interval_seconds * self.backoff_rate ** (number - 1)
                    return Pause(min(wait, LONGEST_INTERVAL_SECONDS), certain=not (self.asks or cut_off))
        return NO_PAUSE
