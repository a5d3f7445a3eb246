"""What of a run is traffic of a workflow stream, counted on the run's span instead of being a span each?

A stream (``temporalio.contrib.workflow_streams``) carries what agents say while they say it: each batch is a signal,
each wait of a reader for the next one an update. A run can have thousands of them, which say nothing of its steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tracing import conventions as c
from tracing.runs import Attributes

_PUBLISH_SIGNAL: Final = "__temporal_workflow_stream_publish"
_POLL_UPDATE: Final = "__temporal_workflow_stream_poll"
_OFFSET_QUERY: Final = "__temporal_workflow_stream_offset"


@dataclass(slots=True)
class StreamTraffic:
    """How much a run's stream carried.

    Attributes:
        publishes: Batches that were published by signals.
        polls: Waits for more, by updates. One that fails is a span, as any other update's.
    """

    publishes: int = 0
    polls: int = 0

    def attributes(self) -> Attributes:
        """The counts as the run's span carries them; none where there is no stream."""
        counts: Attributes = {c.STREAM_PUBLISHES: self.publishes, c.STREAM_POLLS: self.polls}
        return {key: count for key, count in counts.items() if count}


def is_publish(signal_name: str) -> bool:
    """Whether a signal publishes to a stream."""
    return signal_name == _PUBLISH_SIGNAL


def is_poll(update_name: str) -> bool:
    """Whether an update waits for what is published."""
    return update_name == _POLL_UPDATE


def is_offset(query_name: str) -> bool:
    """Whether a query asks how far a stream is."""
    return query_name == _OFFSET_QUERY
