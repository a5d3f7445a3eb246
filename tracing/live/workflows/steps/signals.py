"""Which signals did a run receive?"""

from __future__ import annotations

from typing import Any

from tracing.headers import read_header
from tracing.live.workflows.steps.following import Following
from tracing.spans.links import caused_by
from tracing.spans.signal import signal_span
from tracing.spans.streams import StreamTraffic, is_publish
from tracing.spans.wait import Answer, sender


def signal(following: Following, job: Any, traffic: StreamTraffic) -> None:
    """A signal is handed to the run; older servers do not say by which event it came, and then it has no span.

    One that publishes to the run's stream is counted.
    """
    if is_publish(job.signal_name):
        traffic.publishes += 1
        return
    if not job.originating_event_id:
        return
    header = read_header(job.headers)
    event_id = str(job.originating_event_id)
    following.message(Answer("signal", event_id, job.signal_name, sender(header, job.identity)))
    following.add(
        lambda: signal_span(
            following.config,
            following.run,
            job.signal_name,
            event_id=job.originating_event_id,
            time=following.task_start,
            given=list(job.input),
            links=caused_by(header),
        )
    )
