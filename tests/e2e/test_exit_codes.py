"""Processes that used the Temporal SDK end with the exit code they mean, and with all that they had to say.

Left to itself, the interpreter crashes at its end in about every fifth of them.
"""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from temporalio import workflow
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from agent.servers.endpoints import free_port
from tests.e2e.conftest import hermetic

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
RUNS = 100


@workflow.defn
class Trivial:
    """A run that is over as soon as it starts."""

    @workflow.run
    async def run(self) -> str:
        return "done"


@pytest.fixture(scope="module")
def finished(temporal_server: str) -> str:
    """Run ID of a finished run, whose workflow ID is `finished`."""

    async def run() -> str:
        client = await Client.connect(temporal_server)
        async with Worker(
            client, task_queue="trivial", workflows=[Trivial], workflow_runner=UnsandboxedWorkflowRunner()
        ):
            handle = await client.start_workflow(Trivial.run, id="finished", task_queue="trivial")
            assert await handle.result() == "done"
        assert handle.first_execution_run_id
        return handle.first_execution_run_id

    return asyncio.run(run())


def durable_trace(*arguments: str, address: str, folder: Path) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a command, both through pipes."""
    done = subprocess.run(
        [sys.executable, "-m", "tracing.cli", *arguments],
        env=hermetic(TEMPORAL_ADDRESS=address, PYTHONPATH=str(ROOT)),
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_a_hundred_commands_end_with_the_code_and_the_words_that_they_mean(
    temporal_server: str, finished: str, tmp_path: Path
) -> None:
    """0: the run is exported. 1: there is no such run. 2: the server does not understand the query."""
    commands = {
        0: ("export", "--workflow-id", "finished"),
        1: ("export", "--workflow-id", "missing"),
        2: ("export", "--query", "RunId ="),
    }
    exported = f"finished {finished}: 1 span → traces/finished_{finished}.otlp.jsonl\n"
    missing = (
        "workflow not found for ID: missing. Check workflow ID and namespace; a run whose retention is over is gone."
    )
    syntax = "invalid query: malformed SQL query: syntax error at position 35"
    usage = "Usage: durable-trace export [OPTIONS] [PATH]...\nTry 'durable-trace export --help' for help.\n\n"
    says = {
        0: (0, exported, ""),
        1: (1, "", f"durable-trace: missing: the server says: {missing}\n"),
        2: (2, "", f"{usage}Error: --query 'RunId =': the server says: {syntax}\n"),
    }

    def run(meant: int) -> tuple[int, str, str]:
        return durable_trace(*commands[meant], address=temporal_server, folder=tmp_path)

    meant = list(islice(cycle([0, 1, 2]), RUNS))
    with ThreadPoolExecutor(4) as pool:
        ended = list(pool.map(run, meant))

    assert Counter(ended) == Counter(says[each] for each in meant)


def test_a_client_without_temporal_says_one_sentence_and_ends_with_1() -> None:
    address = f"127.0.0.1:{free_port()}"

    done = subprocess.run(
        [sys.executable, "-m", "agent.research.client", "Is it durable?"],
        env=hermetic(TEMPORAL_ADDRESS=address),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"No Temporal server can be reached at {address}: start one with `temporal server start-dev`, "
        "or set TEMPORAL_ADDRESS to one that runs.\n"
    )


@pytest.fixture
def silent_server() -> Iterator[socket.socket]:
    """A port that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


def test_ctrl_c_ends_a_command_with_130(silent_server: socket.socket) -> None:
    command = subprocess.Popen(
        [sys.executable, "-m", "tracing.cli", "export", "--workflow-id", "waiting"],
        env=hermetic(TEMPORAL_ADDRESS=f"127.0.0.1:{silent_server.getsockname()[1]}"),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    silent_server.settimeout(60)
    connection, _ = silent_server.accept()  # the SDK is at work
    command.send_signal(signal.SIGINT)
    with connection:
        out, err = command.communicate(timeout=60)

    assert (command.returncode, out, err) == (130, "", "\nInterrupted.\n")


def test_ctrl_c_ends_a_waiting_client_with_130_and_the_run_goes_on(temporal_server: str, empty_namespace: str) -> None:
    client = subprocess.Popen(
        [sys.executable, "-m", "agent.research.client", "Is it durable?", "--id", "left-alone"],
        env=hermetic(TEMPORAL_ADDRESS=temporal_server, TEMPORAL_NAMESPACE=empty_namespace, OTEL_TRACES_EXPORTER="none"),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert client.stderr
    told = client.stderr.readline()
    client.send_signal(signal.SIGINT)
    out, err = client.communicate(timeout=60)

    assert told == (
        "No worker polls research-agent-queue: start one with `python -m agent.research.worker`. Waiting…\n"
    )
    assert (client.returncode, out, err) == (
        130,
        "",
        "Interrupted. If workflow left-alone was started, it goes on.\n",
    )
    assert asyncio.run(_terminated(temporal_server, empty_namespace, "left-alone")) == "RUNNING"


async def _terminated(address: str, namespace: str, workflow_id: str) -> str | None:
    """Terminate a run; its status before."""
    handle = (await Client.connect(address, namespace=namespace)).get_workflow_handle(workflow_id)
    status = (await handle.describe()).status
    await handle.terminate()
    return status.name if status else None


def test_output_that_cannot_be_written_is_no_success(temporal_server: str, finished: str, tmp_path: Path) -> None:
    """As on a full disk."""
    assert finished
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "tracing.cli", "export", "--workflow-id", "finished", "-o", tmp_path],
            env=hermetic(TEMPORAL_ADDRESS=temporal_server),
            cwd=ROOT,
            stdout=full,
            check=False,
        )
    assert done.returncode == 1


def test_a_reader_that_goes_away_ends_a_command_without_a_word(
    temporal_server: str, finished: str, tmp_path: Path
) -> None:
    assert finished
    command = subprocess.Popen(
        [sys.executable, "-m", "tracing.cli", "export", "--workflow-id", "finished", "-o", tmp_path, "--json"],
        env=hermetic(TEMPORAL_ADDRESS=temporal_server),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert command.stdout
    assert command.stderr
    command.stdout.close()
    assert (command.stderr.read(), command.wait()) == ("", 1)
    command.stderr.close()


TESTS = """
import os
import signal
from temporalio.client import Client

class CrashesAtTheInterpretersEnd:
    def __del__(self, kill=os.kill, pid=os.getpid()) -> None:
        kill(pid, 11)

crash = CrashesAtTheInterpretersEnd()

async def test_connects() -> None:
    client = await Client.connect("ADDRESS")
    assert (await client.service_client.check_health()) is HEALTHY
"""
"""As the SDK does it now and then, here always."""


@pytest.mark.parametrize("arguments", [(), ("-n", "2")], ids=["alone", "with xdist"])
@pytest.mark.parametrize(("meant", "summary"), [(0, "1 passed"), (1, "1 failed")])
def test_a_test_run_ends_with_its_own_code_and_its_summary(
    temporal_server: str, tmp_path: Path, arguments: tuple[str, ...], meant: int, summary: str
) -> None:
    file = tmp_path / "test_connection.py"
    file.write_text(TESTS.replace("ADDRESS", temporal_server).replace("HEALTHY", str(meant == 0)))

    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-p", "tests.conftest", "-p", "no:cacheprovider", "-q"),
            *("-c", "pyproject.toml", "--rootdir", str(tmp_path), *arguments, str(file)),
        ],
        cwd=ROOT,
        env=hermetic(),
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (meant, "")
    assert done.stdout.splitlines()[-1].startswith(summary)
