"""Workflows whose runs are continued, retried, started by a cron, reset, and have children with all this."""

from __future__ import annotations

from datetime import timedelta

from temporalio import activity, workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from tests.e2e.live_workflows import SHORT, SOON, Echo, ask_model, classify

TWICE = RetryPolicy(initial_interval=SOON, maximum_attempts=2)


@workflow.defn
class Moody:
    """Fails for the first time, and does its work the second time."""

    @workflow.run
    async def run(self) -> int:
        attempt = workflow.info().attempt
        await workflow.execute_activity(classify, f"attempt {attempt}", start_to_close_timeout=SHORT)
        if attempt == 1:
            raise ApplicationError("not today", type="Moody")
        return attempt


@workflow.defn
class Family:
    """Steps with one name, children with one ID, one of them moody; and all of it once more in the run after."""

    @workflow.run
    async def run(self, page: int) -> int:
        workflow_id = workflow.info().workflow_id
        for _ in range(2):
            await workflow.execute_activity(classify, f"page {page}", activity_id="same", start_to_close_timeout=SHORT)
            await workflow.execute_child_workflow(Echo.run, f"page {page}", id=f"{workflow_id}/echo")
        await workflow.execute_child_workflow(Moody.run, id=f"{workflow_id}/moody", retry_policy=TWICE)
        if page < 2:
            workflow.continue_as_new(page + 1)
        return page


@workflow.defn
class Steps:
    """Three steps that close one after the other."""

    @workflow.run
    async def run(self) -> None:
        await workflow.execute_activity(classify, "first", activity_id="first", start_to_close_timeout=SHORT)
        await workflow.sleep(SOON)
        await workflow.execute_child_workflow(Echo.run, "child", id=f"{workflow.info().workflow_id}/echo")
        await workflow.execute_activity(classify, "last", activity_id="last", start_to_close_timeout=SHORT)


@activity.defn
async def hopeless(topic: str) -> None:
    """Never succeeds, after a model call that cost something; the next attempt is in an hour."""
    ask_model(topic)
    raise ApplicationError(f"no luck with {topic}", type="Unlucky", next_retry_delay=timedelta(hours=1))


@activity.defn
async def endless() -> None:
    """Says how far it is, and goes on until it is cancelled."""
    activity.heartbeat({"page": 7})
    await activity.wait_for_cancelled()


@workflow.defn
class Open:
    """Waits for activities that do not end."""

    @workflow.run
    async def run(self) -> None:
        await workflow.execute_activity(classify, "before", start_to_close_timeout=SHORT)
        workflow.start_activity(hopeless, "cats", start_to_close_timeout=SHORT)
        await workflow.execute_activity(endless, start_to_close_timeout=SHORT, heartbeat_timeout=SHORT)


WORKFLOWS = [Echo, Moody, Family, Steps, Open]
ACTIVITIES = [classify, hopeless, endless]
