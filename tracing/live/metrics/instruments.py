"""By which instruments is counted, with which bucket boundaries?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from opentelemetry import metrics
from opentelemetry.metrics import Counter, Histogram, NoOpCounter

from tracing import conventions as c
from tracing.live.failopen import fail_open
from tracing.live.metrics.health import OBSERVED
from tracing.version import VERSION

SECONDS: Final = tuple(0.01 * 2**power for power in range(14))
TOKENS: Final = tuple(4**power for power in range(14))
AGENT_SECONDS: Final = tuple(0.1 * 2**power for power in range(13))
RUN_SECONDS: Final = tuple(0.1 * 4**power for power in range(11))
BYTES: Final = tuple(256 * 4**power for power in range(7))
_BUCKETS: Final[Mapping[str, tuple[float, ...]]] = {
    c.TOKEN_USAGE: TOKENS,
    c.OPERATION_DURATION: SECONDS,
    c.FIRST_CHUNK: SECONDS,
    c.TOOL_DURATION: SECONDS,
    c.AGENT_DURATION: AGENT_SECONDS,
    c.RUN_DURATION: RUN_SECONDS,
    c.STEP_DURATION: AGENT_SECONDS,
    c.ATTEMPT_DURATION: SECONDS,
    c.ATTEMPT_QUEUE_TIME: SECONDS,
    c.LEDGER_SIZE: BYTES,
}
"""Bucket boundaries, as the conventions advise them; of our own metrics, as their limits make sense: runs may take days
(0.1 s to 29 h), steps wait for their retries (0.1 s to 7 min)."""


class Metrics:
    """The instruments.

    Args:
        provider: Where they are from; OpenTelemetry's global meter provider where None, which may be set later.
    """

    def __init__(self, provider: metrics.MeterProvider | None = None) -> None:
        self._counters: dict[str, Counter] = {}
        self._histograms: dict[str, Histogram] = {}
        with fail_open("the metrics"):
            meter = (provider or metrics.get_meter_provider()).get_meter(c.SCOPE_NAME, VERSION)
            for metric in c.METRICS.values():
                told = (metric.name, metric.unit, metric.meaning)
                match metric.instrument:
                    case "counter":
                        self._counters[metric.name] = meter.create_counter(*told)
                    case "histogram":
                        self._histograms[metric.name] = meter.create_histogram(
                            *told, explicit_bucket_boundaries_advisory=_BUCKETS[metric.name]
                        )
                    case "observable counter":
                        meter.create_observable_counter(metric.name, [OBSERVED[metric.name]], *told[1:])
                    case "observable gauge":
                        meter.create_observable_gauge(metric.name, [OBSERVED[metric.name]], *told[1:])

    @property
    def are_recorded(self) -> bool:
        """Whether anybody records them now. The global provider gives stand-ins until an application sets one."""
        # No public attribute tells whether a stand-in has got its instrument; without this one it counts as there.
        counter = self._counters.get(c.ATTEMPTS_MADE)
        real = getattr(counter, "_real_instrument", counter)
        return real is not None and not isinstance(real, NoOpCounter)

    def add(self, name: str, value: float, attributes: Mapping[str, Any]) -> None:
        """Add to a counter, by those of these attributes that it has."""
        counter = self._counters.get(name)
        if counter is not None:
            counter.add(value, _own(name, attributes))

    def record(self, name: str, value: float, attributes: Mapping[str, Any]) -> None:
        """Record a value in a histogram, by those of these attributes that it has."""
        histogram = self._histograms.get(name)
        if histogram is not None:
            histogram.record(value, _own(name, attributes))


def _own(name: str, attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {key: attributes[key] for key in c.METRICS[name].attributes if key in attributes}
