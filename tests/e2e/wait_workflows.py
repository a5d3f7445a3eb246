"""A workflow that waits for persons, and ends its waits in all ways that code has."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from temporalio import activity, workflow

with workflow.unsafe.imports_passed_through():
    from tracing import waiting_for_person

DAY = timedelta(days=1)
SOON = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)


@activity.defn
async def look_up(name: str) -> str:
    """Find out who somebody is."""
    return f"Dr {name}"


@workflow.defn
class Waiting:
    """Waits as its argument says."""

    def __init__(self) -> None:
        self.said: dict[str, str] = {}

    @workflow.run
    async def run(self, way: str) -> str:
        """Wait; returns what came of it."""
        if way == "left":
            try:
                async with asyncio.timeout(0.1):
                    await self._for("approval", DAY)
            except TimeoutError:
                return "left"
        wait = asyncio.create_task(self._for("approval", SOON if way == "last moment" else DAY))
        if way == "cancelled":
            await workflow.execute_activity(look_up, "nobody", start_to_close_timeout=MINUTE)
            wait.cancel()
            await workflow.wait([wait])
            return "cancelled"
        if way == "continued":
            await workflow.wait_condition(lambda: "budget" in self.said)
            workflow.continue_as_new("cancelled")
        if way == "two":
            await workflow.execute_activity(look_up, "nobody", start_to_close_timeout=MINUTE)
            await self._for("budget", DAY)
        await wait
        return self.said["approval"]

    @workflow.signal
    async def say(self, what: str, by: str) -> None:
        """Answer after the name was looked up."""
        self.said[what] = await workflow.execute_activity(look_up, by, start_to_close_timeout=MINUTE)

    @workflow.signal
    def tell(self, what: str, by: str) -> None:
        """Answer at once."""
        self.said[what] = by

    @workflow.update
    async def decide(self, what: str, by: str) -> str:
        """Answer at once."""
        self.said[what] = by
        return by

    async def _for(self, what: str, within: timedelta) -> None:
        await workflow.wait_condition(
            lambda: what in self.said, timeout=within, timeout_summary=waiting_for_person(what)
        )
