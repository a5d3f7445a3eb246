"""What happens when tracing itself fails: it says so once, and the agent goes on."""

from __future__ import annotations

from types import TracebackType

from tracing.config import logger

_said: set[tuple[str, str]] = set()


class Failed(Exception):  # noqa: N818 - is logged, never raised
    """Stands in the log for an error, by the name of its class."""


class fail_open:  # noqa: N801 - reads as a function; as a generator it would cost the agent four times as much
    """Swallow any exception of the tracing code inside, and log the first of its kind.

    Only tracing's own code may run inside: the user's exceptions must pass.

    Args:
        where: What is being done, for the log.
    """

    __slots__ = ("_where",)

    def __init__(self, where: str) -> None:
        self._where = where

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        """Swallow what is an error; cancellations and exits pass."""
        if not isinstance(error, Exception):
            return False
        said = (self._where, type(error).__name__)
        if said not in _said:
            _said.add(said)
            logger.exception(
                "Tracing failed in %s; the run goes on untraced here. Further failures of this kind are not logged.",
                self._where,
                # Its place and class: its text may quote a message or a payload, and logs are no place for content.
                exc_info=(Failed, Failed(type(error).__name__), error.__traceback__),
            )
        return True
