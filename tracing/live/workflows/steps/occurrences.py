"""What happened to a run that has no span of its own, and is an event of the run's span?

Named as the history event it leaves. What workers are not told (failed workflow tasks, resets) only history shows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tracing import conventions as c
from tracing.live.workflows.steps.following import Following
from tracing.runs import Attributes
from tracing.spans.model import Event

_PATCH_MARKER: Final = "core_patch"
MAX_OCCURRENCES: Final = 128
"""Events of one run's span, OpenTelemetry's default limit; more are left to the export."""


class Occurrences:
    """What happened to a followed run; replays as well, for the run's span ends on whichever worker is the last."""

    def __init__(self, following: Following) -> None:
        self._following = following
        self.events: list[Event] = []

    def cancel_requested(self) -> None:
        """A client asked to cancel the run."""
        self._following.cancel_requested = True
        self._add("WorkflowExecutionCancelRequested", {})

    def patched(self, command: Any) -> None:
        """The workflow's code asked for a patch."""
        self._add("MarkerRecorded", {c.MARKER_NAME: _PATCH_MARKER, c.PATCH_ID: command.set_patch_marker.patch_id})

    def search_attributes(self, command: Any) -> None:
        """The workflow set search attributes."""
        fields = command.upsert_workflow_search_attributes.search_attributes.indexed_fields
        self._add("UpsertWorkflowSearchAttributes", _changed(fields))

    def memo(self, command: Any) -> None:
        """The workflow changed its memo."""
        self._add("WorkflowPropertiesModified", _changed(command.modify_workflow_properties.upserted_memo.fields))

    def _add(self, name: str, attributes: Attributes) -> None:
        if len(self.events) < MAX_OCCURRENCES:
            self.events.append(Event(name, self._following.now, attributes))


def _changed(fields: Mapping[str, Any]) -> Attributes:
    return {c.CHANGED_KEYS: tuple(sorted(fields))}
