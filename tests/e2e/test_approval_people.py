"""How the approval gate reaches people, and how they reach it: notices by webhook, decisions by command."""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import ApplicationError, CancelledError
from temporalio.testing import ActivityEnvironment

from agent.approval import client as command
from agent.approval.activities import notify
from agent.approval.payloads import GateRequest, Notice
from agent.approval.worker import build_worker
from agent.approval.workflow import TASK_QUEUE, ApprovalGateWorkflow
from agent.local.control_client import ControlClient
from agent.local.faults import Fault
from agent.local.model_server import model_server
from agent.local.search_server import search_server
from tracing.cost import account
from tracing.history import fetch, to_spans

if TYPE_CHECKING:
    from tests.e2e.conftest import RecordingBackend

pytestmark = pytest.mark.e2e

NOTICE = Notice("ada", "Green tea", "approval-1")


async def test_a_notice_is_posted_where_the_webhook_is(
    recording_backend: RecordingBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording_backend.start()
    monkeypatch.setenv("APPROVAL_WEBHOOK", f"{recording_backend.url}/hooks/a-secret")

    await ActivityEnvironment().run(notify, NOTICE)

    [request] = recording_backend.requests
    assert (request.path, json.loads(request.body)) == (
        "/hooks/a-secret",
        {"to": "ada", "question": "Green tea", "workflow_id": "approval-1"},
    )


@pytest.mark.parametrize(("status", "again"), [(503, True), (404, False)])
async def test_a_webhook_that_refuses_is_tried_again_where_that_can_help_and_its_address_is_told_to_nobody(
    recording_backend: RecordingBackend, monkeypatch: pytest.MonkeyPatch, status: int, *, again: bool
) -> None:
    recording_backend.answers = [status]
    recording_backend.start()
    monkeypatch.setenv("APPROVAL_WEBHOOK", f"{recording_backend.url}/hooks/a-secret")

    with pytest.raises(ApplicationError) as failed:
        await ActivityEnvironment().run(notify, NOTICE)

    assert str(failed.value) == f"HTTPStatusError: The webhook answered {status}: Check APPROVAL_WEBHOOK."
    assert failed.value.non_retryable is not again


async def test_a_webhook_that_is_not_there_is_an_error_that_says_what_to_mend(
    recording_backend: RecordingBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("APPROVAL_WEBHOOK", f"{recording_backend.url}/hooks/a-secret")

    with pytest.raises(ApplicationError, match=r"The webhook of APPROVAL_WEBHOOK cannot be reached\.$"):
        await ActivityEnvironment().run(notify, NOTICE)


async def test_without_a_webhook_it_is_only_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("APPROVAL_WEBHOOK", raising=False)

    with caplog.at_level("INFO"):
        await ActivityEnvironment().run(notify, NOTICE)

    assert "ada: run approval-1 waits for a decision" in caplog.text


async def test_by_command_one_asks_looks_and_decides_once(
    temporal_server: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def run(*arguments: str) -> tuple[int, str, str]:
        code = await asyncio.to_thread(command.main, arguments)
        said = capsys.readouterr()
        return code, said.out, said.err

    async def stage() -> Any:
        return json.loads((await run("status", workflow_id))[1])["stage"]

    workflow_id = f"approval-{uuid.uuid4()}"
    monkeypatch.setattr(command, "configure", lambda: None)  # the providers of this process are the tests' own
    monkeypatch.setenv("TEMPORAL_ADDRESS", temporal_server)
    async with model_server() as model, search_server() as search:
        monkeypatch.setenv("OPENAI_BASE_URL", model.url)
        monkeypatch.setenv("SEARCH_BASE_URL", search.url)
        async with build_worker(await Client.connect(temporal_server), task_queue=TASK_QUEUE):
            code, said, _ = await run("ask", "Green tea", "--id", workflow_id, "--reviewer", "ada")
            assert (code, json.loads(said)["stage"], json.loads(said)["waits_for"]) == (0, "waiting", "ada")
            assert await run("ask", "Green tea", "--id", workflow_id) == (
                1,
                "",
                f"A run of workflow {workflow_id} is going on already: decide on it, or choose another --id.\n",
            )
            assert await run("reject", workflow_id, "--reviewer", " ") == (
                1,
                "",
                "The decision does not count: A decision needs the name of its reviewer.\n",
            )
            code, said, _ = await run("reject", workflow_id, "--reviewer", "ada", "--comment", "Too thin.")
            decision = {"review": {"reviewer": "ada", "comment": "Too thin."}, "approved": False}
            assert (code, json.loads(said)["decision"]) == (0, decision)
            result: Any = await (await Client.connect(temporal_server)).get_workflow_handle(workflow_id).result()
            assert result == {"outcome": "rejected", "report": None, "decision": decision}
            assert await stage() == "rejected"
            await ControlClient(model.control).arm(Fault(kind="status", status=401))
            assert await run("ask", "Black tea", "--id", f"{workflow_id}-b") == (
                1,
                "",
                (
                    f"Run {workflow_id}-b has ended (FAILED) before anybody was asked: "
                    "`status` and Temporal's UI tell how far it came.\n"
                ),
            )


async def test_a_run_waits_also_where_nobody_can_be_notified_and_can_be_cancelled(
    temporal_server: str, recording_backend: RecordingBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording_backend.answers = [404]
    recording_backend.start()
    monkeypatch.setenv("APPROVAL_WEBHOOK", recording_backend.url)
    client, task_queue = await Client.connect(temporal_server), f"approval-{uuid.uuid4()}"
    async with model_server() as model, search_server() as search:
        monkeypatch.setenv("OPENAI_BASE_URL", model.url)
        monkeypatch.setenv("SEARCH_BASE_URL", search.url)
        async with build_worker(client, task_queue=task_queue):
            run = await client.start_workflow(
                ApprovalGateWorkflow.run, GateRequest("Green tea"), id=task_queue, task_queue=task_queue
            )
            async for event in run.fetch_history_events(wait_new_event=True):
                if event.HasField("timer_started_event_attributes"):
                    break
            await run.cancel()
            with pytest.raises(WorkflowFailureError) as failed:
                await run.result()
            history = await fetch(client, run.id, run.first_execution_run_id)

    assert isinstance(failed.value.cause, CancelledError)
    told = account(to_spans(history))
    assert [(step.type, step.error) for step in told.steps if step.error] == [("notify", "HTTPStatusError")]
    assert [wait.ending for wait in told.waits] == ["canceled"]
