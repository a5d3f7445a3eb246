"""Attempts that a client completes: found by token or by IDs, told to the server, and never in the way of the call."""

from __future__ import annotations

from typing import Any

import pytest
import temporalio.client
import temporalio.common
from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.client import AsyncActivityIDReference
from temporalio.converter import DataConverter

from tests.live.attempts.attempts import RUN_ID, WorkerAttempt
from tracing.ledger import read_ledger
from tracing.live.attempts import async_completion
from tracing.live.attempts.async_completion import CompletionOutbound, OpenAttempts
from tracing.live.attempts.converter import LedgerDataConverter

TOKEN = b"token-1"


@pytest.fixture(autouse=True)
def opened(monkeypatch: pytest.MonkeyPatch) -> OpenAttempts:
    opened = OpenAttempts()
    monkeypatch.setattr(async_completion, "open_attempts", opened)
    return opened


class TestOpenAttempts:
    @pytest.mark.parametrize(
        ("reference", "found"),
        [
            (TOKEN, TOKEN),
            (AsyncActivityIDReference("research-1", RUN_ID, "1"), TOKEN),
            (AsyncActivityIDReference("research-1", None, "1"), TOKEN),
            (AsyncActivityIDReference("research-1", "another", "1"), None),
            (AsyncActivityIDReference("research-1", RUN_ID, "2"), None),
            (AsyncActivityIDReference("research-2", None, "1"), None),
        ],
        ids=["token", "run", "latest run", "another run", "another activity", "another workflow"],
    )
    def test_what_a_handle_means(
        self, opened: OpenAttempts, reference: AsyncActivityIDReference | bytes, found: bytes | None
    ) -> None:
        opened.add(TOKEN, WorkerAttempt().attempt)
        assert opened.token_of("default", reference) == found

    def test_of_another_namespace_is_another(self, opened: OpenAttempts) -> None:
        opened.add(TOKEN, WorkerAttempt().attempt)
        assert opened.token_of("staging", AsyncActivityIDReference("research-1", None, "1")) is None

    def test_ids_mean_the_latest_attempt(self, opened: OpenAttempts) -> None:
        first, second = WorkerAttempt().attempt, WorkerAttempt(info={"attempt": 2}).attempt
        opened.add(TOKEN, first)
        opened.add(b"token-2", second)
        by_ids = AsyncActivityIDReference("research-1", None, "1")
        assert opened.take(TOKEN) is first
        assert opened.token_of("default", by_ids) == b"token-2"
        assert opened.take(b"token-2") is second
        assert opened.token_of("default", by_ids) is None

    def test_an_activity_without_a_workflow_is_found_by_its_id(self, opened: OpenAttempts) -> None:
        standalone = {"workflow_id": None, "workflow_run_id": None, "workflow_type": None, "activity_run_id": "run-1"}
        opened.add(TOKEN, WorkerAttempt(info=standalone).attempt)
        assert opened.token_of("default", AsyncActivityIDReference(None, "run-1", "1")) == TOKEN

    def test_they_are_not_kept_without_end(self) -> None:
        opened = OpenAttempts(limit=2)
        for number in range(5):
            opened.add(b"%d" % number, WorkerAttempt(info={"activity_id": str(number)}).attempt)
        assert len(opened) == 2
        assert [opened.token_of("default", AsyncActivityIDReference("research-1", None, str(n))) for n in range(5)] == [
            None,
            None,
            None,
            b"3",
            b"4",
        ]


class Server(temporalio.client.OutboundInterceptor):
    """The end of the chain: it encodes as the SDK's client does, and may refuse."""

    def __init__(self, *, refuses: bool = False) -> None:
        self.refuses = refuses
        self.payloads: list[Payload] = []
        self.failure = Failure()
        self.heartbeats = 0

    def answer(self) -> None:
        if self.refuses:
            raise ConnectionError

    async def heartbeat_async_activity(self, input: Any) -> None:  # noqa: A002, ARG002 - the SDK's name
        self.heartbeats += 1

    async def complete_async_activity(self, input: Any) -> None:  # noqa: A002 - the SDK's name
        if input.result is not temporalio.common._arg_unset:
            self.payloads = await LedgerDataConverter.around(DataConverter.default).encode([input.result])
        self.answer()

    async def fail_async_activity(self, input: Any) -> None:  # noqa: A002 - the SDK's name
        await LedgerDataConverter.around(DataConverter.default).encode_failure(input.error, self.failure)
        self.answer()

    async def report_cancellation_async_activity(self, input: Any) -> None:  # noqa: A002 - the SDK's name
        self.payloads = await LedgerDataConverter.around(DataConverter.default).encode(input.details)
        self.answer()


async def complete(server: Server, result: Any = "later", token: bytes = TOKEN) -> None:
    await CompletionOutbound(server, "default").complete_async_activity(
        temporalio.client.CompleteAsyncActivityInput(token, result, {}, None)
    )


def has_ledger(data: bytes | None) -> bool:
    return read_ledger(data, run_id=RUN_ID, activity_id="1", attempt=1) is not None


class TestCalls:
    @pytest.mark.parametrize("result", ["later", None, temporalio.common._arg_unset], ids=["text", "None", "none"])
    async def test_a_result_takes_the_ledger_along(self, opened: OpenAttempts, result: Any) -> None:
        attempt, server = WorkerAttempt(), Server()
        opened.add(TOKEN, attempt.attempt)
        await complete(server, result)
        [payload] = server.payloads
        assert has_ledger(payload.metadata["durable-trace"])
        assert await DataConverter.default.decode([payload]) == ["later" if result == "later" else None]
        assert [span.name for span in attempt.let_go] == ["RunActivity:call_llm"]
        assert len(opened) == 0

    async def test_a_failure_does_so_too(self, opened: OpenAttempts) -> None:
        attempt, server = WorkerAttempt(), Server()
        opened.add(TOKEN, attempt.attempt)
        await CompletionOutbound(server, "default").fail_async_activity(
            temporalio.client.FailAsyncActivityInput(TOKEN, ValueError("boom"), [], {}, None)
        )
        assert has_ledger(server.failure.encoded_attributes.metadata["durable-trace"])
        assert [span.attributes["error.type"] for span in attempt.let_go] == ["ValueError"]

    async def test_a_cancellation_leaves_its_details_alone(self, opened: OpenAttempts) -> None:
        attempt, server = WorkerAttempt(), Server()
        opened.add(TOKEN, attempt.attempt)
        await CompletionOutbound(server, "default").report_cancellation_async_activity(
            temporalio.client.ReportCancellationAsyncActivityInput(TOKEN, ["why"], {}, None)
        )
        assert [dict(payload.metadata) for payload in server.payloads] == [{"encoding": b"json/plain"}]
        assert [(s.status.name, s.attributes["error.type"]) for s in attempt.let_go] == [("UNSET", "CanceledError")]

    async def test_heartbeats_are_counted(self, opened: OpenAttempts) -> None:
        attempt, server = WorkerAttempt(), Server()
        opened.add(TOKEN, attempt.attempt)
        outbound = CompletionOutbound(server, "default")
        for token in (TOKEN, b"another process's"):
            await outbound.heartbeat_async_activity(temporalio.client.HeartbeatAsyncActivityInput(token, [], {}, None))
        await complete(server)
        assert server.heartbeats == 2
        assert [span.attributes["temporal.heartbeats"] for span in attempt.let_go] == [1]

    async def test_what_the_server_refuses_can_be_told_again(self, opened: OpenAttempts) -> None:
        attempt = WorkerAttempt()
        opened.add(TOKEN, attempt.attempt)
        with pytest.raises(ConnectionError):
            await complete(Server(refuses=True))
        assert (attempt.let_go, len(opened)) == ([], 1)
        server = Server()
        await complete(server)
        assert has_ledger(server.payloads[0].metadata["durable-trace"])
        assert len(attempt.let_go) == 1

    async def test_an_attempt_of_another_process_is_completed_as_ever(self) -> None:
        server = Server()
        await complete(server, temporalio.common._arg_unset)
        assert server.payloads == []
        await complete(server, "later")
        assert [dict(payload.metadata) for payload in server.payloads] == [{"encoding": b"json/plain"}]

    async def test_where_looking_for_the_attempt_fails_the_call_goes_on(
        self, opened: OpenAttempts, monkeypatch: pytest.MonkeyPatch, tracing_log: list[str]
    ) -> None:
        monkeypatch.setattr(opened, "token_of", lambda *_: 1 / 0)
        server = Server()
        await complete(server)
        assert len(server.payloads) == 1
        assert "the completion of an activity" in tracing_log[0]
