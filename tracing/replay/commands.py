"""What did the code ask for, and what does a history say it asked for: in the same words, so that the two compare."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent

from tracing.history.enums import event_type_name

CommandKind = Literal[
    "activity",
    "local_activity",
    "timer",
    "child_workflow",
    "external_signal",
    "external_cancel",
    "nexus_operation",
    "patch",
    "search_attributes",
    "memo",
    "complete_workflow",
    "fail_workflow",
    "cancel_workflow",
    "continue_as_new",
    "marker",
]
"""Kinds of commands that leave an event of their own."""

ENDINGS: Final = frozenset({"complete_workflow", "fail_workflow", "cancel_workflow", "continue_as_new"})
"""Kinds that end a run."""

_PATCHES: Final = "TemporalChangeVersion"
"""The search attribute that Core sets by itself beside a patch."""
_LOCAL_ACTIVITY: Final = frozenset({"core_local_activity", "LocalActivity"})
_CORE_PATCH: Final = "core_patch"
_EVENT_TYPES: Final = {number: name.removeprefix("EVENT_TYPE_") for name, number in EventType.items()}
"""Event types that the installed SDK knows."""


@dataclass(frozen=True, slots=True)
class Command:
    """Something that a workflow asks its engine for.

    Attributes:
        kind: What it is.
        type: Activity type, workflow type of a child, signal name, Nexus service/operation, patch ID; "" where its
            kind has none.
        id: Activity ID, timer ID, workflow ID of a child or of the receiver; "" where its kind has none.
        event_id: Event that records it; None where it was asked for in a replay.
    """

    kind: CommandKind
    type: str = ""
    id: str = ""
    event_id: int | None = None

    def __str__(self) -> str:
        words = self.kind.replace("_", " ").replace("external ", "external workflow ").replace("nexus", "Nexus")
        shown = f"{words} {self.type!r}" if self.type else words
        return f"{shown} (ID {self.id})" if self.id else shown

    def fits(self, recorded: Command) -> bool:
        """Whether this is what a history records, by what Core compares: types, and IDs that the code can choose."""
        if (self.kind, self.type) != (recorded.kind, recorded.type):
            return False
        return self.kind not in _COMPARED_IDS or self.id == recorded.id


_COMPARED_IDS: Final = frozenset({"activity", "local_activity", "timer", "child_workflow"})


def asked_command(command: Any) -> Command | None:
    """What a `coresdk.workflow_commands.WorkflowCommand` asks for; None where it leaves no event of its own."""
    variant = command.WhichOneof("variant")
    read = _ASKED.get(variant)
    return None if read is None else read(getattr(command, variant))


def recorded_command(event: HistoryEvent) -> Command | None:
    """What an event says was asked for; None where it records no command of its own."""
    read = _RECORDED.get(_EVENT_TYPES.get(event.event_type, ""))
    field = event.WhichOneof("attributes")
    if read is None or field is None:
        return None
    found = read(getattr(event, field))
    return None if found is None else Command(found.kind, found.type, found.id, event.event_id)


def event_name(event: HistoryEvent) -> str:
    """Event type in PascalCase, as Temporal's tools show it: ``ActivityTaskScheduled``; a newer one by its number."""
    return event_type_name(event.event_type)


def _signal(asked: Any) -> Command:
    return Command(
        "external_signal", asked.signal_name, asked.child_workflow_id or asked.workflow_execution.workflow_id
    )


def _nexus(asked: Any) -> Command:
    return Command("nexus_operation", f"{asked.service}/{asked.operation}")


def _marker(recorded: Any) -> Command | None:
    name = recorded.marker_name
    if name in _LOCAL_ACTIVITY:
        note = _details(recorded, "data")
        activity_type = note.get("activity_type") or note.get("ActivityType") or ""
        activity_id = note.get("activity_id") or note.get("ActivityID") or ""
        return Command("local_activity", str(activity_type), str(activity_id))
    if name == _CORE_PATCH:
        note = _details(recorded, "patch-data")
        # What is deprecated may be missing in the code: nothing is asked for.
        return None if note.get("deprecated") else Command("patch", str(note.get("id", "")))
    return Command("marker", name)


def _details(recorded: Any, key: str) -> Mapping[str, object]:
    payloads = recorded.details[key].payloads if key in recorded.details else ()
    try:
        found = json.loads(payloads[0].data) if payloads else {}
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _search_attributes(recorded: Any) -> Command | None:
    keys = set(recorded.search_attributes.indexed_fields)
    return None if keys == {_PATCHES} else Command("search_attributes")


_ASKED: Final[Mapping[str | None, Callable[[Any], Command | None]]] = {
    "schedule_activity": lambda it: Command("activity", it.activity_type, it.activity_id),
    "schedule_local_activity": lambda it: Command("local_activity", it.activity_type, it.activity_id),
    "start_timer": lambda it: Command("timer", "", str(it.seq)),
    "start_child_workflow_execution": lambda it: Command("child_workflow", it.workflow_type, it.workflow_id),
    "signal_external_workflow_execution": _signal,
    "request_cancel_external_workflow_execution": lambda it: Command(
        "external_cancel", "", it.workflow_execution.workflow_id
    ),
    "schedule_nexus_operation": _nexus,
    "set_patch_marker": lambda it: None if it.deprecated else Command("patch", it.patch_id),
    "upsert_workflow_search_attributes": lambda _: Command("search_attributes"),
    "modify_workflow_properties": lambda _: Command("memo"),
    "complete_workflow_execution": lambda _: Command("complete_workflow"),
    "fail_workflow_execution": lambda _: Command("fail_workflow"),
    "cancel_workflow_execution": lambda _: Command("cancel_workflow"),
    "continue_as_new_workflow_execution": lambda _: Command("continue_as_new"),
}

_RECORDED: Final[Mapping[str, Callable[[Any], Command | None]]] = {
    "ACTIVITY_TASK_SCHEDULED": lambda it: Command("activity", it.activity_type.name, it.activity_id),
    "TIMER_STARTED": lambda it: Command("timer", "", it.timer_id),
    "START_CHILD_WORKFLOW_EXECUTION_INITIATED": lambda it: Command(
        "child_workflow", it.workflow_type.name, it.workflow_id
    ),
    "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED": lambda it: Command(
        "external_signal", it.signal_name, it.workflow_execution.workflow_id
    ),
    "REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED": lambda it: (
        None if it.child_workflow_only else Command("external_cancel", "", it.workflow_execution.workflow_id)
    ),
    "NEXUS_OPERATION_SCHEDULED": _nexus,
    "MARKER_RECORDED": _marker,
    "UPSERT_WORKFLOW_SEARCH_ATTRIBUTES": _search_attributes,
    "WORKFLOW_PROPERTIES_MODIFIED": lambda _: Command("memo"),
    "WORKFLOW_EXECUTION_COMPLETED": lambda _: Command("complete_workflow"),
    "WORKFLOW_EXECUTION_FAILED": lambda _: Command("fail_workflow"),
    "WORKFLOW_EXECUTION_CANCELED": lambda _: Command("cancel_workflow"),
    "WORKFLOW_EXECUTION_CONTINUED_AS_NEW": lambda _: Command("continue_as_new"),
}
