"""How is a metric of ours asked for in PromQL?

Names are those that the Collector's Prometheus exporter makes with the strategy ``UnderscoreEscapingWithSuffixes``
(collector/metrics.yaml): dots become underscores, units and ``total`` are appended.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from tracing import conventions as c

RANGE: Final = "$__range"
"""Grafana's variable for the time range that is shown."""
INTERVAL: Final = "$__interval"
"""Grafana's variable for the time between two points."""

_UNITS: Final = {"s": "_seconds", "By": "_bytes", "USD": "_USD"}
"""UCUM units as suffixes; those in braces are annotations, and left out."""
_VARIABLES: Final = {c.NAMESPACE: "namespace", c.WORKFLOW_TYPE: "workflow_type", c.REQUEST_MODEL: "model"}
"""Attributes that the dashboards' variables choose by."""


def label(key: str) -> str:
    """An attribute's label."""
    return re.sub(r"\W", "_", key)


def metric(name: str) -> str:
    """A metric's name; of a histogram, what its parts' names begin with."""
    known = c.METRICS[name]
    total = "_total" if known.instrument.endswith("counter") else ""
    return f"{label(name)}{_UNITS.get(known.unit, '')}{total}"


def series(name: str, part: str = "", **where: str) -> str:
    """The series of a metric that the dashboard's variables choose.

    Args:
        name: The metric.
        part: Of a histogram: bucket, count or sum.
        **where: Labels and the values that they must have.
    """
    own = c.METRICS[name].attributes
    chosen = [f'{label(key)}=~"${variable}"' for key, variable in _VARIABLES.items() if key in own]
    return _selector(name, part, chosen, where)


def of_all(name: str, part: str = "", **where: str) -> str:
    """All series of a metric, whatever the variables say."""
    return _selector(name, part, [], where)


def grown(selector: str, by: Sequence[str] = (), window: str = RANGE) -> str:
    """By how much counters have grown in a window, without estimating.

    Prometheus' ``increase`` extrapolates, and takes the first value of a new series for its beginning: of an agent that
    makes three calls, it shows none or four. Here a series that was there when the window began counts from what it
    was, and one that is newer from zero. That is right because each process has series of its own, by its
    ``service.instance.id``: they begin at zero and never go back. (The Collector's own do when it starts again: what it
    counts in that window after its start is then missing.)

    Args:
        selector: The counters.
        by: Attributes to sum up by.
        window: How long.
    """
    most = f"max_over_time({selector}[{window}])"
    return _sum(f"{most} - {selector} offset {window} or {most}", by)


def quantile(share: float, name: str, by: Sequence[str] = (), window: str = RANGE, **where: str) -> str:
    """The value below which this share of what a histogram counted in a window lies."""
    return f"histogram_quantile({share:g}, {grown(series(name, 'bucket', **where), ('le', *by), window)})"


def mean(name: str, by: Sequence[str] = (), window: str = RANGE, **where: str) -> str:
    """The mean of what a histogram counted in a window."""
    parts = (grown(series(name, part, **where), by, window) for part in ("sum", "count"))
    return " / ".join(parts)


def _sum(expression: str, by: Sequence[str]) -> str:
    return f"sum by ({', '.join(map(label, by))}) ({expression})" if by else f"sum({expression})"


def _selector(name: str, part: str, chosen: list[str], where: dict[str, str]) -> str:
    given = [f'{key}="{value}"' for key, value in where.items()]
    matchers = ", ".join([*chosen, *given])
    return f"{metric(name)}{f'_{part}' if part else ''}{f'{{{matchers}}}' if matchers else ''}"
