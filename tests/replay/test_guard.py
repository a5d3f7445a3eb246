"""No replay reaches anything: workflow code that tries is stopped before, and named."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.replay import reaching_workflows as reaching
from tests.replay.histories import research
from tests.replay.workflows import Research
from tracing import conventions as c
from tracing.config import TracingConfig
from tracing.replay import replay, replay_spans
from tracing.replay.guard import Guard, NetworkForbiddenError, allow_this_thread


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """Listens; a connection that is made waits until it is asked for."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0)
        monkeypatch.setenv(reaching.PORT_VARIABLE, str(listening.getsockname()[1]))
        yield listening


def reached(server: socket.socket) -> bool:
    try:
        server.accept()[0].close()
    except BlockingIOError:
        return False
    return True


@pytest.mark.parametrize(
    "workflow",
    [
        reaching.WithASocket,
        reaching.WithUrllib,
        reaching.WithRequests,
        reaching.WithHttpx,
        reaching.WithAThread,
        reaching.WithAPool,
        reaching.AndHidesIt,
    ],
)
async def test_a_connection(workflow: type, server: socket.socket) -> None:
    result = await replay(research(), [workflow])

    host, port = server.getsockname()
    tried = {f"connect to {host}:{port}", f"look up {host}"}
    assert (result.outcome, result.guarded) == ("failed", False)
    assert any(result.message.startswith(f"Workflow code tried to {each}") for each in tried), result.message
    assert result.message.endswith(": do that in an activity.")
    assert not reached(server)


async def test_where_the_code_tried_it(server: socket.socket) -> None:
    result = await replay(research(), [reaching.WithALookUp])

    assert result.divergence is not None
    assert str(result.divergence.source).endswith(" in WithALookUp.run")
    assert result.message == (
        f"Workflow code tried to look up api.openai.com at {result.divergence.source}: do that in an activity."
    )
    assert not reached(server)


@pytest.mark.parametrize(
    ("workflow", "what"), [(reaching.WithADatagram, "send to 127.0.0.1:"), (reaching.WithAProgram, "start curl")]
)
async def test_datagrams_and_programs(workflow: type, what: str, server: socket.socket) -> None:
    result = await replay(research(), [workflow])

    assert result.outcome == "failed"
    assert result.message.startswith(f"Workflow code tried to {what}")
    assert not reached(server)


async def test_asyncio_connects_to_nothing_in_a_workflow(server: socket.socket) -> None:
    result = await replay(research(), [reaching.WithAsyncio])

    assert (result.outcome, result.divergence and result.divergence.actual_words) == ("failed", "NotImplementedError")
    assert not reached(server)


async def test_in_the_sandbox() -> None:
    stopped = await replay(research(), [reaching.InTheSandbox])

    assert stopped.outcome == "failed"
    assert stopped.message.startswith("Workflow code tried to ")
    assert " in InTheSandbox.run: do that in an activity." in stopped.message


async def test_what_the_sandbox_itself_forbids() -> None:
    result = await replay(research(), [reaching.RestrictedInTheSandbox])

    assert result.outcome == "failed"
    assert result.message.startswith("Cannot access urllib.request.urlopen")
    assert result.divergence is not None
    assert str(result.divergence.source).endswith(" in RestrictedInTheSandbox.run")


async def test_what_the_guard_says_in_the_trace(server: socket.socket) -> None:
    stopped = replay_spans(await replay(research(), [reaching.WithASocket]), [], TracingConfig())[0]
    unhindered = replay_spans(await replay(research(), [Research]), [], TracingConfig())[0]

    assert c.LLM_CALLS not in stopped.attributes
    assert unhindered.attributes[c.LLM_CALLS] == 0
    assert stopped.attributes[c.REPLAY_ACTUAL] == "NetworkForbiddenError"
    assert stopped.attributes[c.CODE_FUNCTION] == "WithASocket.run"
    assert not reached(server)


class TestScope:
    def test_code_that_is_no_workflows_connects_as_ever(self, server: socket.socket) -> None:
        guard = Guard()

        with guard.guarding():
            socket.create_connection(server.getsockname()).close()

        assert reached(server)
        assert guard.attempts == []

    def test_after_a_replay_all_may_connect(self, server: socket.socket) -> None:
        guard = Guard()
        with guard.guarding(), guard.workflow_code(), pytest.raises(NetworkForbiddenError):
            socket.create_connection(server.getsockname())

        socket.create_connection(server.getsockname()).close()

        assert reached(server)

    def test_in_a_process_that_does_nothing_else_a_thread_of_whomever_is_stopped(self, server: socket.socket) -> None:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(int).result()  # its thread is there before the replay
            guard = Guard("process")
            with guard.guarding(), pytest.raises(NetworkForbiddenError):
                pool.submit(socket.create_connection, server.getsockname()).result()

        assert not reached(server)

    def test_but_not_the_threads_of_codecs(self, server: socket.socket) -> None:
        guard = Guard("process")
        with guard.guarding(), ThreadPoolExecutor(1, initializer=allow_this_thread) as pool:
            pool.submit(socket.create_connection, server.getsockname()).result().close()

        assert reached(server)
