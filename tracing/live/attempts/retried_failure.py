"""How do a failure and its attempt's ledger share the room that the server gives an attempt that it retries?

Workflow code never sees such a failure: the server keeps it for those who look, until the next attempt ends.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec
from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure as FailureProto

from tracing import conventions as c

MAX_RETRIED_FAILURE_BYTES: Final = 4096
"""The server keeps the failure of an attempt that it retries in 4 KiB
(``limit.mutableStateActivityFailureSize.error``). A larger one it cuts, with all that is encoded in it."""

_FRAME_BYTES: Final = 160
"""What a ledger takes beside its own bytes: its key, lengths that grow with it, and what encryption adds."""

_STACK_TRACE_CHARACTERS: Final = (2_048, 1_024, 768, 512, 256, 0)
"""What stack traces are cut to, until a ledger fits."""
_PYTHON_FRAME: Final = '  File "'
_LEFT_OUT: Final = "  ...\n\n"


def make_room(failure: FailureProto, sizes: Sequence[int]) -> int:
    """Make room for a ledger beside a failure: where it has none, stack traces give way, their outermost frames first.

    Messages and types stay. So do the stack traces where even without them no ledger would fit.

    Args:
        failure: The failure, as it will be sent but for the ledger. Its stack traces may be cut.
        sizes: Bytes of the ledger's forms, the fullest first. The first is worth no stack trace, for it has content.

    Returns:
        Bytes that a ledger may take beside the failure.
    """
    room = _room(failure)
    if not sizes or sizes[0] <= room:
        return room
    for size in sizes[1:] or sizes:
        for characters in (None, *_STACK_TRACE_CHARACTERS):
            shorter = FailureProto()
            shorter.CopyFrom(failure)
            if characters is not None:
                _cut_stack_traces(shorter, characters)
            if size <= (left := _room(shorter)):
                failure.CopyFrom(shorter)
                return left
    return room


def stamp_failure(failure: FailureProto, ledger: bytes) -> None:
    """Put a ledger into a failure's encoded attributes.

    SDKs take message and stack trace from there where the attributes exist, so both stand in them.
    """
    if not failure.HasField("encoded_attributes"):
        data = msgspec.json.encode({"message": failure.message, "stack_trace": failure.stack_trace})
        failure.encoded_attributes.CopyFrom(Payload(metadata={"encoding": b"json/plain"}, data=data))
    failure.encoded_attributes.metadata[c.HEADER] = ledger


def _room(failure: FailureProto) -> int:
    stamped = FailureProto()
    stamped.CopyFrom(failure)
    stamp_failure(stamped, b"")
    return MAX_RETRIED_FAILURE_BYTES - _FRAME_BYTES - stamped.ByteSize()


def _cut_stack_traces(failure: FailureProto, characters: int) -> None:
    for part in _chain(failure):
        part.stack_trace = _innermost(part.stack_trace, characters)


def _chain(failure: FailureProto) -> Iterator[FailureProto]:
    yield failure
    while failure.HasField("cause"):
        failure = failure.cause
        yield failure


def _innermost(stack_trace: str, characters: int) -> str:
    """The end of a stack trace, which has the frames next to the error; whole frames only."""
    if len(stack_trace) <= characters:
        return stack_trace
    kept = stack_trace[-characters:] if characters else ""
    start = kept.find(_PYTHON_FRAME)
    return _LEFT_OUT + kept[start:] if start >= 0 else ""
