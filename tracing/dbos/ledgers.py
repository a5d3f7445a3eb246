"""What is kept of an attempt of a step, in the workflow's database?

DBOS keeps a step's outcome, and no attempts. So each attempt that made model calls or failed writes its ledger into a
stream of its workflow, ahead of the step's outcome: one stream for each step, whose values are portable JSON, or are
written by the user's own serialiser. Results stay as they are, and whoever reads the database without this toolkit sees
a stream that nobody asks for.

Most steps call no model. They write nothing: that they recorded nothing follows from the ledger of the first step that
was over in their execution of the workflow, which is always written (`Executions`).
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from tracing import conventions as c
from tracing.dbos.serializers import Serializer
from tracing.failures import Failure
from tracing.identity import SCHEME
from tracing.ledger import Ledger, read_ledger

MAX_ENTRY: Final = 1 << 21
"""A longer entry is ignored; in characters."""
_MAX_NAME: Final = 1_024


def stream_of(function_id: int) -> str:
    """Key of the stream with the ledgers of a step."""
    return f"{c.HEADER}/{function_id}"


STREAMS: Final = f"{c.HEADER}/"
"""How the keys of all these streams begin."""


@dataclass(frozen=True, slots=True)
class RecordedAttempt:
    """An attempt of a step.

    Attributes:
        step: Name of the step.
        ledger: Its ledger: run is the workflow ID, activity the number of the step.
        failure: Why it failed; None where it did not.
        execution: Which execution of the workflow it belongs to, as DBOS counts them; 0 is unknown.
        since: When that execution began, in ms since the epoch, by its own clock.
    """

    step: str
    ledger: Ledger
    failure: Failure | None = None
    execution: int = 0
    since: int = 0


class _Failure(msgspec.Struct, omit_defaults=True):
    name: str
    message: str = ""


class _Entry(msgspec.Struct, omit_defaults=True):
    step: str
    ledger: str
    failure: _Failure | None = None
    execution: int = 0
    since: int = 0
    v: int = SCHEME


def entry_of(attempt: RecordedAttempt, ledger: bytes) -> dict[str, Any]:
    """What is written of an attempt: plain values for a stream.

    Args:
        attempt: The attempt; the message of its failure is written as it is.
        ledger: Its ledger as stored, which may be cut.
    """
    failure = attempt.failure
    told = None if failure is None else _Failure(failure.type, failure.message)
    entry = _Entry(attempt.step, base64.b64encode(ledger).decode("ascii"), told, attempt.execution, attempt.since)
    written: dict[str, Any] = msgspec.to_builtins(entry) | {"v": SCHEME}
    return written


def read_entry(
    text: str | None,
    *,
    workflow_id: str,
    function_id: int,
    serialization: str = "",
    serializer: Serializer | None = None,
) -> RecordedAttempt | None:
    """Read what was written of an attempt.

    Args:
        text: The stream's value.
        workflow_id: Workflow it was found at.
        function_id: Step it was found at.
        serialization: Name of the serialiser that wrote it.
        serializer: One of the user's, for what it wrote itself.

    Returns:
        The attempt; None where it is broken, too large, or of another workflow (a fork copies its base's streams).
    """
    if text is None or len(text) > MAX_ENTRY:
        return None
    try:
        entry = msgspec.convert(_value(text, serialization, serializer), _Entry)
        data = base64.b64decode(entry.ledger, validate=True)
    except (msgspec.MsgspecError, UnicodeError, RecursionError, binascii.Error):
        return None
    ledger = read_ledger(data, run_id=workflow_id, activity_id=str(function_id))
    if ledger is None or entry.v != SCHEME or not 0 < len(entry.step) <= _MAX_NAME:
        return None
    told = entry.failure
    failure = None if told is None else Failure(kind="application", type=told.name[:_MAX_NAME], message=told.message)
    return RecordedAttempt(entry.step, ledger, failure, entry.execution, entry.since)


def _value(text: str, serialization: str, serializer: Serializer | None) -> Any:
    if serializer is None or serializer.name() != serialization:
        return msgspec.json.decode(text)
    try:
        return serializer.deserialize(text)
    except Exception as error:  # whatever its writer raises of another key, or of a row that was changed
        raise msgspec.DecodeError(type(error).__name__) from error
