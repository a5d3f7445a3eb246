"""What do the failures in a history say? The JSON side of ``tracing.failures``.

The messages have the fields of ``temporal.api.failure.v1.Failure`` that are read. JSON and protobuf histories decode
to the same messages, so they give the same failures, which are those that workers see live.
"""

from __future__ import annotations

from typing import Final

import msgspec

from tracing.conventions import HEADER
from tracing.failures import MAX_DEPTH, Failure, error_type
from tracing.history.enums import RETRY_STATES, TIMEOUT_TYPES, Enum
from tracing.history.values import StoredPayload
from tracing.payloads import is_unread


class _Info(msgspec.Struct, frozen=True, rename="camel"):
    """A kind of failure of which only the kind is read."""


class _ApplicationInfo(_Info, frozen=True):
    type: str = ""


class _TimeoutInfo(_Info, frozen=True):
    timeout_type: Enum = 0


class _WrapperInfo(_Info, frozen=True):
    retry_state: Enum = 0


class FailureMessage(msgspec.Struct, frozen=True, rename="camel"):
    """``temporal.api.failure.v1.Failure``."""

    message: str = ""
    stack_trace: str = ""
    encoded_attributes: StoredPayload | None = None
    cause: FailureMessage | None = None
    application_failure_info: _ApplicationInfo | None = None
    timeout_failure_info: _TimeoutInfo | None = None
    canceled_failure_info: _Info | None = None
    terminated_failure_info: _Info | None = None
    server_failure_info: _Info | None = None
    reset_workflow_failure_info: _Info | None = None
    activity_failure_info: _WrapperInfo | None = None
    child_workflow_execution_failure_info: _WrapperInfo | None = None
    nexus_operation_execution_failure_info: _Info | None = None
    nexus_handler_failure_info: _Info | None = None


_KINDS: Final = {
    "application_failure_info": "application",
    "timeout_failure_info": "timeout",
    "canceled_failure_info": "canceled",
    "terminated_failure_info": "terminated",
    "server_failure_info": "server",
    "reset_workflow_failure_info": "reset_workflow",
    "activity_failure_info": "activity",
    "child_workflow_execution_failure_info": "child_workflow",
    "nexus_operation_execution_failure_info": "nexus_operation",
    "nexus_handler_failure_info": "nexus_handler",
}


class _EncodedAttributes(msgspec.Struct):
    message: str = ""
    stack_trace: str = ""


def failure_of(message: FailureMessage | None, depth: int = 0) -> Failure:
    """Read a failure; one that the history leaves out is of unknown kind."""
    if message is None:
        return Failure(kind="", type=error_type("", ""))
    kind, info = next(
        ((kind, found) for field, kind in _KINDS.items() if (found := getattr(message, field)) is not None), ("", None)
    )
    outer = message.message, message.stack_trace
    text, stack_trace, ledger = _encoded(message)
    cause = failure_of(message.cause, depth + 1) if message.cause is not None and depth < MAX_DEPTH else None
    return Failure(
        kind=kind,
        type=error_type(kind, info.type if isinstance(info, _ApplicationInfo) else ""),
        message=text,
        stack_trace=stack_trace,
        timeout_type=TIMEOUT_TYPES.name(info.timeout_type) if isinstance(info, _TimeoutInfo) else "",
        retry_state=RETRY_STATES.name(info.retry_state) if isinstance(info, _WrapperInfo) else "",
        ledger=ledger,
        cause=cause,
        outer=outer if outer != (text, stack_trace) else None,
        unread=message.encoded_attributes is not None and is_unread(message.encoded_attributes.payload),
    )


def _encoded(message: FailureMessage) -> tuple[str, str, bytes | None]:
    """Message, stack trace and ledger, from the encoded attributes where these are readable, as SDKs do."""
    if message.encoded_attributes is None:
        return message.message, message.stack_trace, None
    payload = message.encoded_attributes.payload
    ledger = payload.metadata.get(HEADER)
    if payload.metadata.get("encoding") != b"json/plain":
        return message.message, message.stack_trace, ledger
    try:
        attributes = msgspec.json.decode(payload.data, type=_EncodedAttributes)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return message.message, message.stack_trace, ledger
    return attributes.message or message.message, attributes.stack_trace or message.stack_trace, ledger
