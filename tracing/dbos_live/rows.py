"""How is DBOS's database read while its workflows run? On threads of our own, read-only, by the exporter's reader."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import ExitStack, suppress
from typing import Final, TypeVar

from tracing.dbos import DatabaseError, Reader, connect
from tracing.dbos.serializers import Serializer
from tracing.live.failopen import fail_open

Value = TypeVar("Value")


_inherited: Final[list[ExitStack]] = []
"""Connections that a forked child has of its parent: closed, or even let go, they would end there as well."""


class Rows:
    """The open database, for the thread that uses it first; opened when it is needed, and anew after a failure.

    Args:
        url: URL of the system database.
        serializer: A serialiser of the user's, for ledgers that it wrote.
    """

    def __init__(self, url: str, serializer: Serializer | None = None) -> None:
        self._url = url
        self._serializer = serializer
        self._connection = ExitStack()
        self._reader: Reader | None = None

    def forget(self) -> None:
        """Begin anew in a forked child: the connection is its parent's."""
        _inherited.append(self._connection)
        self._connection = ExitStack()
        self._reader = None

    def close(self) -> None:
        """Let go of the database, on the thread that uses it; whoever reads it then opens it anew."""
        self._reader = None
        self._connection.close()

    def read(self, use: Callable[[Reader], Value]) -> Value:
        """Use the reader; again with a new connection, where the one from before has been closed meanwhile.

        Raises:
            DatabaseError: The database cannot be read.
        """
        if self._reader is not None:
            with suppress(DatabaseError):
                return self._read(use)
        return self._read(use)

    def _read(self, use: Callable[[Reader], Value]) -> Value:
        try:
            if self._reader is None:
                self._reader = Reader(self._connection.enter_context(connect(self._url)), self._serializer)
            return use(self._reader)
        except DatabaseError:
            self.close()
            raise


class ReadingThread:
    """Answers questions to the database, one after the other.

    Args:
        url: URL of the system database.
        name: Name of the thread.
    """

    def __init__(self, url: str, name: str) -> None:
        self._rows = Rows(url)
        self._name = name
        self._begin()

    def _begin(self) -> None:
        self._asked: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def forget(self) -> None:
        """Begin anew in a forked child, which has no thread: who waits for an answer is not there either."""
        self._rows.forget()
        self._begin()

    def ask(self, use: Callable[[Reader], Value]) -> Future[Value]:
        """Have the reader used; whoever waits no longer may cancel it."""
        answer: Future[Value] = Future()

        def read() -> None:
            if answer.set_running_or_notify_cancel():
                try:
                    answer.set_result(self._rows.read(use))
                except Exception as error:  # noqa: BLE001 - whoever waits for it is told
                    answer.set_exception(error)

        self._asked.put(read)
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()
        return answer

    def let_go(self) -> None:
        """Close the database; who asks after that has it opened anew."""
        if self._thread is not None:
            self._asked.put(self._close)

    def _close(self) -> None:
        with fail_open("the end of DBOS"):
            self._rows.close()

    def _run(self) -> None:
        while True:
            self._asked.get()()
