# ruff: noqa: ASYNC210, ASYNC221 - it is what they are to be stopped at
"""Versions of `Research` that try to reach something from workflow code, where only activities may."""

from __future__ import annotations

import asyncio
import contextlib
import os
from concurrent.futures import ThreadPoolExecutor

from temporalio import workflow

from tests.replay.workflows import SOON

with workflow.unsafe.imports_passed_through():
    import socket
    import subprocess
    import threading
    import urllib.request

    import httpx2
    import requests

PORT_VARIABLE = "PORT_OF_THE_TEST"


def address() -> tuple[str, int]:
    """Of a server that is there, so that what is not stopped gets through."""
    return "127.0.0.1", int(os.environ[PORT_VARIABLE])


def url() -> str:
    host, port = address()
    return f"http://{host}:{port}/v1/chat/completions"


@workflow.defn(name="Research", sandboxed=False)
class WithASocket:
    @workflow.run
    async def run(self, question: str) -> str:
        with socket.create_connection(address()):
            return question


@workflow.defn(name="Research", sandboxed=False)
class WithUrllib:
    @workflow.run
    async def run(self, question: str) -> str:
        with urllib.request.urlopen(url()) as answer:
            return f"{question}: {answer.status}"


@workflow.defn(name="Research", sandboxed=False)
class WithRequests:
    @workflow.run
    async def run(self, question: str) -> str:
        return f"{question}: {requests.get(url(), timeout=5).status_code}"


@workflow.defn(name="Research", sandboxed=False)
class WithHttpx:
    @workflow.run
    async def run(self, question: str) -> str:
        return f"{question}: {httpx2.get(url()).status_code}"


@workflow.defn(name="Research", sandboxed=False)
class WithAThread:
    @workflow.run
    async def run(self, question: str) -> str:
        failed: list[Exception] = []

        def connect() -> None:
            try:
                socket.create_connection(address()).close()
            except Exception as error:  # noqa: BLE001 - a thread's own
                failed.append(error)

        thread = threading.Thread(target=connect)
        thread.start()
        thread.join()
        return question


@workflow.defn(name="Research", sandboxed=False)
class WithAPool:
    @workflow.run
    async def run(self, question: str) -> str:
        with ThreadPoolExecutor(1) as pool:
            return f"{question}: {pool.submit(requests.get, url(), timeout=5).result().status_code}"


@workflow.defn(name="Research", sandboxed=False)
class WithALookUp:
    @workflow.run
    async def run(self, question: str) -> str:
        return f"{question}: {socket.getaddrinfo('api.openai.com', 443)}"


@workflow.defn(name="Research", sandboxed=False)
class WithADatagram:
    @workflow.run
    async def run(self, question: str) -> str:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"question", address())
        return question


@workflow.defn(name="Research", sandboxed=False)
class WithAProgram:
    @workflow.run
    async def run(self, question: str) -> str:
        return subprocess.run(["curl", url()], check=True, capture_output=True, text=True).stdout + question


@workflow.defn(name="Research", sandboxed=False)
class AndHidesIt:
    """Catches what stops it, and goes on as the run did."""

    @workflow.run
    async def run(self, question: str) -> str:
        with contextlib.suppress(Exception):
            socket.create_connection(address()).close()
        plan = await workflow.execute_activity("plan", question, start_to_close_timeout=SOON)
        return str(await workflow.execute_activity("sum_up", plan, start_to_close_timeout=SOON))


@workflow.defn(name="Research", sandboxed=False)
class WithAsyncio:
    @workflow.run
    async def run(self, question: str) -> str:
        _, writer = await asyncio.open_connection(*address())
        writer.close()
        return question


@workflow.defn(name="Research")
class InTheSandbox:
    @workflow.run
    async def run(self, question: str) -> str:
        # The sandbox does not look into modules that are passed through.
        return f"{question}: {requests.get('http://127.0.0.1:9', timeout=5).status_code}"


@workflow.defn(name="Research")
class RestrictedInTheSandbox:
    @workflow.run
    async def run(self, question: str) -> str:
        return f"{question}: {urllib.request.urlopen('http://127.0.0.1:443')}"
