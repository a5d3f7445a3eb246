"""The workflows of fleets where not every worker has the plugin."""

from __future__ import annotations

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from tests.e2e.live_workflows import SHORT, SOON, classify


@workflow.defn
class Polyglot:
    """Python workflow, Go activities."""

    @workflow.run
    async def run(self, go_queue: str) -> str:
        said = await workflow.execute_activity("shout", "why?", task_queue=go_queue, start_to_close_timeout=SHORT)
        return await workflow.execute_activity(
            "stumble",
            said,
            task_queue=go_queue,
            start_to_close_timeout=SHORT,
            result_type=str,
            retry_policy=RetryPolicy(initial_interval=SOON),
        )


@workflow.defn
class TwoHalves:
    """One activity, a wait for a signal, another one."""

    def __init__(self) -> None:
        self._go_on = False

    @workflow.run
    async def run(self) -> None:
        await workflow.execute_activity(classify, "before", start_to_close_timeout=SHORT)
        await workflow.wait_condition(lambda: self._go_on)
        await workflow.execute_activity(classify, "after", start_to_close_timeout=SHORT)

    @workflow.signal
    def go_on(self) -> None:
        self._go_on = True
