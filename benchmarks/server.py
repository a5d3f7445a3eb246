"""How fast are the runs of a server exported, beside a plain loop that only fetches them?"""

from __future__ import annotations

import asyncio
import time
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp

from opentelemetry.sdk.trace import TracerProvider
from temporalio.client import Client, WorkflowHistory
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from benchmarks.workflows import Chain, echo
from tracing import TracingConfig, TracingPlugin
from tracing.export import Export, ExportSettings, RunItem
from tracing.export.server import ServerConnection
from tracing.history import History, read, to_spans
from tracing.history.server.reader import CONCURRENCY
from tracing.tracefile import run_name, write_trace

SMALL, MEDIUM = 200, 20
"""How many runs."""
SMALL_ACTIVITIES, MEDIUM_ACTIVITIES = 2, 25
"""Activities of each, six events an activity."""

ROUNDS = 9
TARGET = 1 / 1.8

CONFIG = TracingConfig(capture_content=False)

_QUEUE = "bench-server"
_AT_ONCE = 40

PLAIN = "a plain loop of fetch_history"
AHEAD = f"fetched {CONCURRENCY} at a time, and left at that"
ALONE = "a plain loop that converts and writes as well"
ONE, TWO = "exported by one process", "exported by two processes"


async def record(address: str) -> None:
    """Make runs with the plugin: their headers and ledgers are in the histories."""
    plugin = TracingPlugin(CONFIG, tracer_provider=TracerProvider(shutdown_on_exit=False))
    client = await Client.connect(address, plugins=[plugin])
    at_once = asyncio.Semaphore(_AT_ONCE)

    async def run(number: int, activities: int) -> None:
        async with at_once:
            await client.execute_workflow(Chain.run, activities, id=f"{_QUEUE}-{number}", task_queue=_QUEUE)

    sizes = [SMALL_ACTIVITIES] * SMALL + [MEDIUM_ACTIVITIES] * MEDIUM
    async with Worker(
        client,
        task_queue=_QUEUE,
        workflows=[Chain],
        activities=[echo],
        workflow_runner=UnsandboxedWorkflowRunner(),
    ):
        await asyncio.gather(*(run(number, activities) for number, activities in enumerate(sizes)))


def measure(address: str) -> dict[str, list[float]]:
    """Milliseconds a run, a value a round; the ways take turns."""
    asyncio.run(record(address))
    results: dict[str, list[float]] = {PLAIN: [], AHEAD: [], ALONE: [], TWO: [], ONE: []}
    # All is taken away at the end only: ext4 passes over inodes that were free for less than some minutes, one by one,
    # so that after thousands of files were removed each new one takes a third of a millisecond.
    with TemporaryDirectory() as folders:
        for round_number in range(-1, ROUNDS):
            for name in results if round_number % 2 else reversed(results):
                folder = Path(mkdtemp(dir=folders))
                if name in {PLAIN, ALONE}:
                    spent = asyncio.run(_plain(address, folder if name == ALONE else None))
                elif name == AHEAD:
                    spent = _ahead(address)
                else:
                    spent = _exported(address, folder, 1 if name == ONE else 2)
                if round_number >= 0:  # the first round only warms up
                    results[name].append(spent * 1000)
    return results


async def _plain(address: str, folder: Path | None) -> float:
    client = await Client.connect(address)
    begun = time.perf_counter()
    count = 0
    async for run in client.list_workflows(_query()):
        fetched = await client.get_workflow_handle(run.id, run_id=run.run_id).fetch_history()
        if folder is not None:
            _write(folder, fetched, run.run_id)
        count += 1
    return (time.perf_counter() - begun) / count


def _write(folder: Path, fetched: WorkflowHistory, run_id: str) -> None:
    for history in read((fetched, run_id)):
        assert isinstance(history, History)
        write_trace(folder, run_name(history.workflow_id, run_id), to_spans(history, CONFIG))


def _ahead(address: str) -> float:
    with closing(ServerConnection(_Connect(address), concurrency=CONCURRENCY)) as server:
        found = list(server.each(server.reader.find(_query())))
        begun = time.perf_counter()
        fetching = [server.fetch(run) for run in found]
        for each in fetching:
            server.fetched(each)
        return (time.perf_counter() - begun) / len(found)


def _exported(address: str, folder: Path, jobs: int) -> float:
    """Seconds a run, from when all processes are there: starting them takes the same for ten runs and for a million."""
    connect = _Connect(address)
    server = ServerConnection(connect)
    settings = ExportSettings(folder, CONFIG, connect=connect)
    found = [RunItem(run.namespace, run.workflow_id, run.run_id) for run in server.each(server.reader.find(_query()))]
    warm = jobs * settings.concurrency
    export = Export(found, settings, jobs=jobs, server=server)
    done, begun = 0, 0.0
    with closing(server), export:
        for _ in export.run():
            done += 1
            if done == warm:
                begun = time.perf_counter()
        return (time.perf_counter() - begun) / (done - warm)


class _Connect:
    """Connects to the server of the benchmark; worker processes get it by pickling."""

    def __init__(self, address: str) -> None:
        self._address = address

    async def __call__(self) -> Client:
        return await Client.connect(self._address)


def _query() -> str:
    return f"TaskQueue = '{_QUEUE}' AND ExecutionStatus = 'Completed'"
