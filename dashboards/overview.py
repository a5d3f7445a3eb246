"""What do agents do, and what do they cost: by workflow, model and step?"""

from __future__ import annotations

from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards.expressions import INTERVAL, grown, label, series
from dashboards.panels import COUNT, SHARE, USD, Panel, Query, bars, columns, dashboard, number
from tracing import conventions as c

STEP = (c.WORKFLOW_TYPE, c.ACTIVITY_TYPE, c.REQUEST_MODEL)


def overview() -> Dashboard:
    """The dashboard that the others are linked from."""
    spent, failed = grown(series(c.SPENT)), grown(series(c.FAILED_COST))
    numbers = [
        number(
            "Runs closed",
            "Sampled runs that their worker saw close. The server knows of others: terminated, timed out.",
            grown(series(c.RUN_DURATION, "count")),
            COUNT,
        ),
        number("Cost", "USD of all model calls in attempts, as far as their prices are known.", spent, USD),
        number("Model calls", "All model calls in attempts, failed ones too.", grown(series(c.CALLS_MADE)), COUNT),
        number("Tokens", "Input and output tokens of these calls.", grown(series(c.TOKENS_USED)), COUNT),
        number(
            "Saved by reuse",
            "What runs that another worker went on with, or that were reset, took from their history without paying.",
            grown(series(c.REUSED_COST)),
            USD,
        ),
        number(
            "Retry waste",
            "The share of the cost that was spent in attempts which failed or were canceled. What attempts spent that "
            "died with their worker is not known.",
            f"{failed} / {spent}",
            SHARE,
            bad_from=0.2,
        ),
    ]
    costs = [
        _cost("workflow", c.WORKFLOW_TYPE),
        _cost("model", c.REQUEST_MODEL),
        _cost("step", c.ACTIVITY_TYPE),
        bars(
            "Tokens by model",
            "Input and output tokens. Cached input counts as input, reasoning as output.",
            [
                Query(
                    grown(series(c.TOKENS_USED), (c.REQUEST_MODEL, c.TOKEN_TYPE), INTERVAL),
                    f"{{{{{label(c.REQUEST_MODEL)}}}}} {{{{{label(c.TOKEN_TYPE)}}}}}",
                )
            ],
            COUNT,
        ),
        bars(
            "Model calls by workflow",
            "All model calls in attempts.",
            [Query(grown(series(c.CALLS_MADE), (c.WORKFLOW_TYPE,), INTERVAL), f"{{{{{label(c.WORKFLOW_TYPE)}}}}}")],
            COUNT,
        ),
        bars(
            "Runs closed by status",
            "Sampled runs, by how they closed.",
            [
                Query(
                    grown(series(c.RUN_DURATION, "count"), (c.RUN_STATUS,), INTERVAL),
                    f"{{{{{label(c.RUN_STATUS)}}}}}",
                )
            ],
            COUNT,
        ),
    ]
    steps = columns(
        "What costs",
        "Each step with the model it asks, for the whole time range. Calls without a price cost something, too: "
        "DURABLE_TRACE_PRICES names yours.",
        [
            Query(grown(series(c.SPENT), STEP), "Cost"),
            Query(grown(series(c.FAILED_COST), STEP), "… of failed attempts"),
            Query(grown(series(c.CALLS_MADE), STEP), "Calls"),
            Query(grown(series(c.UNKNOWN_COST), STEP), "… without a price"),
            Query(grown(series(c.TOKENS_USED), STEP), "Tokens"),
        ],
        [USD, USD, COUNT, COUNT, COUNT],
    )
    return dashboard(
        "overview",
        "Agents: cost and tokens",
        "What agents on durable workflows do and cost. Counted live, in attempts and committed workflow tasks: a "
        "replay counts nothing.",
        [("In this time", numbers), ("Cost and tokens", costs), ("By step", [steps])],
    )


def _cost(by: str, key: str) -> Panel:
    return bars(
        f"Cost by {by}",
        "USD between two points; together, the bars are the cost.",
        [Query(grown(series(c.SPENT), (key,), INTERVAL), f"{{{{{label(key)}}}}}")],
        USD,
    )
