"""What do the spans of all steps have in common: times, errors, how a step shows that never ended?"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from tracing import conventions as c
from tracing.config import TracingConfig
from tracing.failures import Failure
from tracing.payloads import PayloadMessage, is_unread
from tracing.runs import Attributes, Run
from tracing.spans.content import error
from tracing.spans.model import Link, Span, SpanKind, not_before, truncate_us


class Outcome(msgspec.Struct, frozen=True, gc=False):  # in no cycle
    """How a step ended.

    Attributes:
        end: When, in ns since the epoch; None while it is open.
        result: Its result; None where it failed or has none yet.
        failure: Its failure, with or without the wrapper that workflow code sees.
        unclosed: Whether the run was over before the step was: ``end`` is then the run's.
    """

    end: int | None = None
    result: Sequence[PayloadMessage] | None = None
    failure: Failure | None = None
    unclosed: bool = False

    @property
    def is_unread(self) -> bool:
        """Whether its result or failure is encoded or stored elsewhere, and nobody knows what is in there."""
        if self.result:
            return is_unread(self.result[0])
        return self.failure is not None and self.failure.root.unread


OPEN = Outcome()
"""A step that goes on."""


def step_span(
    config: TracingConfig,
    run: Run,
    *,
    span_id: int,
    name: str,
    kind: SpanKind,
    start: int,
    outcome: Outcome,
    attributes: Attributes,
    links: tuple[Link, ...] = (),
) -> Span:
    """Build the span of a step, a child of the run's span.

    Args:
        config: Settings.
        run: The run.
        span_id: Its span ID.
        name: Its name.
        kind: Its kind.
        start: Start of the workflow task that asked for it, in ns since the epoch (workflow time, live).
        outcome: How it ended.
        attributes: What tells it from others.
        links: Its links.
    """
    start = truncate_us(start)
    end = None if outcome.end is None else not_before(start, outcome.end)
    code, message, error_attributes, exceptions = error(config, outcome.failure, start if end is None else end)
    shown: Attributes = {**run.common_attributes(), c.OPENINFERENCE_KIND: "CHAIN", **attributes, **error_attributes}
    if outcome.unclosed:
        shown[c.UNCLOSED] = True
    return Span(  # by position: names take longer than the object, and there are thousands
        run.trace_id,
        span_id,
        run.span_id,
        name,
        kind,
        start,
        end,
        shown,
        code,
        message,
        exceptions,
        links,
        run.resource,
    )
