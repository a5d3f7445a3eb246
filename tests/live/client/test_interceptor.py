"""What a client adds when it starts a run: our header, and under an active span a span of its own."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from temporalio.api.common.v1 import Payload
from temporalio.client import (
    StartActivityInput,
    StartWorkflowInput,
    StartWorkflowUpdateWithStartInput,
    UpdateWithStartStartWorkflowInput,
    UpdateWithStartUpdateWorkflowInput,
)

from tests.live.client.clients import Client, given, header_in, traceparent
from tracing import TracingConfig, session
from tracing.headers import ClientStart, StartCall, TraceHeader
from tracing.spans.model import SpanKind, StatusCode

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    Start = Callable[[Client], Awaitable[Any]]

RUN = SimpleNamespace(first_execution_run_id="run-1", workflow_run_id="run-1", id="update-1", run_id="run-1")


async def start(client: Client) -> Any:
    return await client.outbound.start_workflow(
        given(StartWorkflowInput, workflow="Research", id="research-1", headers={"other": Payload(data=b"x")})
    )


async def signal_with_start(client: Client) -> Any:
    return await client.outbound.start_workflow(
        given(
            StartWorkflowInput,
            workflow="Research",
            id="research-1",
            start_signal="note",
            headers={"other": Payload(data=b"x")},
        )
    )


async def update_with_start(client: Client) -> Any:
    return await client.outbound.start_update_with_start_workflow(
        given(
            StartWorkflowUpdateWithStartInput,
            start_workflow_input=given(
                UpdateWithStartStartWorkflowInput,
                workflow="Research",
                id="research-1",
                headers={"other": Payload(data=b"x")},
            ),
            update_workflow_input=given(UpdateWithStartUpdateWorkflowInput, update="ask", headers={}),
        )
    )


async def standalone_activity(client: Client) -> Any:
    return await client.outbound.start_activity(
        given(
            StartActivityInput,
            activity_type="classify",
            id="classify-1",
            task_queue="support",
            headers={"other": Payload(data=b"x")},
        )
    )


def headers_of(client: Client) -> Mapping[str, Payload]:
    sent = client.sent
    headers: Mapping[str, Payload] = getattr(sent, "start_workflow_input", sent).headers
    return headers


CALLS: dict[str, StartCall] = {"signal_with_start": "signal_with_start", "update_with_start": "update_with_start"}

STARTS = pytest.mark.parametrize("make", [start, signal_with_start, update_with_start, standalone_activity])


class TestEveryStart:
    @STARTS
    async def test_its_handle_is_passed_on(self, make: Start) -> None:
        assert await make(Client(RUN)) is RUN

    @STARTS
    async def test_without_an_active_span_the_run_is_the_root(self, make: Start) -> None:
        client = Client(RUN)
        await make(client)
        assert header_in(headers_of(client)) == TraceHeader()
        assert client.spans() == []

    @STARTS
    async def test_headers_of_others_stay(self, make: Start) -> None:
        client = Client(RUN)
        await make(client)
        assert headers_of(client)["other"] == Payload(data=b"x")
        assert headers_of(client)["durable-trace"].metadata["encoding"] == b"json/plain"

    @STARTS
    async def test_a_session_travels(self, make: Start) -> None:
        client = Client(RUN)
        with session(id="chat-17", user="ada", tags=["beta"], environment="staging"):
            await make(client)
        assert header_in(headers_of(client)) == TraceHeader(
            session="chat-17", user="ada", tags=("beta",), environment="staging"
        )

    @STARTS
    async def test_under_an_active_span_the_run_is_below_a_span_of_ours(self, make: Start) -> None:
        client = Client(RUN)
        with client.request(), session(id="chat-17", user="ada", tags=["beta"], environment="staging"):
            await make(client)
        ours, request = client.spans()
        assert (ours.kind, ours.trace_id, ours.parent_id) == (SpanKind.CLIENT, request.trace_id, request.span_id)
        assert header_in(headers_of(client)) == TraceHeader(
            traceparent=traceparent(ours),
            session="chat-17",
            user="ada",
            tags=("beta",),
            environment="staging",
            start=ClientStart(ours.start // 1_000, f"{request.span_id:016x}", CALLS.get(make.__name__, "start")),
        )

    @STARTS
    async def test_a_header_that_cannot_be_written_does_not_stop_it(
        self, make: Start, tracing_log: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(TraceHeader, "encode", lambda _header: 1 / 0)
        client = Client(RUN)
        with session(id="chat-17"):
            assert await make(client) is RUN
        assert headers_of(client).keys() == {"other"}
        assert len(tracing_log) == 1

    @STARTS
    async def test_an_answer_of_another_kind_is_passed_on(self, make: Start) -> None:
        client = Client("what another interceptor made of it")
        with client.request():
            assert await make(client) == "what another interceptor made of it"


class TestSpans:
    """The span of each start, whole."""

    @pytest.mark.parametrize(
        ("make", "name", "more"),
        [
            (start, "StartWorkflow:Research", {}),
            (signal_with_start, "SignalWithStartWorkflow:Research", {"temporal.signal.name": "note"}),
            (
                update_with_start,
                "StartUpdateWithStartWorkflow:Research",
                {"temporal.update.name": "ask", "temporal.update.id": "update-1"},
            ),
        ],
    )
    async def test_of_a_run(self, make: Start, name: str, more: dict[str, str]) -> None:
        client = Client(RUN)
        with client.request(), session(id="chat-17", user="ada", tags=["beta"], environment="staging"):
            await make(client)
        ours, _ = client.spans()
        assert ours.name == name
        assert ours.attributes == {
            "temporalWorkflowID": "research-1",
            "temporalRunID": "run-1",
            "temporal.namespace": "default",
            "temporal.workflow.type": "Research",
            "session.id": "chat-17",
            "gen_ai.conversation.id": "chat-17",
            "user.id": "ada",
            "tag.tags": ("beta",),
            "langfuse.trace.tags": ("beta",),
            "deployment.environment.name": "staging",
            "openinference.span.kind": "CHAIN",
            **more,
        }

    async def test_without_a_session_the_workflow_id_is_one(self) -> None:
        client = Client(RUN)
        with client.request():
            await start(client)
        assert client.spans()[0].attributes == {
            "temporalWorkflowID": "research-1",
            "temporalRunID": "run-1",
            "temporal.namespace": "default",
            "temporal.workflow.type": "Research",
            "session.id": "research-1",
            "gen_ai.conversation.id": "research-1",
            "openinference.span.kind": "CHAIN",
        }

    async def test_of_a_standalone_activity(self) -> None:
        client = Client(RUN)
        with client.request():
            await standalone_activity(client)
        ours, _ = client.spans()
        assert ours.name == "StartActivity:classify"
        assert ours.attributes == {
            "temporalActivityID": "classify-1",
            "temporal.activity.run_id": "run-1",
            "temporal.activity.type": "classify",
            "temporal.task_queue": "support",
            "temporal.namespace": "default",
            "session.id": "classify-1",
            "gen_ai.conversation.id": "classify-1",
            "openinference.span.kind": "CHAIN",
        }

    async def test_an_update_with_start_links_its_handler_to_the_same_span(self) -> None:
        client = Client(RUN)
        with client.request():
            await update_with_start(client)
        ours, _ = client.spans()
        assert header_in(client.sent.update_workflow_input.headers) == TraceHeader(traceparent=traceparent(ours))

    async def test_without_a_span_an_update_has_no_header(self) -> None:
        client = Client(RUN)
        await update_with_start(client)
        assert client.sent.update_workflow_input.headers == {}


class TestFailures:
    @STARTS
    async def test_are_named_without_their_text(self, make: Start) -> None:
        error = RuntimeError("for ada@example.com")
        client = Client(error=error)
        with pytest.raises(RuntimeError) as raised, client.request():
            await make(client)
        assert raised.value is error
        ours, _ = client.spans()
        assert (ours.status, ours.status_message, ours.events) == (StatusCode.ERROR, "", ())
        assert ours.attributes["error.type"] == "RuntimeError"

    async def test_with_content_the_text_is_shown_redacted(self) -> None:
        config = TracingConfig(capture_content=True, redact=lambda _, text: text.replace("ada@example.com", "[email]"))
        client = Client(error=RuntimeError("for ada@example.com"), config=config)
        with pytest.raises(RuntimeError, match="for ada"), client.request():
            await start(client)
        assert client.spans()[0].status_message == "for [email]"

    async def test_a_span_that_cannot_be_started_leaves_a_run_that_is_a_root(self, tracing_log: list[str]) -> None:
        class Broken(TracerProvider):
            def get_tracer(self, *_: Any, **__: Any) -> trace.Tracer:
                raise OSError("no space left")

        client = Client(RUN, provider=Broken(shutdown_on_exit=False))
        outer = trace.NonRecordingSpan(trace.SpanContext(1, 2, is_remote=True, trace_flags=trace.TraceFlags(1)))
        with trace.use_span(outer):
            assert await start(client) is RUN
        assert header_in(headers_of(client)) == TraceHeader()
        assert len(tracing_log) == 1


class TestExcluded:
    """What the user's settings leave out has no span in the trace of the caller either."""

    async def test_workflows(self) -> None:
        client = Client(RUN, config=TracingConfig(exclude_workflows=("Res*",)))
        with client.request():
            await start(client)
        assert [span.name for span in client.spans()] == ["POST /chat"]
        assert header_in(headers_of(client)) == TraceHeader()

    async def test_activities(self) -> None:
        client = Client(RUN, config=TracingConfig(exclude_activities=("class*",)))
        with client.request():
            await standalone_activity(client)
        assert [span.name for span in client.spans()] == ["POST /chat"]


async def test_the_client_of_an_attempt_continues_the_attempt() -> None:
    """Whatever span is the current one, a remote one too: any W3C context upstream gives one trace."""
    client = Client(RUN)
    upstream = trace.SpanContext(0xA1, 0xB2, is_remote=True, trace_flags=trace.TraceFlags(1))
    with trace.use_span(trace.NonRecordingSpan(upstream)):
        await start(client)
    (ours,) = client.spans()
    assert (ours.trace_id, ours.parent_id) == (0xA1, 0xB2)
