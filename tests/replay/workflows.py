"""Workflows that the recorded run was made by, and versions of it that were changed since."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow

SOON = timedelta(seconds=10)


@workflow.defn(name="Research")
class Research:
    """The workflow as it was when the run was recorded."""

    @workflow.run
    async def run(self, question: str) -> str:
        plan = await workflow.execute_activity("plan", question, start_to_close_timeout=SOON)
        return str(await workflow.execute_activity("sum_up", plan, start_to_close_timeout=SOON))


@workflow.defn(name="Research")
class ResearchThatTranslates:
    """Asks for another activity in the place of the second one."""

    @workflow.run
    async def run(self, question: str) -> str:
        plan = await workflow.execute_activity("plan", question, start_to_close_timeout=SOON)
        return str(await workflow.execute_activity("translate", plan, start_to_close_timeout=SOON))


@workflow.defn(name="Research")
class ResearchThatStopsEarly:
    """Ends where history goes on."""

    @workflow.run
    async def run(self, question: str) -> str:
        return str(await workflow.execute_activity("plan", question, start_to_close_timeout=SOON))


@workflow.defn(name="Research")
class ResearchThatRaises:
    """Raises between the two activities."""

    @workflow.run
    async def run(self, question: str) -> str:
        plan = await workflow.execute_activity("plan", question, start_to_close_timeout=SOON)
        raise RuntimeError(f"no answer to {plan}")


@workflow.defn(name="Research")
class ResearchByIdentity:
    """Derives an activity ID from the identity of the run."""

    @workflow.run
    async def run(self, question: str) -> str:
        info = workflow.info()
        activity_id = f"{info.namespace}/{info.workflow_id}"
        plan = await workflow.execute_activity("plan", question, activity_id=activity_id, start_to_close_timeout=SOON)
        return str(await workflow.execute_activity("sum_up", plan, start_to_close_timeout=SOON))


@workflow.defn(name="Other")
class Other:
    """Has another workflow type."""

    @workflow.run
    async def run(self, question: str) -> str:
        return question


class NoWorkflow:
    """Is none."""


class Undecorated(Research):
    """A workflow's subclass is none by itself."""
