"""How are requests sent to a server: how fast, how often again, and what does a refusal say to the user?"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Final, Protocol, TypeVar

from temporalio.service import RPCError, RPCStatusCode

ATTEMPTS: Final = 6
"""How often a request is sent at most, where the server is busy or away for a moment."""

TIMEOUT_SECONDS: Final = 30.0
"""How long an answer may take."""

PATIENCE_SECONDS: Final = 30.0
"""How long requests are sent again to a server that answers none of them. A server that is too busy answers."""

LOOK_SECONDS: Final = 5.0
"""How long after a failure it is looked whether a server is back that has not answered for so long."""

_TRANSIENT: Final = frozenset(
    {
        RPCStatusCode.UNAVAILABLE,
        RPCStatusCode.RESOURCE_EXHAUSTED,
        RPCStatusCode.DEADLINE_EXCEEDED,
        RPCStatusCode.ABORTED,
        RPCStatusCode.CANCELLED,  # so the SDK calls its own timeout
    }
)
_BACKOFF_SECONDS: Final = 0.2
_BUSY_BACKOFF_SECONDS: Final = 1.0
_MAX_BACKOFF_SECONDS: Final = 10.0

Request_contra = TypeVar("Request_contra", contravariant=True)
Response_co = TypeVar("Response_co", covariant=True)


class Call(Protocol[Request_contra, Response_co]):
    """A method of ``client.workflow_service``."""

    def __call__(self, req: Request_contra, /, *, timeout: timedelta | None = ...) -> Awaitable[Response_co]:
        """Send a request."""


class Requests:
    """Sends requests, no faster than allowed, and again after errors that pass.

    A server that says that it is too busy is left alone by all requests for a while, not only by the one it refused.
    One that has answered nothing for ``PATIENCE_SECONDS`` gets one request now and then, to see whether it is back, and
    all others fail at once: a hundred thousand runs do not wait for it one after another.

    Args:
        rate: Most requests per second, those sent again included; no limit where None.
        clock: Seconds, monotonic.
        sleep: Waits for some seconds.

    Raises:
        ValueError: The rate is not positive.
    """

    def __init__(
        self,
        rate: float | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[Any]] = asyncio.sleep,
    ) -> None:
        if rate is not None and not rate > 0:
            raise ValueError("rate is a number of requests per second above 0")
        self._interval = 1 / rate if rate is not None else 0.0
        self._clock = clock
        self._sleep = sleep
        self._free_at = 0.0
        self._silent_since: float | None = None
        self._silence: RPCError | None = None
        self._look_at = 0.0

    async def send(self, call: Call[Request_contra, Response_co], request: Request_contra) -> Response_co:
        """Send a request.

        Raises:
            RPCError: The server refuses it, was still busy or away at the last try, or has been away for long.
        """
        if not self._is_given_up():
            return await self._send(call, request, ATTEMPTS)
        if self._silence is not None and self._clock() < self._look_at:
            raise RPCError(self._silence.message, self._silence.status, self._silence.raw_grpc_status)
        self._look_at = self._clock() + TIMEOUT_SECONDS  # until it is known: the others do not ask as well
        return await self._send(call, request, attempts=1)

    async def _send(
        self, call: Call[Request_contra, Response_co], request: Request_contra, attempts: int
    ) -> Response_co:
        for attempt in range(1, attempts + 1):
            await self._turn()
            try:
                answer = await call(request, timeout=timedelta(seconds=TIMEOUT_SECONDS))
            except RPCError as error:
                busy = error.status is RPCStatusCode.RESOURCE_EXHAUSTED
                self._note(error if error.status in _TRANSIENT and not busy else None)
                if error.status not in _TRANSIENT or attempt == attempts or self._is_given_up():
                    raise
                await self._back_off(attempt, busy=busy)
            else:
                self._note(None)
                return answer
        raise AssertionError("the last attempt returns or raises")

    def _note(self, silence: RPCError | None) -> None:
        """Note whether the server has answered, or how it did not."""
        self._silence = silence
        if silence is None:
            self._silent_since = None
            return
        self._look_at = self._clock() + LOOK_SECONDS
        if self._silent_since is None:
            self._silent_since = self._clock()

    def _is_given_up(self) -> bool:
        return self._silent_since is not None and self._clock() - self._silent_since >= PATIENCE_SECONDS

    async def _turn(self) -> None:
        """Wait until the next request may be sent."""
        now = self._clock()
        start = max(now, self._free_at)
        self._free_at = start + self._interval
        if start > now:
            await self._sleep(start - now)

    async def _back_off(self, attempt: int, *, busy: bool) -> None:
        first = _BUSY_BACKOFF_SECONDS if busy else _BACKOFF_SECONDS
        seconds = min(first * 2 ** (attempt - 1), _MAX_BACKOFF_SECONDS) * random.uniform(0.8, 1.2)  # noqa: S311
        if busy:
            self._free_at = max(self._free_at, self._clock() + seconds)
        else:
            await self._sleep(seconds)


def said(error: RPCError) -> str:
    """What the server says, to be gone on with: some of its sentences have a period, others not."""
    return error.message.rstrip(". ")


def refusal(error: RPCError) -> str:
    """What the server's refusal of a run means, and how to mend it."""
    match error.status:
        case RPCStatusCode.NOT_FOUND:
            return (
                f"the server says: {said(error)}. Check workflow ID and namespace; a run whose retention is over is "
                "gone."
            )
        case RPCStatusCode.PERMISSION_DENIED | RPCStatusCode.UNAUTHENTICATED:
            return f"the server says: {said(error)}. Check the API key or certificate, and the namespace."
        case status if status in _TRANSIENT:
            return f"the server says again and again: {said(error)}. Run it again."
        case RPCStatusCode.INVALID_ARGUMENT:
            return f"the server says: {said(error)}. Check workflow ID and run ID."
        case _:
            return f"the server says: {said(error)}. Run it again; if it says so again, look at the server's log."
