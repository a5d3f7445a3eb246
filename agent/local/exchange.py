"""How does one request pass through the journal and the faults to its answer?"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response, StreamingResponse

from agent.local.faults import Faults
from agent.local.journal import Journal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from starlette.requests import Request

    from agent.local.journal import Asked, RequestRecord, TokenUsage

CLIENT_CLOSED_REQUEST = 499
SERVICE_UNAVAILABLE = 503


@dataclass(frozen=True)
class Reply:
    """An answer, ready to send.

    Attributes:
        pieces: The body: one piece, or one for each event of a stream.
        media_type: The body's media type.
        usage: The tokens that the answer used; none for a search.
    """

    pieces: tuple[bytes, ...]
    media_type: str = "application/json"
    usage: TokenUsage | None = None


class Exchange:
    """The journal and the faults of one server, and the way of each request through them."""

    def __init__(self, error_body: Callable[[int, str], dict[str, Any]]) -> None:
        """Start with an empty journal and no faults.

        Args:
            error_body: Builds an error's JSON body, in the service's own format, from a status and a message.
        """
        self.journal = Journal()
        self.faults = Faults()
        self._error_body = error_body

    def error(self, status: int, message: str, headers: dict[str, str] | None = None) -> Response:
        """An error answer in the service's own format."""
        return JSONResponse(self._error_body(status, message), status_code=status, headers=headers)

    async def answer(self, request: Request, asked: Asked, reply: Callable[[], Reply]) -> Response:
        """Record a request, let it meet its fault, and answer it.

        A request is recorded as answered before its last byte leaves, so that who has read the answer finds it so.

        Args:
            request: The HTTP request.
            asked: What it asks.
            reply: Makes the answer; called only for a request that is really answered.

        Returns:
            The response to send.
        """
        met = self.faults.meet(asked.prompt)
        if met is None:
            return self._answered(self.journal.receive(asked), reply())
        # The wait begins before the journal tells of the request, so that whoever hears of it can release it.
        wait = asyncio.ensure_future(self.faults.wait(met))
        record = self.journal.receive(asked, fault=met.fault.kind)
        if met.fault.kind == "hold_end":
            return self._answered(record, reply(), before_the_end=wait)
        if not await _while_connected(request, wait):
            self.journal.close(record, "disconnected")
            return Response(status_code=CLIENT_CLOSED_REQUEST)
        if met.fault.kind == "status":
            headers = {} if met.fault.retry_after is None else {"Retry-After": f"{met.fault.retry_after:g}"}
            return self._failed(record, met.fault.status, "The local server was told to fail", headers)
        if self.faults.closed:
            return self._failed(record, SERVICE_UNAVAILABLE, "The local server is stopping")
        return self._answered(record, reply())

    def _failed(self, record: RequestRecord, status: int, why: str, headers: dict[str, str] | None = None) -> Response:
        self.journal.close(record, "failed", status=status)
        return self.error(status, f"{why}.", headers)

    def _answered(
        self, record: RequestRecord, reply: Reply, *, before_the_end: asyncio.Future[None] | None = None
    ) -> Response:
        self.journal.close(record, "answered", status=200, usage=reply.usage)
        if before_the_end is not None:
            length = {"Content-Length": str(sum(map(len, reply.pieces)))}
            held = _held(reply.pieces, before_the_end)
            return StreamingResponse(held, media_type=reply.media_type, headers=length)
        if len(reply.pieces) == 1:
            return Response(reply.pieces[0], media_type=reply.media_type)
        return StreamingResponse(_each(reply.pieces), media_type=reply.media_type)


async def _while_connected(request: Request, wait: asyncio.Future[None]) -> bool:
    """Wait, but only while the client is there; tell whether it still is."""
    gone = asyncio.ensure_future(_disconnect(request))
    try:
        await asyncio.wait({wait, gone}, return_when=asyncio.FIRST_COMPLETED)
        return not gone.done()
    finally:
        wait.cancel()
        gone.cancel()
        await asyncio.gather(wait, gone, return_exceptions=True)


async def _disconnect(request: Request) -> None:
    """Wait until the client goes away; what is left of the body is passed over."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _each(pieces: tuple[bytes, ...]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


async def _held(pieces: tuple[bytes, ...], before_the_end: asyncio.Future[None]) -> AsyncIterator[bytes]:
    """Hold back the end of a body: a stream's last event, or a single body's last byte."""
    if len(pieces) == 1:
        pieces = (pieces[0][:-1], pieces[0][-1:])
    yield b"".join(pieces[:-1])
    await before_the_end
    yield pieces[-1]
