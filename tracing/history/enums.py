"""How is an enum's value called, however a history spells it?

Histories have the same value as a number (protobuf), as ``EVENT_TYPE_TIMER_FIRED`` (protobuf's JSON) and as
``TimerFired`` (the JSON of older servers, of the command line and of the Web UI).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from temporalio.api.enums.v1 import (
    CancelExternalWorkflowExecutionFailedCause,
    EventType,
    PendingActivityState,
    RetryState,
    SignalExternalWorkflowExecutionFailedCause,
    StartChildWorkflowExecutionFailedCause,
    TimeoutType,
    WorkflowTaskFailedCause,
)

Enum = int | str
"""An enum's value as a history has it."""

_EVENT_TYPE_PREFIX: Final = "EVENT_TYPE_"
_MAX_NAME: Final = 100


def pascal_case(name: str) -> str:
    """``TIMER_FIRED`` as ``TimerFired``."""
    return "".join(word.capitalize() for word in name.split("_"))


class EnumNames:
    """Names of some enums' values as Temporal's documentation spells them: ``RESET_WORKFLOW``, ``START_TO_CLOSE``."""

    def __init__(self, *enums: Any) -> None:
        self._names: dict[Enum, str] = {}
        self._prefixes: list[str] = []
        for enum in enums:
            prefix = enum.Name(0).removesuffix("UNSPECIFIED")
            self._prefixes.append(prefix)
            for full, number in enum.items():
                name = full.removeprefix(prefix)
                spellings: Sequence[Enum] = (number, full, name, pascal_case(name), str(number))
                self._names.update(dict.fromkeys(spellings, "" if number == 0 else name))

    def name(self, value: Enum) -> str:
        """Name of a value: "" for unspecified; a value that this version does not know keeps its spelling."""
        known = self._names.get(value)
        if known is not None:
            return known
        text = str(value)[:_MAX_NAME]
        for prefix in self._prefixes:
            text = text.removeprefix(prefix)
        return text


TIMEOUT_TYPES: Final = EnumNames(TimeoutType)
RETRY_STATES: Final = EnumNames(RetryState)
WORKFLOW_TASK_FAILED_CAUSES: Final = EnumNames(WorkflowTaskFailedCause)
CHILD_FAILED_CAUSES: Final = EnumNames(StartChildWorkflowExecutionFailedCause)
SIGNAL_FAILED_CAUSES: Final = EnumNames(SignalExternalWorkflowExecutionFailedCause)
CANCEL_FAILED_CAUSES: Final = EnumNames(CancelExternalWorkflowExecutionFailedCause)
PENDING_ACTIVITY_STATES: Final = EnumNames(PendingActivityState)

_EVENT_TYPES: Final[dict[Enum, str]] = {}
for _full, _number in EventType.items():
    _pascal = pascal_case(_full.removeprefix(_EVENT_TYPE_PREFIX))
    _EVENT_TYPES.update(dict.fromkeys((_number, str(_number), _full, _pascal), _pascal))

EVENT_TYPE_NAMES: Final = frozenset(_EVENT_TYPES.values())
"""Event types that the installed API knows, in PascalCase."""


def event_type_name(value: Enum) -> str:
    """Event type in PascalCase; of a type that this version does not know, its number or spelling is kept."""
    known = _EVENT_TYPES.get(value)
    if known is not None:
        return known
    if isinstance(value, str) and value.isascii() and value.isidentifier() and len(value) <= _MAX_NAME:
        prefixed = value.startswith(_EVENT_TYPE_PREFIX)
        return pascal_case(value.removeprefix(_EVENT_TYPE_PREFIX)) if prefixed else value
    if isinstance(value, int):
        return f"EventType{value}"
    return "UnknownEvent"
