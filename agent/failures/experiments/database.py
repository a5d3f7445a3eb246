"""The connection to a database is cut inside a tool call, when its query is on its way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from agent.failures.archive import ARCHIVE_URL
from agent.failures.failure import Failure
from agent.failures.moment import PAID, SETTINGS
from agent.failures.proxy import Cut, cutting_proxy
from agent.servers.postgresql import USER

if TYPE_CHECKING:
    from agent.failures.durable import DurableRun
    from agent.failures.laboratory import Side
    from agent.failures.plain import PlainRun


async def _archive(side: Side, cut: Cut) -> dict[str, str]:
    """The archive's address, by a way that is cut."""
    port = await side.stack.enter_async_context(cutting_proxy(await side.laboratory.archive_port(), cut))
    return {ARCHIVE_URL: f"postgresql://{USER}@127.0.0.1:{port}/postgres"}


def _before_the_second_synthesis() -> Cut:
    return Cut(b"FROM notes", occurrence=PAID)


async def _to_workflow(run: DurableRun) -> None:
    cut = _before_the_second_synthesis()
    await run.start_worker("worker-1", build="archive", **await _archive(run.side, cut))
    await run.begin()
    await cut.made.wait()
    await run.note_failure()


async def _to_script(run: PlainRun) -> None:
    await run.start("--archive", **await _archive(run.side, _before_the_second_synthesis()))


DATABASE: Final = Failure(
    name="database-connection",
    title="Database connection dropped in a tool call",
    without="the tool call fails, and the script with it; it begins again",
    with_it="the tool call is tried again on a new connection",
    settings=SETTINGS,
    to_workflow=_to_workflow,
    to_script=_to_script,
)
