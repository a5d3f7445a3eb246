"""The workflow that the tests of metrics run: model calls, an agent with a tool, a retry, a timer."""

from __future__ import annotations

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from tests.e2e.live_workflows import SHORT, SOON, classify, flaky, look_up


@workflow.defn
class Desk:
    """Three activities, the last of which fails once, and a timer."""

    @workflow.run
    async def run(self) -> str:
        kind = await workflow.execute_activity(classify, "why?", start_to_close_timeout=SHORT)
        await workflow.execute_activity(look_up, "cats", start_to_close_timeout=SHORT)
        await workflow.sleep(SOON)
        said = await workflow.execute_activity(
            flaky,
            "dogs",
            start_to_close_timeout=SHORT,
            retry_policy=RetryPolicy(initial_interval=SOON, maximum_attempts=3),
        )
        return f"{kind}; {said}"
