"""What can a test or the demo ask a running local server, and tell it?

GET  /control/requests   the requests received so far, oldest first
GET  /control/counts     the number of requests of each step, in all and by state
POST /control/wait       answers when so many requests of a step are in a state, or 408
POST /control/faults     arms a fault
POST /control/release    lets held requests go on
POST /control/reset      forgets requests, counts and faults, as if the server had just started
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec
from starlette.responses import Response
from starlette.routing import Mount, Route

from agent.local.faults import Fault, Seconds
from agent.local.journal import RequestRecord, State, StepCount

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    from agent.local.exchange import Exchange

PATH = "/control"


class Wait(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Wait until at least `number` requests of `step` (or all) are in `state` (or any), for `timeout` seconds."""

    number: int
    step: str = ""
    state: State | None = None
    timeout: Seconds = 30.0


class Release(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Release the held requests that contain a text; empty releases all."""

    contains: str = ""


class Requests(msgspec.Struct, frozen=True):
    """The requests received so far, oldest first."""

    requests: list[RequestRecord]


class Counts(msgspec.Struct, frozen=True):
    """The number of requests of each step."""

    steps: dict[str, StepCount]


class Released(msgspec.Struct, frozen=True):
    """How many held requests were released."""

    released: int


class Refused(msgspec.Struct, frozen=True):
    """Why a control request was refused."""

    error: str


def control_routes(exchange: Exchange, *, forget: Callable[[], None]) -> Mount:
    """Build the control endpoints of a server.

    Args:
        exchange: The server's journal and faults.
        forget: Resets what else the server remembers.
    """

    async def requests(_: Request) -> Response:
        return _json(Requests(exchange.journal.records))

    async def counts(_: Request) -> Response:
        return _json(Counts(exchange.journal.counts))

    async def wait(request: Request) -> Response:
        asked = msgspec.json.decode(await request.body(), type=Wait)
        reached = exchange.journal.wait_for(asked.number, step=asked.step, state=asked.state)
        try:
            await asyncio.wait_for(reached, asked.timeout)
        except TimeoutError:
            found = exchange.journal.number_of(step=asked.step, state=asked.state)
            where = f"of step {asked.step!r}" if asked.step else "in all"
            message = f"After {asked.timeout:g} s there are {found} requests ({asked.state or 'any state'}) {where}."
            return _json(Refused(message), status=408)
        return _json(Counts(exchange.journal.counts))

    async def arm(request: Request) -> Response:
        exchange.faults.arm(msgspec.json.decode(await request.body(), type=Fault))
        return Response(status_code=204)

    async def release(request: Request) -> Response:
        asked = msgspec.json.decode(await request.body() or b"{}", type=Release)
        return _json(Released(exchange.faults.release(asked.contains)))

    async def reset(_: Request) -> Response:
        exchange.journal.reset()
        exchange.faults.disarm()
        forget()
        return Response(status_code=204)

    routes = [
        Route("/requests", requests, methods=["GET"]),
        Route("/counts", counts, methods=["GET"]),
        Route("/wait", _checked(wait), methods=["POST"]),
        Route("/faults", _checked(arm), methods=["POST"]),
        Route("/release", _checked(release), methods=["POST"]),
        Route("/reset", reset, methods=["POST"]),
    ]
    return Mount(PATH, routes=routes)


def _checked(handler: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    """Answer a malformed control request with 400 and the reason."""

    async def checked(request: Request) -> Response:
        try:
            return await handler(request)
        except msgspec.DecodeError as error:
            return _json(Refused(str(error)), status=400)

    return checked


def _json(value: msgspec.Struct, *, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status_code=status, media_type="application/json")
