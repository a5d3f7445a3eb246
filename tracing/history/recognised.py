"""Which model calls does the history of an activity show that no ledger recorded?"""

from __future__ import annotations

import msgspec

from tracing.history.activities import ActivityEvents
from tracing.identity import attempt_span_id
from tracing.ledger import Ledger
from tracing.recognisers import may_show_calls, recognised_calls
from tracing.runs import Run
from tracing.spans.activity import Activity
from tracing.spans.inner import ledger_usage
from tracing.spans.model import NS_PER_US, not_before
from tracing.spans.step import Outcome


def with_recognised(
    run: Run,
    activity: Activity,
    events: ActivityEvents,
    outcome: Outcome | None,
    ledger: Ledger | None,
    *,
    prices: str = "",
) -> Ledger | None:
    """A closing attempt's ledger with the calls that its result shows, where it has none of its own.

    Without a ledger, one is made of what the history says of the attempt; None where nothing is recognised.
    """
    started = events.started
    if started is None or outcome is None or outcome.end is None or not outcome.result:
        return ledger
    if not may_show_calls(outcome.result) or ledger_usage(ledger).calls:
        return ledger
    started_us = started.time // NS_PER_US
    start = started_us * NS_PER_US
    end = start + ledger.duration if ledger is not None else not_before(start, outcome.end)
    calls = recognised_calls(
        activity.activity_type,
        attempt_span_id=attempt_span_id(run.run_id, activity.activity_id, events.last_attempt, started_us),
        start=start,
        end=end,
        given=lambda: events.asked.input or (),
        result=outcome.result,
        prices=prices,
    )
    if not calls:
        return ledger
    if ledger is None:
        ledger = Ledger(
            run=run.run_id,
            activity=activity.activity_id,
            attempt=events.last_attempt,
            started=started_us,
            duration=end - start,
        )
    return msgspec.structs.replace(ledger, spans=[*ledger.spans, *calls])
