"""What a client adds when it speaks to a run: under an active span a span, and a header, so that the run can link."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.client import (
    CancelWorkflowInput,
    QueryWorkflowInput,
    SignalWorkflowInput,
    StartWorkflowUpdateInput,
    TerminateWorkflowInput,
)

from tests.live.client.clients import Client, given, header_in, traceparent
from tracing import session
from tracing.headers import TraceHeader
from tracing.spans.model import SpanKind, StatusCode

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Call = Callable[[Client], Awaitable[Any]]

OTHER = {"other": Payload(data=b"x")}
UPDATE = SimpleNamespace(workflow_run_id="run-1", id="update-1")


def signal(client: Client, name: str = "note") -> Awaitable[Any]:
    return client.outbound.signal_workflow(given(SignalWorkflowInput, id="research-1", signal=name, headers=OTHER))


def query(client: Client, name: str = "state") -> Awaitable[Any]:
    return client.outbound.query_workflow(given(QueryWorkflowInput, id="research-1", query=name, headers=OTHER))


def update(client: Client, name: str = "ask") -> Awaitable[Any]:
    return client.outbound.start_workflow_update(
        given(StartWorkflowUpdateInput, id="research-1", update=name, headers=OTHER)
    )


def cancel(client: Client) -> Awaitable[Any]:
    return client.outbound.cancel_workflow(
        given(CancelWorkflowInput, id="research-1", first_execution_run_id="run-0", reason="for ada@example.com")
    )


def terminate(client: Client) -> Awaitable[Any]:
    return client.outbound.terminate_workflow(
        given(TerminateWorkflowInput, id="research-1", run_id="run-1", reason="for ada@example.com")
    )


MESSAGES = pytest.mark.parametrize("send", [signal, query, update])
ALL = pytest.mark.parametrize("send", [signal, query, update, cancel, terminate])


@ALL
async def test_without_an_active_span_nothing_is_added(send: Call) -> None:
    client = Client(UPDATE)
    with session(id="chat-17"):
        await send(client)
    assert client.spans() == []
    assert getattr(client.sent, "headers", OTHER) == OTHER


async def test_a_stream_of_what_a_model_says_adds_nothing_either() -> None:
    client = Client(UPDATE)
    with client.request():
        await signal(client, "__temporal_workflow_stream_publish")
        await update(client, "__temporal_workflow_stream_poll")
        await query(client, "__temporal_workflow_stream_offset")
    [request] = client.spans()
    assert request.name == "POST /chat"
    assert [sent.headers for _, sent, *_ in client.server.calls] == 3 * [OTHER]


@MESSAGES
async def test_the_header_names_the_user_of_the_session_who_sends_it(send: Call) -> None:
    client = Client(UPDATE)
    with session(user="ada"):
        await send(client)
    assert client.sent.headers["other"] == OTHER["other"]
    assert header_in(client.sent.headers) == TraceHeader(user="ada")


@MESSAGES
async def test_under_an_active_span_the_header_names_ours(send: Call) -> None:
    client = Client(UPDATE)
    with client.request(), session(id="chat-17", user="ada"):
        await send(client)
    ours, request = client.spans()
    assert (ours.trace_id, ours.parent_id) == (request.trace_id, request.span_id)
    assert client.sent.headers["other"] == OTHER["other"]
    assert header_in(client.sent.headers) == TraceHeader(traceparent=traceparent(ours), user="ada")


@pytest.mark.parametrize(
    ("send", "name", "more"),
    [
        (signal, "SignalWorkflow:note", {"temporal.signal.name": "note"}),
        (query, "QueryWorkflow:state", {"temporal.query.name": "state"}),
        (
            update,
            "StartWorkflowUpdate:ask",
            {"temporal.update.name": "ask", "temporal.update.id": "update-1", "temporalRunID": "run-1"},
        ),
        (cancel, "CancelWorkflow", {}),
        (terminate, "TerminateWorkflow", {"temporalRunID": "run-1"}),
    ],
)
async def test_the_span(send: Call, name: str, more: dict[str, str]) -> None:
    client = Client(UPDATE)
    with client.request(), session(id="chat-17", user="ada", tags=["beta"]):
        await send(client)
    ours, _ = client.spans()
    assert (ours.name, ours.kind) == (name, SpanKind.CLIENT)
    assert ours.attributes == {
        "temporalWorkflowID": "research-1",
        "temporal.namespace": "default",
        "session.id": "chat-17",
        "gen_ai.conversation.id": "chat-17",
        "user.id": "ada",
        "tag.tags": ("beta",),
        "langfuse.trace.tags": ("beta",),
        "openinference.span.kind": "CHAIN",
        **more,
    }


@ALL
async def test_which_session_the_run_has_is_not_known(send: Call) -> None:
    client = Client(UPDATE)
    with client.request():
        await send(client)
    assert "session.id" not in client.spans()[0].attributes


@ALL
async def test_errors_pass_and_are_named(send: Call) -> None:
    error = RuntimeError("for ada@example.com")
    client = Client(error=error)
    with pytest.raises(RuntimeError) as raised, client.request():
        await send(client)
    assert raised.value is error
    ours, _ = client.spans()
    assert (ours.status, ours.status_message, ours.attributes["error.type"]) == (StatusCode.ERROR, "", "RuntimeError")


async def test_the_answer_is_passed_on() -> None:
    answer = object()
    client = Client(answer)
    with client.request():
        assert await query(client) is answer
    assert await query(client) is answer
    assert await update(client) is answer
