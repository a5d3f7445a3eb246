"""What is a run that was read, whichever engine it ran on, to those who write it and send it?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tracing import conventions as c
from tracing.config import TracingConfig
from tracing.dbos import Converted
from tracing.history.conversion import to_spans
from tracing.history.source import History
from tracing.spans.model import Span


@dataclass(frozen=True, slots=True)
class FoundRun:
    """A run that was read.

    Attributes:
        namespace: Its namespace; "" where its engine has none.
        workflow_id: Its workflow ID.
        run_id: Its real run ID.
        state: What tells a run that is still open from the same run tomorrow.
        defects: What is wrong with what was read, a sentence each.
        may_change: Whether it may read otherwise tomorrow, though nothing has changed: a codec server may be back.
        is_part: Whether its history is only a part, of which the rest may be put beside it.
        source: Where its history was read; "" where it is no file.
        history: Its history; None where the engine has none.
        converted: Its spans, where the engine has no history.
    """

    namespace: str
    workflow_id: str
    run_id: str
    state: str
    defects: tuple[str, ...] = ()
    may_change: bool = False
    is_part: bool = False
    source: str = ""
    history: History | None = None
    converted: Converted | None = None

    def spans(self, config: TracingConfig) -> list[Span]:
        """Its spans."""
        if self.history is not None:
            return to_spans(self.history, config)
        assert self.converted is not None  # one of the two is there
        return self.converted.spans

    def unread_values(self, spans: Sequence[Span]) -> int:
        """How many stored values nobody was to decode: of DBOS all that are no portable JSON, else results of steps.

        Those that were to be decoded and could not are among its defects.
        """
        if self.converted is not None:
            return self.converted.undecoded
        return 0 if self.may_change else sum(1 for span in spans if c.UNDECODED in span.attributes)

    def is_open(self, spans: Sequence[Span]) -> bool:
        """Whether it goes on, by its spans."""
        if self.converted is not None:
            return self.converted.is_open  # where it is over, steps may stay open: they are done if it is resumed
        return any(span.end is None for span in spans)


def found_history(history: History) -> FoundRun:
    """A run of Temporal."""
    return FoundRun(
        namespace=history.namespace,
        workflow_id=history.workflow_id,
        run_id=history.run_id,
        state=str(history.events[-1].id),
        defects=history.defects,
        may_change=history.undecoded > 0,
        is_part=history.more,
        source=history.source,
        history=history,
    )


def found_workflow(converted: Converted) -> FoundRun:
    """A workflow of DBOS: its workflow ID is its run ID, for DBOS knows no other."""
    workflow_id = converted.row.workflow_id
    return FoundRun(
        namespace="",
        workflow_id=workflow_id,
        run_id=workflow_id,
        state=str(converted.last_step),
        defects=converted.defects,
        converted=converted,
    )
