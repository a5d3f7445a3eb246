"""What was an update asked for that a reset has brought again?

The server applies the updates of the base run once more: it notes each request in an event of its own, and the event by
which the workflow accepts the update holds none.
"""

from __future__ import annotations

from msgspec.structs import replace

from tracing.history.attributes.related import WorkflowExecutionUpdateAccepted, WorkflowExecutionUpdateAdmitted
from tracing.history.events import Event


class Admitted:
    """The updates that were noted so far, in the order of events."""

    def __init__(self) -> None:
        self._noted: dict[str, tuple[Event, WorkflowExecutionUpdateAdmitted]] = {}

    def note(self, event: Event, admitted: WorkflowExecutionUpdateAdmitted) -> None:
        """Add an event that notes one."""
        if admitted.request is not None and admitted.request.meta is not None:
            self._noted[admitted.request.meta.update_id] = event, admitted

    def asked(self, accepted: WorkflowExecutionUpdateAccepted) -> tuple[WorkflowExecutionUpdateAccepted, Event | None]:
        """What accepts an update, with its request; and the event that this was found in, where it is another."""
        event, admitted = self._noted.get(accepted.protocol_instance_id, (None, None))
        if accepted.accepted_request is not None or admitted is None:
            return accepted, None
        return replace(accepted, accepted_request=admitted.request), event
