"""How does an attempt end whose activity is completed later, by a client and not by its worker?

Its code calls ``activity.raise_complete_async()``; some time later a client tells the outcome, by task token or by
IDs: ``client.get_async_activity_handle(...)``. Until then its span stays open here, in this process. If that client is
in the same process and has the plugin, the call ends the span, and the ledger goes with the result or the failure, as
it does from a worker. A cancellation takes no ledger along, for the server keeps nothing of it but its details.

Another process knows nothing of the attempt, so nothing is sent live; the history tells of it, without a ledger.
What the code did before it handed over is inside its spans either way.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import temporalio.activity
import temporalio.client
import temporalio.common
from temporalio.api.failure.v1 import CanceledFailureInfo, Failure

from tracing.live.attempts.attempt import Attempt
from tracing.live.failopen import fail_open

MAX_OPEN: Final = 2_000
"""Attempts that may be open here at a time; the oldest is forgotten first."""

CANCELED: Final = Failure(message="Cancelled", canceled_failure_info=CanceledFailureInfo())
"""What the SDK makes of an activity that was cancelled."""

_ID = tuple[str, str | None, str]
"""Namespace, workflow ID (None of a standalone activity), activity ID."""


class OpenAttempts:
    """The attempts of this process that are not over, found by task token or by IDs.

    Args:
        limit: How many are kept.
    """

    def __init__(self, limit: int = MAX_OPEN) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._by_token: OrderedDict[bytes, Attempt] = OrderedDict()
        self._tokens: dict[_ID, bytes] = {}

    def __len__(self) -> int:
        return len(self._by_token)

    def add(self, task_token: bytes, attempt: Attempt) -> None:
        """An attempt begins, or is open again."""
        with self._lock:
            self._by_token[task_token] = attempt
            self._tokens[_id_of(attempt)] = task_token
            while len(self._by_token) > self._limit:
                token, forgotten = self._by_token.popitem(last=False)
                self._forget_id(token, forgotten)

    def take(self, task_token: bytes) -> Attempt | None:
        """Take an attempt out, by its task token."""
        with self._lock:
            attempt = self._by_token.pop(task_token, None)
            if attempt is not None:
                self._forget_id(task_token, attempt)
            return attempt

    def token_of(self, namespace: str, reference: temporalio.client.AsyncActivityIDReference | bytes) -> bytes | None:
        """The task token of the latest attempt that a client's handle means."""
        if isinstance(reference, bytes):
            return reference
        with self._lock:
            token = self._tokens.get((namespace, reference.workflow_id or None, reference.activity_id))
            attempt = self._by_token.get(token) if token is not None else None
        if attempt is None or (reference.run_id and reference.run_id != attempt.place.run.run_id):
            return None
        return token

    def find(self, namespace: str, reference: temporalio.client.AsyncActivityIDReference | bytes) -> Attempt | None:
        """The attempt that a client's handle means; it stays here."""
        token = self.token_of(namespace, reference)
        with self._lock:
            return self._by_token.get(token) if token is not None else None

    def _forget_id(self, token: bytes, attempt: Attempt) -> None:
        # A later attempt of the activity may stand there.
        if self._tokens.get(_id_of(attempt)) == token:
            del self._tokens[_id_of(attempt)]


def _id_of(attempt: Attempt) -> _ID:
    run = attempt.place.run
    return run.namespace, run.workflow_id or None, attempt.activity_id


open_attempts: Final = OpenAttempts()
"""Of this process, whichever of its clients completes them."""


def completes_later(error: BaseException | None) -> bool:
    """Whether an activity's code ended by handing over its completion."""
    return isinstance(error, temporalio.activity._CompleteAsyncError)  # noqa: SLF001 - it has no public name


class CompletionOutbound(temporalio.client.OutboundInterceptor):
    """Ends the attempts that this client completes; part of the plugin's client interceptor."""

    def __init__(self, next: temporalio.client.OutboundInterceptor, namespace: str) -> None:  # noqa: A002 - the SDK's name
        super().__init__(next)
        self._namespace = namespace

    async def heartbeat_async_activity(
        self,
        input: temporalio.client.HeartbeatAsyncActivityInput,  # noqa: A002 - the SDK's name
    ) -> None:
        """Heartbeat for an activity."""
        with fail_open("a heartbeat"):
            attempt = open_attempts.find(self._namespace, input.id_or_token)
            if attempt is not None:
                attempt.heartbeats += 1
        await super().heartbeat_async_activity(input)

    async def complete_async_activity(
        self,
        input: temporalio.client.CompleteAsyncActivityInput,  # noqa: A002 - the SDK's name
    ) -> None:
        """Complete an activity, with the ledger beside its result."""
        async with self._taken(input.id_or_token) as attempt:
            if attempt is None:
                await super().complete_async_activity(input)
                return
            if input.result is temporalio.common._arg_unset:  # noqa: SLF001 - what the SDK compares with
                # As a worker encodes what an activity without a result returns: there must be a payload for the ledger.
                input.result = None
            with attempt.completing():
                await super().complete_async_activity(input)

    async def fail_async_activity(
        self,
        input: temporalio.client.FailAsyncActivityInput,  # noqa: A002 - the SDK's name
    ) -> None:
        """Fail an activity, with the ledger in its failure."""
        async with self._taken(input.id_or_token) as attempt:
            if attempt is None:
                await super().fail_async_activity(input)
                return
            with attempt.completing():
                await super().fail_async_activity(input)

    async def report_cancellation_async_activity(
        self,
        input: temporalio.client.ReportCancellationAsyncActivityInput,  # noqa: A002 - the SDK's name
    ) -> None:
        """Tell that an activity was cancelled."""
        async with self._taken(input.id_or_token) as attempt:
            await super().report_cancellation_async_activity(input)
            if attempt is not None:
                with fail_open("the end of an attempt"):
                    attempt.stop_clock()
                    attempt.close(CANCELED)

    @asynccontextmanager
    async def _taken(
        self, reference: temporalio.client.AsyncActivityIDReference | bytes
    ) -> AsyncIterator[Attempt | None]:
        """The attempt that is meant, where it is open in this process; open again where telling its outcome failed."""
        token: bytes | None = None
        attempt: Attempt | None = None
        with fail_open("the completion of an activity"):
            token = open_attempts.token_of(self._namespace, reference)
            attempt = open_attempts.take(token) if token is not None else None
        try:
            yield attempt
        except BaseException:
            if token is not None and attempt is not None:
                open_attempts.add(token, attempt)
            raise
