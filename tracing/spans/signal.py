"""The span of a signal that a run received."""

from __future__ import annotations

from collections.abc import Sequence

from tracing import conventions as c
from tracing.config import TracingConfig
from tracing.identity import step_span_id
from tracing.payloads import PayloadMessage
from tracing.runs import Run
from tracing.spans.content import input_output
from tracing.spans.model import Link, Span, SpanKind, truncate_us
from tracing.spans.step import Outcome, step_span


def signal_span(
    config: TracingConfig,
    run: Run,
    signal_name: str,
    *,
    event_id: int,
    time: int,
    given: Sequence[PayloadMessage],
    links: tuple[Link, ...] = (),
) -> Span:
    """Build the span of a signal, an instant: how long a handler runs is not in the history.

    Args:
        config: Settings.
        run: The run.
        signal_name: Signal name.
        event_id: ID of the event that brought it. Handling has another order: signals are buffered.
        time: Start of the workflow task that it was first handed to, in ns since the epoch.
        given: Its arguments.
        links: To the span that sent it; to the base run's, where reused.
    """
    return step_span(
        config,
        run,
        span_id=step_span_id(run.run_id, "signal", str(event_id)),
        name=c.handle_signal(signal_name),
        kind=SpanKind.SERVER,
        start=time,
        outcome=Outcome(end=truncate_us(time)),
        attributes={c.SIGNAL_NAME: signal_name, **input_output(config, given, None)},
        links=links,
    )
