"""How does tracing itself do in this process? Read whenever metrics are collected."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final, get_args

from opentelemetry.metrics import CallbackOptions, Observation

from tracing import conventions as c
from tracing.live.delivery.drops import Reason, drops
from tracing.live.delivery.spool.lost import lost_attempts
from tracing.live.delivery.spool.registry import spools


def _dropped(_: CallbackOptions) -> Iterable[Observation]:
    # Zeros as well: a counter that is first seen with its first loss would not show an increase.
    counts = drops.dropped
    return [Observation(counts.get(reason, 0), {c.METRIC_DROP_REASON: reason}) for reason in get_args(Reason)]


def _lost(_: CallbackOptions) -> Iterable[Observation]:
    return [Observation(count, dict(place)) for place, count in lost_attempts.counted().items()]


def _spool_size(_: CallbackOptions) -> Iterable[Observation]:
    return [Observation(sum(spool.size() for spool in found))] if (found := spools()) else []


def _spool_limit(_: CallbackOptions) -> Iterable[Observation]:
    return [Observation(sum(spool.max_bytes for spool in found))] if (found := spools()) else []


def _spool_waiting(_: CallbackOptions) -> Iterable[Observation]:
    return [Observation(sum(spool.waiting() for spool in found))] if (found := spools()) else []


OBSERVED: Final[Mapping[str, Callable[[CallbackOptions], Iterable[Observation]]]] = {
    c.SPANS_DROPPED: _dropped,
    c.LOST_ATTEMPTS: _lost,
    c.SPOOL_SIZE: _spool_size,
    c.SPOOL_LIMIT: _spool_limit,
    c.SPOOL_WAITING: _spool_waiting,
}
"""What each observable metric is read from."""
