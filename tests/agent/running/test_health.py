"""What probes are told of a worker, from its start to its stop."""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import httpx2
import pytest

from agent.running.health import WorkerHealth, health_endpoint

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


async def reached() -> None:
    """Temporal answers."""


async def away() -> None:
    raise ConnectionError("connection refused")


async def silent() -> None:
    await asyncio.Event().wait()


@asynccontextmanager
async def endpoint(health: WorkerHealth) -> AsyncIterator[httpx2.AsyncClient]:
    async with (
        health_endpoint(health, host="127.0.0.1", port=0) as origin,
        httpx2.AsyncClient(base_url=origin, trust_env=False) as http,
    ):
        yield http


async def told(http: httpx2.AsyncClient) -> dict[str, tuple[int, str]]:
    answers = {path: await http.get(path) for path in ("/livez", "/readyz")}
    return {path: (answer.status_code, answer.text) for path, answer in answers.items()}


async def test_a_worker_is_ready_while_it_polls_and_lives_all_the_time() -> None:
    health = WorkerHealth()
    async with endpoint(health) as http:
        starting = await told(http)
        health.polls(reached)
        polling = await told(http)
        health.stops()
        stopping = await told(http)

    assert starting == {"/livez": (200, "ok\n"), "/readyz": (503, "starting: it does not poll yet\n")}
    assert polling == {"/livez": (200, "ok\n"), "/readyz": (200, "ok\n")}
    assert stopping == {"/livez": (200, "ok\n"), "/readyz": (503, "stopping: it takes no new work\n")}


async def test_without_temporal_it_is_not_ready_and_need_not_be_started_again() -> None:
    health = WorkerHealth()
    health.polls(away)
    async with endpoint(health) as http:
        assert await told(http) == {
            "/livez": (200, "ok\n"),
            "/readyz": (503, "Temporal cannot be reached: connection refused\n"),
        }


async def test_a_temporal_that_does_not_answer_is_not_waited_for() -> None:
    health = WorkerHealth(loop_seconds=0.2)
    health.polls(silent)
    async with endpoint(health) as http:
        assert (await told(http))["/readyz"] == (503, "the worker's event loop did not respond within 0.2 s\n")


@pytest.mark.slow
async def test_a_blocked_loop_is_told_of_while_it_is_blocked_and_lives_again_afterwards() -> None:
    health = WorkerHealth(loop_seconds=0.5)
    health.polls(reached)
    async with endpoint(health) as http:
        blocked: list[httpx2.Response] = []

        def probe() -> None:
            with httpx2.Client(base_url=http.base_url, trust_env=False) as prober:
                blocked.extend(prober.get(path) for path in ("/livez", "/readyz"))

        prober = threading.Thread(target=probe)
        prober.start()
        prober.join()  # on the worker's event loop: it is blocked until both answers have come
        free = await told(http)

    assert [(answer.status_code, answer.text) for answer in blocked] == [
        (503, "the worker's event loop did not respond within 0.5 s\n")
    ] * 2
    assert free == {"/livez": (200, "ok\n"), "/readyz": (200, "ok\n")}


async def test_there_is_nothing_else_to_ask() -> None:
    async with endpoint(WorkerHealth()) as http:
        assert (await http.get("/")).status_code == 404
        assert (await http.post("/livez")).status_code == 405


async def test_a_taken_port_is_said_before_anything_is_served() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="Address already in use"):
        async with health_endpoint(WorkerHealth(), host="127.0.0.1", port=taken.getsockname()[1]):
            pass
