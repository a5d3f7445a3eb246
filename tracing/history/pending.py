"""How do the activities stand that a run waits for? A server tells it of a run still open; no history holds it.

A pending activity has no event but the one that asked for it: its attempts are counted on its step, and those of them
that failed with a ledger have times. The others get no span: nothing is invented.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from tracing import conventions as c
from tracing.config import TracingConfig
from tracing.history.enums import PENDING_ACTIVITY_STATES
from tracing.history.failures import FailureMessage, failure_of
from tracing.history.protobuf import reader
from tracing.history.times import NS_PER_S
from tracing.history.values import Payloads
from tracing.payloads import content_of
from tracing.runs import Attributes
from tracing.spans.content import failure_words, limited
from tracing.spans.model import NS_PER_US

_WAITING: Final = frozenset({"SCHEDULED", "PAUSED"})
"""States in which the attempt that the server counts has not begun."""


class PendingActivity(msgspec.Struct, frozen=True, kw_only=True):
    """An activity that a run waits for, as ``DescribeWorkflowExecution`` tells.

    Attributes:
        activity_id: Activity ID.
        state: How it stands, as Temporal spells it: SCHEDULED, STARTED, CANCEL_REQUESTED, PAUSED, PAUSE_REQUESTED.
        attempt: Number of the attempt that runs or is the next, from 1.
        scheduled_time: When that attempt was scheduled, in ns since the epoch; 0 where the server does not say.
        last_started_time: When the last attempt began, as above.
        last_heartbeat_time: When an attempt last gave a sign of life, as above.
        next_attempt_schedule_time: When the next attempt is due, as above.
        last_failure: What the attempt before failed with.
        heartbeat_details: What the last heartbeat said (content).
        last_worker_identity: Identity of the worker that had it last.
    """

    activity_id: str
    state: str = ""
    attempt: int = 1
    scheduled_time: int = 0
    last_started_time: int = 0
    last_heartbeat_time: int = 0
    next_attempt_schedule_time: int = 0
    last_failure: FailureMessage | None = None
    heartbeat_details: Payloads | None = None
    last_worker_identity: str = ""

    @property
    def begun(self) -> int:
        """How many attempts have begun so far."""
        waiting = self.state in _WAITING or not self.scheduled_time <= self.last_started_time > 0
        return max(0, self.attempt - 1 if waiting else self.attempt)


_TIMES: Final = ("scheduled_time", "last_started_time", "last_heartbeat_time", "next_attempt_schedule_time")


def pending_from_proto(messages: Iterable[Any]) -> tuple[PendingActivity, ...]:
    """Read ``temporal.api.workflow.v1.PendingActivityInfo`` messages."""
    return tuple(
        PendingActivity(
            activity_id=message.activity_id,
            state=PENDING_ACTIVITY_STATES.name(message.state),
            attempt=message.attempt or 1,
            **{name: _ns(getattr(message, name)) for name in _TIMES},
            last_failure=reader(FailureMessage)(message.last_failure) if message.HasField("last_failure") else None,
            heartbeat_details=Payloads(message.heartbeat_details.payloads) or None,
            last_worker_identity=message.last_worker_identity,
        )
        for message in messages
    )


def pending_attributes(config: TracingConfig, pending: PendingActivity) -> Attributes:
    """What the span of a step shows of it while it is pending."""
    shown: Attributes = {c.PENDING_STATE: pending.state.lower(), c.PENDING_ATTEMPT: pending.attempt}
    times = {
        c.PENDING_SCHEDULED_TIME: pending.scheduled_time,
        c.PENDING_STARTED_TIME: pending.last_started_time,
        c.PENDING_HEARTBEAT_TIME: pending.last_heartbeat_time,
        c.PENDING_NEXT_TIME: pending.next_attempt_schedule_time,
    }
    shown |= {key: time // NS_PER_US for key, time in times.items() if time > 0}
    if pending.begun:
        shown[c.ATTEMPTS] = pending.begun
    if pending.last_worker_identity:
        shown[c.WORKER_IDENTITY] = pending.last_worker_identity
    if pending.last_failure is not None:
        failure = failure_of(pending.last_failure).root
        shown[c.LAST_FAILURE] = failure.type
        message, _ = failure_words(config, failure)
        if message:
            shown[c.LAST_FAILURE_MESSAGE] = config.content(c.LAST_FAILURE_MESSAGE, message)
    if config.capture_content and pending.heartbeat_details is not None:
        details = content_of(pending.heartbeat_details, encoded=config.encoded_payloads)
        shown[c.PENDING_HEARTBEAT] = limited(config, c.PENDING_HEARTBEAT, details).text
    return shown


def _ns(time: Any) -> int:
    return int(time.seconds) * NS_PER_S + int(time.nanos)
