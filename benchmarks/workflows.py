"""The workflow of the benchmarks: activities one after the other, the smallest there are."""

from __future__ import annotations

from datetime import timedelta

from temporalio import activity, workflow


@activity.defn
async def echo(text: str) -> str:
    """The smallest activity: all that is measured is what surrounds it."""
    return text


@workflow.defn
class Chain:
    """Activities one after the other: as many workflow tasks as activities, and one more."""

    @workflow.run
    async def run(self, count: int) -> None:
        """Run so many activities."""
        for number in range(count):
            await workflow.execute_activity(echo, f"step {number}", start_to_close_timeout=timedelta(seconds=30))
