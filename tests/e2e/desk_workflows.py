"""Workflows, an activity and a Nexus service that clients speak to in the tests."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import nexusrpc
import nexusrpc.handler
from temporalio import activity, nexus, workflow

QUEUE = "desk"
ENDPOINT = "library"


@activity.defn
async def answer(question: str) -> str:
    """An answer."""
    await asyncio.sleep(0)
    return f"Re: {question}"


@workflow.defn
class Ask:
    """One question, one answer."""

    @workflow.run
    async def run(self, question: str) -> str:
        """Run."""
        return await workflow.execute_activity(answer, question, start_to_close_timeout=timedelta(seconds=60))


@workflow.defn
class Desk:
    """Takes notes and answers questions until it is closed."""

    def __init__(self) -> None:
        self._notes: list[str] = []
        self._closed = False

    @workflow.run
    async def run(self) -> list[str]:
        """Run."""
        await workflow.wait_condition(lambda: self._closed)
        return self._notes

    @workflow.signal
    def note(self, text: str) -> None:
        """Take a note."""
        self._notes.append(text)

    @workflow.signal
    def close(self) -> None:
        """Close the desk."""
        self._closed = True

    @workflow.query
    def notes(self) -> list[str]:
        """The notes so far."""
        return self._notes

    @workflow.update
    def ask(self, question: str) -> str:
        """Answer a question."""
        return f"Re: {question}"


@nexusrpc.service
class Library:
    """Looks things up, for other teams."""

    ask: nexusrpc.Operation[str, str]
    wait: nexusrpc.Operation[str, str]


@workflow.defn
class Forever:
    """Waits until it is cancelled."""

    @workflow.run
    async def run(self, _: str) -> str:
        """Run."""
        await workflow.wait_condition(lambda: False)
        return ""


@nexusrpc.handler.service_handler(service=Library)
class LibraryHandler:
    """Answers by a workflow."""

    @nexus.workflow_run_operation
    async def ask(self, ctx: nexus.WorkflowRunOperationContext, question: str) -> nexus.WorkflowHandle[str]:
        """Start the workflow that answers."""
        return await ctx.start_workflow(Ask.run, question, id=f"ask-{ctx.request_id}")

    @nexus.workflow_run_operation
    async def wait(self, ctx: nexus.WorkflowRunOperationContext, question: str) -> nexus.WorkflowHandle[str]:
        """Start a workflow that never ends."""
        return await ctx.start_workflow(Forever.run, question, id=f"wait-{ctx.request_id}")


@workflow.defn
class Reader:
    """Asks the library."""

    @workflow.run
    async def run(self, question: str) -> str:
        """Run."""
        client = workflow.create_nexus_client(service=Library, endpoint=ENDPOINT)
        return await client.execute_operation(Library.ask, question)


@workflow.defn
class ImpatientReader:
    """Asks the library, and does not wait for the answer."""

    @workflow.run
    async def run(self, question: str) -> str:
        """Run."""
        client = workflow.create_nexus_client(service=Library, endpoint=ENDPOINT)
        operation = await client.start_operation(Library.wait, question)
        operation.cancel()
        try:
            return await operation
        except Exception as error:  # noqa: BLE001 - whichever it is, it gives up
            return type(error).__name__


WORKFLOWS = [Ask, Desk, Forever, Reader, ImpatientReader]
