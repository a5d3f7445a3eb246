"""What does a Temporal failure say: its kind, type, message and causes?

One reading of ``temporal.api.failure.v1.Failure`` for both readers: a failed span is the same live and exported.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from tracing.conventions import HEADER

MAX_DEPTH: Final = 20
"""Causes below this depth are dropped: failures come from outside and may nest without end."""

_TIMEOUTS: Final = {1: "START_TO_CLOSE", 2: "SCHEDULE_TO_START", 3: "SCHEDULE_TO_CLOSE", 4: "HEARTBEAT"}
_RETRY_STATES: Final = {
    1: "IN_PROGRESS",
    2: "NON_RETRYABLE_FAILURE",
    3: "TIMEOUT",
    4: "MAXIMUM_ATTEMPTS_REACHED",
    5: "RETRY_POLICY_NOT_SET",
    6: "INTERNAL_SERVER_ERROR",
    7: "CANCEL_REQUESTED",
}

WRAPPERS: Final = frozenset({"activity", "child_workflow", "nexus_operation", "server"})
"""Kinds that say only where a failure came from, or that the server has cut it ("Failure exceeds size limit."); their
cause, where there is one, says what it is."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A failure and its causes.

    Attributes:
        kind: Temporal's failure info: application, timeout, canceled, terminated, server, activity, child_workflow …
        type: Class of the error for ``error.type``: the application's type, else Temporal's name for the kind.
        message: The message (content).
        stack_trace: The stack trace (content).
        timeout_type: Which timeout, as Temporal spells it (START_TO_CLOSE …), or "".
        retry_state: Why the server does not try again (activity and child failures), or "".
        ledger: The ledger's bytes, where the failed attempt left one.
        cause: What caused it.
        outer: Message and stack trace beside the encoded attributes: what is read where a codec encodes these.
        unread: Whether what the failed attempt left is encoded or stored elsewhere, and not read here.
    """

    kind: str
    type: str
    message: str = ""
    stack_trace: str = ""
    timeout_type: str = ""
    retry_state: str = ""
    ledger: bytes | None = None
    cause: Failure | None = None
    outer: tuple[str, str] | None = field(default=None, compare=False)
    unread: bool = field(default=False, compare=False)

    @property
    def canceled(self) -> bool:
        """Whether this is a cancellation, which is no error."""
        return self.kind == "canceled" or (self.kind in WRAPPERS and self.cause is not None and self.cause.canceled)

    @property
    def root(self) -> Failure:
        """The failure itself, without the wrapper that says which activity, child or operation it came from."""
        return self.cause.root if self.kind in WRAPPERS and self.cause else self

    def chain(self) -> list[Failure]:
        """This failure and its causes, outermost first."""
        causes, failure = [self], self.cause
        while failure is not None:
            causes.append(failure)
            failure = failure.cause
        return causes


class _EncodedAttributes(msgspec.Struct):
    message: str = ""
    stack_trace: str = ""


def failure_from_proto(proto: Any, depth: int = 0) -> Failure:
    """Read a ``temporal.api.failure.v1.Failure`` message.

    Message and stack trace are taken from the encoded attributes where these are readable, as SDKs do.
    """
    info: str = proto.WhichOneof("failure_info") or ""
    kind = info.removesuffix("_failure_info").removesuffix("_execution").removesuffix("_operation_execution")
    details = getattr(proto, info) if info else None
    timeout_type = _TIMEOUTS.get(details.timeout_type, "") if kind == "timeout" and details is not None else ""
    message, stack_trace = outer = proto.message, proto.stack_trace
    ledger = None
    if proto.HasField("encoded_attributes"):
        ledger = proto.encoded_attributes.metadata.get(HEADER)
        message, stack_trace = _encoded(proto.encoded_attributes, message, stack_trace)
    return Failure(
        kind=kind,
        type=error_type(kind, details.type if kind == "application" and details is not None else ""),
        message=message,
        stack_trace=stack_trace,
        timeout_type=timeout_type,
        retry_state=_RETRY_STATES.get(getattr(details, "retry_state", 0), ""),
        ledger=ledger,
        cause=failure_from_proto(proto.cause, depth + 1) if proto.HasField("cause") and depth < MAX_DEPTH else None,
        outer=outer if outer != (message, stack_trace) else None,
    )


def refused(cause: str) -> Failure:
    """What a workflow asked of others and the server refused, with its cause as Temporal spells it (NOT_FOUND …)."""
    return Failure(kind="refused", type=cause or "UNSPECIFIED")


def refused_cause(enum: Any, number: int) -> str:
    """Name of a cause of a protobuf enum, without the prefix that all its values have; a new server's number as it is.

    Args:
        enum: The enum, such as ``StartChildWorkflowExecutionFailedCause``.
        number: The value.
    """
    prefix = enum.Name(0).removesuffix("UNSPECIFIED")
    known: dict[int, str] = {value: name for name, value in enum.items()}
    return known.get(number, str(number)).removeprefix(prefix)


def error_type(kind: str, application_type: str) -> str:
    """Value of ``error.type`` for a failure: the SDKs' class name for its kind, or the application's own type."""
    if kind == "application":
        return application_type or "ApplicationError"
    return f"{''.join(word.capitalize() for word in kind.split('_'))}Error" if kind else "Failure"


def _encoded(payload: Any, message: str, stack_trace: str) -> tuple[str, str]:
    if payload.metadata.get("encoding") != b"json/plain":
        return message, stack_trace
    try:
        attributes = msgspec.json.decode(payload.data, type=_EncodedAttributes)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return message, stack_trace
    return attributes.message or message, attributes.stack_trace or stack_trace
