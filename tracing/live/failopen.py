"""What happens when tracing itself fails: it says so once, and the agent goes on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tracing.config import logger

_said: set[tuple[str, str]] = set()


@contextmanager
def fail_open(where: str) -> Iterator[None]:
    """Swallow any exception of the tracing code inside, and log the first of its kind.

    Only tracing's own code may run inside: the user's exceptions must pass.
    """
    try:
        yield
    except Exception as error:  # noqa: BLE001 - tracing must never raise into the agent
        kind = (where, type(error).__name__)
        if kind not in _said:
            _said.add(kind)
            logger.exception(
                "Tracing failed in %s; the run goes on untraced here. Further failures of this kind are not logged.",
                where,
            )
