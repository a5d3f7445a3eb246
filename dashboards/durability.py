"""What do failures cost, and what does durable execution save: attempts, retries, recoveries, reuse?"""

from __future__ import annotations

from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards.expressions import INTERVAL, grown, label, series
from dashboards.panels import COUNT, SHARE, USD, Panel, Query, bars, columns, dashboard, number
from tracing import conventions as c

_CHANGED = {label(c.METRIC_RECOVERY_CAUSE): "worker_change"}
_FAILED = {label(c.METRIC_OUTCOME): "failed"}
_FAILED_RUN = {label(c.RUN_STATUS): "failed"}
_ACTIVITIES = {label(c.METRIC_STEP_KIND): "StartActivity"}
STEP = (c.WORKFLOW_TYPE, c.ACTIVITY_TYPE)


def durability() -> Dashboard:
    """Attempts and what became of them."""
    attempts, spent = grown(series(c.ATTEMPTS_MADE)), grown(series(c.SPENT))
    numbers = [
        number(
            "Attempts per step",
            "Attempts that ended on their worker, by activities that closed in sampled runs. 1: none was retried.",
            f"{attempts} / {grown(series(c.STEPS_TAKEN, **_ACTIVITIES))}",
            COUNT,
            bad_from=1.5,
        ),
        number(
            "Attempts that failed",
            "Their share of all attempts that ended on their worker.",
            f"{grown(series(c.ATTEMPTS_MADE, **_FAILED))} / {attempts}",
            SHARE,
            bad_from=0.2,
        ),
        number(
            "Retry waste",
            "The share of the cost that was spent in attempts which failed or were canceled.",
            f"{grown(series(c.FAILED_COST))} / {spent}",
            SHARE,
            bad_from=0.2,
        ),
        number(
            "Runs recovered",
            "Runs that another worker went on with: theirs was killed, restarted, or too slow.",
            grown(series(c.RECOVERIES, **_CHANGED)),
            COUNT,
        ),
        number(
            "Steps reused",
            "Activities whose outcome these runs, and those that were reset, took from their history.",
            grown(series(c.REUSED_STEPS)),
            COUNT,
        ),
        number(
            "Attempts lost",
            "Attempts whose worker died, as the next worker found them in the spool. None are found without a spool.",
            grown(series(c.LOST_ATTEMPTS)),
            COUNT,
            bad_from=1,
        ),
    ]
    failures = [
        _bars("Attempts by outcome", "Attempts that ended on their worker.", c.ATTEMPTS_MADE, (c.METRIC_OUTCOME,)),
        _bars(
            "Failed attempts by error",
            "The type of the error, as Temporal names it.",
            c.ATTEMPTS_MADE,
            (c.ACTIVITY_TYPE, c.ERROR_TYPE),
            **_FAILED,
        ),
        bars(
            "Failed runs by error",
            "Sampled runs that their worker saw fail.",
            [
                Query(
                    grown(series(c.RUN_DURATION, "count", **_FAILED_RUN), (c.WORKFLOW_TYPE, c.ERROR_TYPE), INTERVAL),
                    _legend(c.WORKFLOW_TYPE, c.ERROR_TYPE),
                )
            ],
            COUNT,
        ),
        _bars(
            "Failed steps",
            "Activities, children, … that failed for good.",
            c.STEPS_TAKEN,
            (c.METRIC_STEP_KIND, c.ACTIVITY_TYPE),
            **_FAILED,
        ),
        _bars("Retry waste by step", "USD in attempts that failed or were canceled.", c.FAILED_COST, STEP, unit=USD),
        _bars(
            "Retries by model clients",
            "Requests that model clients sent again by themselves, inside an attempt, where Temporal does not see it.",
            c.RETRIES,
            (c.REQUEST_MODEL,),
        ),
    ]
    recoveries = [
        _bars(
            "Recoveries by cause",
            "Runs rebuilt from their history. `evicted`: by the worker that had them, because its cache was full "
            "or a task failed; that saves nothing.",
            c.RECOVERIES,
            (c.METRIC_RECOVERY_CAUSE,),
        ),
        _bars(
            "Saved by reuse, by step",
            "What the reused results had cost when they were made.",
            c.REUSED_COST,
            STEP,
            unit=USD,
        ),
        _bars("Lost attempts by step", "Attempts whose worker died.", c.LOST_ATTEMPTS, STEP),
        columns(
            "What was not done again",
            "Each step that recovered runs took from their history, for the whole time range.",
            [
                Query(grown(series(c.REUSED_STEPS), (*STEP, c.METRIC_RECOVERY_CAUSE)), "Steps"),
                Query(grown(series(c.REUSED_COST), (*STEP, c.METRIC_RECOVERY_CAUSE)), "Saved"),
            ],
            [COUNT, USD],
        ),
    ]
    return dashboard(
        "durability",
        "Agents: durability",
        "What fails, what that costs, and what recovered runs did not do again.",
        [("In this time", numbers), ("Failures", failures), ("Recoveries", recoveries)],
    )


def _bars(title: str, description: str, name: str, by: tuple[str, ...], *, unit: str = COUNT, **where: str) -> Panel:
    return bars(title, description, [Query(grown(series(name, **where), by, INTERVAL), _legend(*by))], unit)


def _legend(*keys: str) -> str:
    return " ".join(f"{{{{{label(key)}}}}}" for key in keys)
