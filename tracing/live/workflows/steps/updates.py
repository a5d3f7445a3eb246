"""Which updates did a run handle, and how did each end?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from temporalio.api.common.v1 import Payload

from tracing.failures import failure_from_proto
from tracing.headers import read_header
from tracing.live.workflows.steps.following import Following
from tracing.spans.links import caused_by
from tracing.spans.model import Link
from tracing.spans.step import Outcome
from tracing.spans.streams import StreamTraffic, is_poll
from tracing.spans.update import update_span
from tracing.spans.wait import Answer, sender


@dataclass(slots=True)
class _Open:
    update_id: str
    name: str
    given: Sequence[Payload]
    links: tuple[Link, ...]
    by: str
    accepted: int | None = None


class Updates:
    """The updates of a followed run. Waits for what its stream publishes are counted, unless they fail."""

    def __init__(self, following: Following, traffic: StreamTraffic) -> None:
        self._following = following
        self._traffic = traffic
        self._open: dict[str, _Open] = {}

    def receive(self, job: Any) -> None:
        """An update is handed to the run."""
        header = read_header(job.headers)
        self._open[job.protocol_instance_id] = _Open(
            job.id,
            job.name,
            self._following.captured(job.input),
            caused_by(header),
            sender(header, job.meta.identity),
        )

    def respond(self, response: Any) -> None:
        """The run accepts, refuses or completes an update."""
        following = self._following
        update = self._open.get(response.protocol_instance_id)
        if update is None:
            return
        status = response.WhichOneof("response")
        if status == "accepted":
            update.accepted = following.task_start
            if not is_poll(update.name):
                following.message(Answer("update", update.update_id, update.name, update.by))
            return
        del self._open[response.protocol_instance_id]
        if status == "completed":
            self._close(update, Outcome(following.now, result=[response.completed]))
        elif status == "rejected":
            # By its validator, or by its handler: the protocol says both so. Only the latter was accepted before.
            self._close(update, Outcome(following.now, failure=failure_from_proto(response.rejected)))

    def unclosed(self) -> None:
        """The run ends: so do the spans of the updates whose handlers still run."""
        for update in self._open.values():
            if update.accepted is not None:
                self._close(update, Outcome(self._following.now, unclosed=True))
        self._open.clear()

    def _close(self, update: _Open, outcome: Outcome) -> None:
        following = self._following
        if is_poll(update.name) and outcome.failure is None:
            self._traffic.polls += 1
            return
        following.add(
            lambda: update_span(
                following.config,
                following.run,
                update.name,
                update_id=update.update_id,
                start=following.task_start if update.accepted is None else update.accepted,
                outcome=outcome,
                given=update.given,
                links=update.links,
            )
        )
