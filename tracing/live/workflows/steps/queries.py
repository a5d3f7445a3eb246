"""Which queries did a run answer? They leave no event and need no commitment: their spans go out at once."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

from opentelemetry.sdk.trace.id_generator import RandomIdGenerator

from tracing.failures import failure_from_proto
from tracing.headers import read_header
from tracing.live.workflows.steps.following import Following
from tracing.spans.links import caused_by
from tracing.spans.model import Span
from tracing.spans.query import query_span
from tracing.spans.step import Outcome

_RANDOM: Final = RandomIdGenerator()
_INTERNAL: Final = "__"
"""Temporal's UI and command line ask such queries (`__stack_trace`, …) of their own accord."""


class Queries:
    """The queries of a followed run.

    Args:
        following: The run.
        put: Takes the spans.
        clock: The worker's own clock, ns since the epoch: a query has no workflow time.
        new_span_id: Makes span IDs.
    """

    def __init__(
        self,
        following: Following,
        put: Callable[[Span], None],
        clock: Callable[[], int] = time.time_ns,
        new_span_id: Callable[[], int] = _RANDOM.generate_span_id,
    ) -> None:
        self._following = following
        self._put = put
        self._clock = clock
        self._new_span_id = new_span_id
        self._open: dict[str, tuple[Any, int]] = {}

    def receive(self, job: Any) -> None:
        """A query is handed to the run."""
        if not job.query_type.startswith(_INTERNAL):
            self._open[job.query_id] = (job, self._clock())

    def respond(self, response: Any) -> None:
        """The run answers a query."""
        following = self._following
        job, start = self._open.pop(response.query_id, (None, 0))
        if job is None or not following.run.sampled:
            return
        if response.WhichOneof("variant") == "failed":
            outcome = Outcome(self._clock(), failure=failure_from_proto(response.failed))
        else:
            outcome = Outcome(self._clock(), result=[response.succeeded.response])
        self._put(
            query_span(
                following.config,
                following.run,
                job.query_type,
                span_id=self._new_span_id(),
                start=start,
                outcome=outcome,
                given=list(job.arguments),
                links=caused_by(read_header(job.headers)),
            )
        )
