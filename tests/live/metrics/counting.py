"""A meter provider whose counts a test can read."""

from __future__ import annotations

from typing import Any

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader


class Counting:
    """Metrics with a reader."""

    def __init__(self) -> None:
        self.reader = InMemoryMetricReader()
        self.provider = MeterProvider(metric_readers=[self.reader], shutdown_on_exit=False)

    def points(self) -> dict[str, Any]:
        data = self.reader.get_metrics_data()
        return {
            metric.name: list(metric.data.data_points)
            for resource in (data.resource_metrics if data else ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }

    def sums(self) -> dict[str, Any]:
        """Sums of what is counted, without attributes; of histograms, of their values.

        What tracing observes of itself is left out, and what is 0.
        """
        sums = {
            name: sum(point.value if hasattr(point, "value") else point.sum for point in points)
            for name, points in self.points().items()
            if not name.startswith(("durable.spans.", "durable.spool.", "durable.lost_"))
        }
        return {name: value for name, value in sums.items() if value}
