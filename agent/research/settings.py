"""How thorough and how patient is a run of the research agent?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from temporalio.common import RetryPolicy


@dataclass(frozen=True)
class ResearchSettings:
    """What may be set for a run; it travels with the run's input, so that a replay sees the same.

    Attributes:
        searches: How many searches are planned, and their results synthesised.
        pause_s: Seconds of rest between two syntheses, to stay below a model's rate limit.
        llm_timeout_s: Seconds that one attempt of a model call may take.
        llm_heartbeat_timeout_s: Seconds after which a killed worker is noticed, not only at the timeout above.
        first_retry_s: Seconds until a failed attempt is made again; each further delay is twice as long.
    """

    searches: int = 3
    pause_s: float = 0.0
    llm_timeout_s: float = 60.0
    llm_heartbeat_timeout_s: float = 3.0
    first_retry_s: float = 1.0

    @property
    def llm_timeout(self) -> timedelta:
        """How long one attempt of a model call may take."""
        return timedelta(seconds=self.llm_timeout_s)

    @property
    def llm_heartbeat_timeout(self) -> timedelta:
        """When the worker of a model call counts as dead."""
        return timedelta(seconds=self.llm_heartbeat_timeout_s)

    @property
    def llm_retries(self) -> RetryPolicy:
        """How a model call is tried again."""
        return self._retries(maximum_interval=timedelta(seconds=30), maximum_attempts=5)

    @property
    def search_retries(self) -> RetryPolicy:
        """How a search is tried again."""
        return self._retries(maximum_interval=timedelta(seconds=10), maximum_attempts=3)

    def _retries(self, *, maximum_interval: timedelta, maximum_attempts: int) -> RetryPolicy:
        return RetryPolicy(
            initial_interval=timedelta(seconds=self.first_retry_s),
            maximum_interval=maximum_interval,
            maximum_attempts=maximum_attempts,
        )
