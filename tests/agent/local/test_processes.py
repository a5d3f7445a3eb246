"""The local servers as processes of their own."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import sys

import httpx2
import pytest

pytestmark = pytest.mark.e2e


async def start(module: str, *arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


@pytest.mark.parametrize(
    ("module", "path"), [("agent.local.model_server", "/v1/models"), ("agent.local.search_server", "/?format=json")]
)
@pytest.mark.parametrize("stop_signal", [signal.SIGTERM, signal.SIGINT])
async def test_a_server_says_where_it_listens_and_stops_cleanly_at_a_signal(
    module: str, path: str, stop_signal: signal.Signals
) -> None:
    process = await start(module)
    assert process.stdout
    ready = json.loads(await process.stdout.readline())
    origin = ready["control"].removesuffix("/control")
    async with httpx2.AsyncClient() as http:
        response = await http.get(origin + path)

    process.send_signal(stop_signal)
    out, err = await process.communicate()

    assert response.status_code == 200
    assert ready["url"].startswith("http://127.0.0.1:")
    assert (process.returncode, out, err) == (0, b"", b"")


async def test_a_server_whose_port_is_taken_says_so() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = await start("agent.local.model_server", "--port", str(port))
        out, err = await process.communicate()

    assert process.returncode == 1
    assert out == b""
    assert err.decode() == (
        f"Cannot listen on 127.0.0.1:{port}: Address already in use. Choose another --port, or 0.\n"
    )
