"""How much did a run's stream carry, and which events were that?"""

from __future__ import annotations

from tracing.history.attributes.workflow import WorkflowExecutionSignaled
from tracing.history.runs import RunContext
from tracing.history.signals import signals_of
from tracing.history.updates import is_stream_poll, updates_of
from tracing.spans.streams import StreamTraffic, is_publish


def stream_traffic(context: RunContext) -> tuple[StreamTraffic, set[int]]:
    """Count what a run's stream carried.

    Returns:
        The counts, and the IDs of the events that were counted: they make no span.
    """
    traffic, counted = StreamTraffic(), set[int]()
    for event in signals_of(context.events):
        signal = event.attributes
        handed_over = context.tasks.after(event.id) is not None
        if isinstance(signal, WorkflowExecutionSignaled) and is_publish(signal.signal_name) and handed_over:
            traffic.publishes += 1
            counted.add(event.id)
    for update in updates_of(context.events):
        if is_stream_poll(update):
            traffic.polls += 1
            counted.update(update.ids)
    return traffic, counted
