"""How long do runs, steps, attempts and model calls take, and how long do they wait for a worker?"""

from __future__ import annotations

from collections.abc import Mapping

from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards.expressions import INTERVAL, label, mean, quantile
from dashboards.panels import SECONDS, Panel, Query, columns, dashboard, lines, number
from tracing import conventions as c

_ACTIVITIES = {label(c.METRIC_STEP_KIND): "StartActivity"}
STEP = (c.WORKFLOW_TYPE, c.ACTIVITY_TYPE)


def latency() -> Dashboard:
    """From whole runs down to the first chunk of an answer."""
    numbers = [
        number("Run, median", "Half of the runs took no longer.", quantile(0.5, c.RUN_DURATION), SECONDS, width=6),
        number("Run, 95th percentile", "95 % took no longer.", quantile(0.95, c.RUN_DURATION), SECONDS, width=6),
        number(
            "Queue time, 95th percentile",
            "95 % of the attempts waited no longer for a worker. What grows here asks for more workers.",
            quantile(0.95, c.ATTEMPT_QUEUE_TIME),
            SECONDS,
            width=6,
            bad_from=10,
        ),
        number(
            "Model call, 95th percentile",
            "95 % of the model calls took no longer.",
            quantile(0.95, c.OPERATION_DURATION),
            SECONDS,
            width=6,
        ),
    ]
    runs = [
        _percentiles("Runs", "From start to close, by workflow.", c.RUN_DURATION, (c.WORKFLOW_TYPE,)),
        _percentiles(
            "Steps",
            "Activities from the workflow task that asked for them to the one that learned of their end: with queue "
            "time, all attempts and the waits between them.",
            c.STEP_DURATION,
            (c.ACTIVITY_TYPE,),
            where=_ACTIVITIES,
        ),
        _percentiles("Attempts", "Each attempt on its worker.", c.ATTEMPT_DURATION, (c.ACTIVITY_TYPE,)),
        _percentiles(
            "Queue time",
            "From when an attempt was due until a worker began it, by the server's clock.",
            c.ATTEMPT_QUEUE_TIME,
            (c.TASK_QUEUE, c.ACTIVITY_TYPE),
            bad_from=10,
        ),
        columns(
            "Where the time of a step goes",
            "Means over the whole time range. What a step takes beyond its attempts and their queue time are waits "
            "between attempts, and workflow tasks.",
            [
                Query(mean(c.STEP_DURATION, STEP, **_ACTIVITIES), "Step"),
                Query(mean(c.ATTEMPT_DURATION, STEP), "Attempt"),
                Query(mean(c.ATTEMPT_QUEUE_TIME, STEP), "Queue time"),
            ],
            [SECONDS] * 3,
        ),
    ]
    calls = [
        _percentiles("Model calls", "From request to the whole answer.", c.OPERATION_DURATION, (c.REQUEST_MODEL,)),
        _percentiles("First chunk", "Of streamed answers only.", c.FIRST_CHUNK, (c.REQUEST_MODEL,)),
        _percentiles("Tools", "Functions declared with @tool.", c.TOOL_DURATION, (c.TOOL_NAME,)),
        _percentiles("Agents", "Functions declared with @agent.", c.AGENT_DURATION, (c.AGENT_NAME,)),
    ]
    return dashboard(
        "latency",
        "Agents: latency",
        "Percentiles are estimated within a histogram's buckets, whose bounds double or quadruple.",
        [("In this time", numbers), ("Runs and steps", runs), ("Model calls, tools, agents", calls)],
    )


def _percentiles(
    title: str,
    description: str,
    name: str,
    by: tuple[str, ...],
    *,
    bad_from: float | None = None,
    where: Mapping[str, str] = {},
) -> Panel:
    whose = " ".join(f"{{{{{label(key)}}}}}" for key in by)
    queries = [
        Query(quantile(share, name, by, INTERVAL, **where), f"{whose} {called}")
        for share, called in ((0.5, "median"), (0.95, "95 %"))
    ]
    return lines(title, description, queries, SECONDS, width=12, bad_from=bad_from)
