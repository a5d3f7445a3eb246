"""The failures of the table, in its order, and how each is made to happen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from agent.failures.experiments.database import DATABASE
from agent.failures.experiments.deploy import PATCHED, PINNED, UPGRADED
from agent.failures.experiments.long_run import LONG_RUN
from agent.failures.experiments.model import RATE_LIMIT, TIMEOUT
from agent.failures.experiments.pod import POD_KILL
from agent.failures.experiments.server import SERVER

if TYPE_CHECKING:
    from agent.failures.failure import Failure

FAILURES: Final[tuple[Failure, ...]] = (
    TIMEOUT,
    RATE_LIMIT,
    POD_KILL,
    PATCHED,
    PINNED,
    UPGRADED,
    DATABASE,
    SERVER,
    LONG_RUN,
)
