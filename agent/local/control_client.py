"""How does a program ask and steer a running local server?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx2
import msgspec

from agent.local.control import Counts, Refused, Release, Released, Requests, Wait

if TYPE_CHECKING:
    from agent.local.faults import Fault
    from agent.local.journal import RequestRecord, State, StepCount

REQUEST_TIMEOUT = 408


class ControlClient:
    """A client of the control endpoints of a local server."""

    def __init__(self, control: str) -> None:
        """Address a server.

        Args:
            control: The `control` address of the server's ready line, or `LocalServer.control`.
        """
        self._control = control

    async def requests(self) -> list[RequestRecord]:
        """Return the requests received so far, oldest first."""
        return msgspec.json.decode(await self._get("requests"), type=Requests).requests

    async def counts(self) -> dict[str, StepCount]:
        """Return the number of requests of each step, in all and by state."""
        return msgspec.json.decode(await self._get("counts"), type=Counts).steps

    async def requests_per_step(self) -> dict[str, int]:
        """Return the number of requests of each step, in order of its first."""
        return {step: count.requests for step, count in (await self.counts()).items()}

    async def wait(self, number: int = 1, *, step: str = "", state: State | None = None, timeout_s: float = 30) -> None:
        """Wait until at least `number` requests of one step (or all) are in one state (or any).

        Raises:
            TimeoutError: They were not, within `timeout_s` seconds.
        """
        await self._post("wait", Wait(number, step, state, timeout_s), timeout_s=timeout_s + 5)

    async def arm(self, fault: Fault) -> None:
        """Arm a fault for requests that arrive from now on."""
        await self._post("faults", fault)

    async def release(self, contains: str = "") -> int:
        """Let the held requests that contain a text (or all) go on; returns how many there were."""
        return msgspec.json.decode(await self._post("release", Release(contains)), type=Released).released

    async def reset(self) -> None:
        """Make the server forget requests, counts, faults and usage, as if it had just started."""
        await self._post("reset", None)

    async def _get(self, path: str) -> bytes:
        async with _loopback_client() as http:
            return _body(await http.get(f"{self._control}/{path}"))

    async def _post(self, path: str, body: msgspec.Struct | None, *, timeout_s: float = 5) -> bytes:
        content = b"" if body is None else msgspec.json.encode(body)
        async with _loopback_client(timeout_s) as http:
            return _body(await http.post(f"{self._control}/{path}", content=content))


def _loopback_client(timeout_s: float = 5) -> httpx2.AsyncClient:
    """Return a client for plain HTTP on this machine: no proxy from the environment, no certificates to load."""
    return httpx2.AsyncClient(timeout=timeout_s, trust_env=False, verify=False)


def _body(response: httpx2.Response) -> bytes:
    """Return a control answer's body.

    Raises:
        TimeoutError: What was waited for did not happen in time.
        ValueError: The server refused the request.
    """
    if response.is_success:
        return response.content
    error = msgspec.json.decode(response.content, type=Refused).error
    if response.status_code == REQUEST_TIMEOUT:
        raise TimeoutError(error)
    raise ValueError(f"The local server refused {response.request.url.path}: {error}")
