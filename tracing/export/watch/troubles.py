"""What is out of order for now, and how long is waited before the next try?

The user is told once when it begins, and once when it ends.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

FIRST_SECONDS: Final = 1.0
LONGEST_SECONDS: Final = 60.0


class Trouble:
    """One thing that may fail for a while: the server, the backend, the disk.

    Args:
        again: What is said when it is in order again.
        tell: Tells the user a sentence.
    """

    def __init__(self, again: str, tell: Callable[[str], None]) -> None:
        self._again = again
        self._tell = tell
        self._failures = 0

    def met(self, sentence: str, *, at_least: float = 0.0) -> float:
        """It failed; how many seconds to wait: twice as long each time.

        Args:
            sentence: Why, and how to mend it.
            at_least: Seconds for which it asks to be left alone.
        """
        if not self._failures:
            self._tell(f"{sentence} Trying again until it works.")
        self._failures += 1
        return max(min(FIRST_SECONDS * 2.0 ** min(self._failures - 1, 16), LONGEST_SECONDS), at_least)

    def over(self) -> None:
        """It worked."""
        if self._failures:
            self._failures = 0
            self._tell(self._again)


class Troubles:
    """All that may be out of order for a watcher: Temporal, the backend, what the backend has, decoding, the disk.

    Args:
        tell: Tells the user a sentence.
    """

    def __init__(self, tell: Callable[[str], None]) -> None:
        self.server = Trouble("Temporal answers again.", tell)
        self.backend = Trouble("The backend answers again.", tell)
        self.index = Trouble("The backend can be asked again.", tell)
        self.decoding = Trouble("Payloads can be decoded again.", tell)
        self.disk = Trouble("Files can be written again.", tell)
