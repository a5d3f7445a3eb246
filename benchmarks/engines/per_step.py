"""How long does an engine take for a step that does nothing?

By the clock, from the start of a workflow to its result, divided by its steps: that is what the engine adds to each
step of an agent. Each way is measured in a process of its own, for both engines keep global state; the ways take turns.

    python -m benchmarks.engines.per_step temporal localhost:7233
    python -m benchmarks.engines.per_step dbos sqlite:///steps.sqlite --traced
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tracing.exit import exit_process

if TYPE_CHECKING:
    from temporalio.api.history.v1 import HistoryEvent

STEPS: Final = 50
ROUNDS: Final = 3
WAITED: Final = ", of which tasks wait to be begun"


@dataclass(frozen=True)
class Way:
    """A way to run steps.

    Attributes:
        name: What tables call it.
        engine: ``temporal`` or ``dbos``.
        place: Address of the Temporal server, or URL of DBOS's database.
        traced: Whether durable-trace is on, with a span processor that does nothing.
    """

    name: str
    engine: str
    place: str
    traced: bool


def measure(ways: Sequence[Way], *, steps: int = STEPS, rounds: int = ROUNDS) -> dict[str, list[float]]:
    """Milliseconds a step, a value a round, by the way's name; of Temporal's also what its tasks wait to be begun."""
    results: dict[str, list[float]] = {}
    for turn in (list(ways), list(reversed(ways))):
        for way in turn:
            command = [sys.executable, "-m", __name__, way.engine, way.place, "--steps", str(steps)]
            command += ["--rounds", str(rounds), *(["--traced"] if way.traced else [])]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)  # noqa: S603 - this module
            for part, values in json.loads(done.stdout).items():
                results.setdefault(f"{way.name}{part}", []).extend(values)
    return results


async def _temporal(address: str, steps: int, rounds: int, *, traced: bool) -> dict[str, list[float]]:
    from temporalio.client import Client  # noqa: PLC0415 - a process needs one engine only
    from temporalio.worker import Worker  # noqa: PLC0415

    from benchmarks.workflows import Chain, echo  # noqa: PLC0415

    client = await Client.connect(address, plugins=[_plugin()] if traced else [])
    queue = f"steps-{uuid.uuid4()}"
    values, waited = [], []
    async with Worker(client, task_queue=queue, workflows=[Chain], activities=[echo]):
        for number in range(-1, rounds):
            begun = time.perf_counter()
            handle = await client.start_workflow(Chain.run, steps, id=f"{queue}-{number}", task_queue=queue)
            await handle.result()
            values.append((time.perf_counter() - begun) * 1000 / steps)
            waited.append(_waited((await handle.fetch_history()).events) / steps)
    return {"": values[1:], WAITED: waited[1:]}  # the first one warms up


def _waited(events: Sequence[HistoryEvent]) -> float:
    """Milliseconds between the scheduling and the start of a run's tasks, by the server's clock."""
    scheduled = {event.event_id: event.event_time.ToNanoseconds() for event in events}
    started = [
        (event.event_time.ToNanoseconds(), attributes.scheduled_event_id)
        for event in events
        for attributes in (
            event.workflow_task_started_event_attributes,
            event.activity_task_started_event_attributes,
        )
        if attributes.scheduled_event_id
    ]
    return sum(at - scheduled[by] for at, by in started) / 1_000_000


def _dbos(database: str, steps: int, rounds: int, *, traced: bool) -> list[float]:
    if traced:
        from tracing import trace_dbos  # noqa: PLC0415

        trace_dbos(database, tracer_provider=_provider())
    from dbos import DBOS  # noqa: PLC0415

    @DBOS.step()
    async def echo(text: str) -> str:
        return text

    @DBOS.workflow()
    async def chain(count: int) -> None:
        for number in range(count):
            await echo(f"step {number}")

    DBOS(config={"name": "steps", "system_database_url": database, "log_level": "ERROR"})
    DBOS.launch()

    async def run() -> list[float]:
        values = []
        for _ in range(rounds + 1):
            begun = time.perf_counter()
            await chain(steps)
            values.append((time.perf_counter() - begun) * 1000 / steps)
        return values[1:]  # the first one warms up

    try:
        return asyncio.run(run())
    finally:
        DBOS.destroy()


def _plugin() -> Any:
    from tracing import TracingConfig, TracingPlugin  # noqa: PLC0415

    return TracingPlugin(TracingConfig(capture_content=False), tracer_provider=_provider())


def _provider() -> Any:
    from opentelemetry.sdk.trace import SpanProcessor, TracerProvider  # noqa: PLC0415

    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SpanProcessor())
    return provider


def main(argv: Sequence[str] | None = None) -> int:
    """Measure one way, and print its values as JSON."""
    parser = argparse.ArgumentParser(description="Measure how long an engine takes for a step that does nothing.")
    parser.add_argument("engine", choices=["temporal", "dbos"])
    parser.add_argument("place", help="address of the Temporal server, or URL of DBOS's database")
    parser.add_argument("--traced", action="store_true")
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    arguments = parser.parse_args(argv)
    place, steps, rounds, traced = arguments.place, arguments.steps, arguments.rounds, arguments.traced
    if arguments.engine == "temporal":
        values = asyncio.run(_temporal(place, steps, rounds, traced=traced))
    else:
        values = {"": _dbos(place, steps, rounds, traced=traced)}
    sys.stdout.write(json.dumps(values) + "\n")
    return 0


if __name__ == "__main__":
    exit_process(main())
