"""``python -m benchmarks.engines``: measures the agent on both engines and writes docs/engines.md."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

from agent.demo.stage import Stage
from agent.servers.locate import ServerNotFoundError
from agent.servers.postgresql import find_postgresql, postgresql
from agent.servers.progress import Progress
from benchmarks.engines import recovery
from benchmarks.engines.code_size import CodeSize, code_sizes
from benchmarks.engines.page import DBOS, TEMPORAL, page
from benchmarks.engines.per_step import Way, measure
from tracing.exit import exit_process

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "engines.md"


def sizes() -> tuple[CodeSize, CodeSize]:
    """Code sizes of the agent on Temporal and on DBOS."""
    return code_sizes(ROOT, ["agent.research.worker", "agent.research.client"], ["agent.dbos_agent.run"])


def main() -> int:
    """Measure all, and write the page."""
    progress = Progress()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        stage = stack.enter_context(Stage(folder, progress, with_phoenix=False))
        with progress.step("Killing the agent on both engines"):
            recoveries = {
                TEMPORAL: asyncio.run(recovery.of_temporal(stage)),
                DBOS: asyncio.run(recovery.of_dbos(stage, f"sqlite:///{folder / 'agent.sqlite'}")),
            }
        with progress.step("Running steps that do nothing"):
            per_step = measure(list(_ways(stage, folder, stack)))
    PAGE.write_text(page(sizes(), recoveries, per_step), encoding="utf-8")
    sys.stdout.write(PAGE.read_text(encoding="utf-8"))
    return 0


def _ways(stage: Stage, folder: Path, stack: ExitStack) -> Iterator[Way]:
    places = {f"{TEMPORAL}, SQLite": ("temporal", stage.temporal.address)}
    places[f"{DBOS}, SQLite"] = ("dbos", f"sqlite:///{folder / 'steps.sqlite'}")
    with suppress(ServerNotFoundError):
        find_postgresql()
        places[f"{DBOS}, PostgreSQL"] = ("dbos", f"{stack.enter_context(postgresql())}/steps")
    for name, (engine, place) in places.items():
        for traced in (False, True):
            yield Way(f"{name}{', traced' if traced else ''}", engine, place, traced)


if __name__ == "__main__":
    exit_process(main())
