"""How does the ledger of an attempt get into the database, ahead of its step's result?"""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable
from typing import Any, Final

from dbos import DBOS, WorkflowSerializationFormat

from tracing.config import TracingConfig, logger
from tracing.dbos.ledgers import stream_of
from tracing.dbos.serializers import PICKLE
from tracing.dbos.values import PORTABLE
from tracing.dbos_live.attempt import Attempt
from tracing.live.failopen import fail_open

_STOPS: Final = (KeyboardInterrupt, SystemExit, GeneratorExit, asyncio.CancelledError)


_warned: set[str] = set()


def warn_of_plain_ledgers(config: TracingConfig, serialization: str) -> None:
    """Say once that a serialiser of the user's does not cover the messages in ledgers.

    Args:
        config: Settings.
        serialization: Name of the serialiser that wrote a workflow's values.
    """
    plain = {"", PICKLE, PORTABLE}
    if not (config.ledger and config.capture_content) or serialization in plain or serialization in _warned:
        return
    _warned.add(serialization)
    logger.warning(
        "Content is on, and the serializer %r does not cover what ledgers keep of messages: they are portable JSON. "
        "Give it to trace_dbos(serializer=…), if it encrypts.",
        serialization,
    )


def write(attempt: Attempt) -> bool:
    """Write the attempt's entry into its step's stream, where it has one; whether that was done."""
    entry = _entry(attempt)
    if entry is None:
        return False
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return _store(attempt, entry)
    # A step without `async` in a workflow with it: DBOS blocks the loop for it, and refuses to write from there.
    return _elsewhere(lambda: _store(attempt, entry))


async def write_async(attempt: Attempt) -> bool:
    """As `write`, without blocking the event loop."""
    entry = _entry(attempt)
    if entry is None:
        return False
    try:
        await DBOS.write_stream_async(stream_of(attempt.function_id), entry, serialization_type=_format(attempt))
    except _STOPS:
        raise
    except BaseException as error:  # noqa: BLE001 - see `_say`
        _say(error)
        return False
    return True


def _store(attempt: Attempt, entry: dict[str, Any]) -> bool:
    try:
        DBOS.write_stream(stream_of(attempt.function_id), entry, serialization_type=_format(attempt))
    except _STOPS:
        raise
    except BaseException as error:  # noqa: BLE001 - see `_say`
        _say(error)
        return False
    return True


def _say(error: BaseException) -> None:
    """Log why a ledger could not be written.

    Those of DBOS that are no `Exception` (its workflow is cancelled, or another process has taken it) it raises again
    when it records the step.
    """
    with fail_open("the stream of a DBOS step's attempts"):
        if isinstance(error, Exception):
            raise error


def _entry(attempt: Attempt) -> dict[str, Any] | None:
    with fail_open("the ledger of a DBOS step's attempt"):
        return attempt.entry()
    return None


def _elsewhere(do: Callable[[], bool]) -> bool:
    """Do something on another thread, in this context, and wait for it."""
    done: list[bool] = []
    context = contextvars.copy_context()
    thread = threading.Thread(target=lambda: done.append(context.run(do)), name="durable-trace-dbos-stream")
    thread.start()
    thread.join()
    return bool(done) and done[0]


def _format(attempt: Attempt) -> WorkflowSerializationFormat:
    return WorkflowSerializationFormat.DEFAULT if attempt.protects else WorkflowSerializationFormat.PORTABLE
