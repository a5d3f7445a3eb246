"""Which model calls do the outputs of a workflow's steps show, each once?

Steps hand answers on: to later steps, and children to their parents. In Temporal's histories an answer that stands in
an activity's input is none of its own; DBOS keeps no inputs of steps, but the outputs that these were made of.
"""

from __future__ import annotations

from tracing import conventions as c
from tracing.config import TracingConfig
from tracing.dbos.records import StepRow
from tracing.dbos.values import payloads_of
from tracing.ledger import LedgerSpan
from tracing.recognisers import recognised_calls


class ModelCalls:
    """Recognises calls, step by step in the order of their numbers."""

    def __init__(self, config: TracingConfig) -> None:
        """Begin with a workflow of which no answer is known."""
        self._prices = config.prices
        self._known: set[object] = set()

    def of(self, step: StepRow, *, attempt_span_id: int, start: int, end: int) -> list[LedgerSpan]:
        """The calls that a step's output shows and no earlier one's did, as a ledger records spans.

        Args:
            step: The step.
            attempt_span_id: Span ID of what they are below.
            start: Start of the step, in ns since the epoch.
            end: Its end.
        """
        calls = recognised_calls(
            step.name,
            attempt_span_id=attempt_span_id,
            start=start,
            end=end,
            given=tuple,  # no row has it
            result=payloads_of(step.result),
            prices=self._prices,
        )
        new = [call for call in calls if call.attributes.get(c.RESPONSE_ID) not in self._known]
        self._known.update(response for call in calls if (response := call.attributes.get(c.RESPONSE_ID)))
        return new
