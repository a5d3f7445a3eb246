"""How fast is a namespace followed, and how much is kept meanwhile?"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    """How a namespace is followed.

    Attributes:
        settle: Seconds from a run's close until it is looked at: live spans arrive late.
        overlap: Seconds of close times that are listed again each time: visibility shows runs late.
        interval: Seconds between two listings.
        max_bytes: Bytes of batches that are not acknowledged, from which on no more runs are taken.
        ahead: Runs that are fetched and compared at the same time.
    """

    settle: float = 60.0
    overlap: float = 300.0
    interval: float = 15.0
    max_bytes: int = 256 << 20
    ahead: int = 4
