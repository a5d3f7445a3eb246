"""Model calls through the instrumented OpenAI client, against the local model server: what their spans say in the end.

Whatever the instrumentation gives is taken as it is; here is shown that nothing is missing from it that a user needs.
"""

from __future__ import annotations

import asyncio
import gc
from typing import TYPE_CHECKING, Any

import httpx2
import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from opentelemetry.instrumentation.genai.openai import OpenAIInstrumentor
from opentelemetry.sdk.metrics import MeterProvider

from agent.local.control_client import ControlClient
from agent.local.faults import Fault
from agent.local.model_server import model_server
from tests.live.attempts.attempts import ATTEMPT_SPAN, INNER, WorkerAttempt
from tracing import llm_call
from tracing.config import TracingConfig
from tracing.spans.inner import ledger_usage
from tracing.spans.model import StatusCode

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from agent.local.serving import LocalServer
    from tracing.runs import Attributes
    from tracing.spans.model import Span

pytestmark = pytest.mark.e2e

PLAN: list[Any] = [{"role": "user", "content": "Plan"}]
LIMITED = Fault(kind="status", status=429, retry_after=0.01)


@pytest.fixture
async def server() -> AsyncIterator[LocalServer]:
    async with model_server() as running:
        yield running


@pytest.fixture
def control(server: LocalServer) -> ControlClient:
    return ControlClient(server.control)


@pytest.fixture
def attempt() -> Iterator[WorkerAttempt]:
    """An attempt, in which the OpenAI client is instrumented."""
    yield from instrumented(WorkerAttempt())


def instrumented(attempt: WorkerAttempt) -> Iterator[WorkerAttempt]:
    instrumentor = OpenAIInstrumentor()
    instrumentor.instrument(
        tracer_provider=attempt.provider, meter_provider=MeterProvider(shutdown_on_exit=False), skip_dep_check=True
    )
    yield attempt
    instrumentor.uninstrument()


def chosen(span: Span, *without: str) -> Attributes:
    """What a span says, but for identity, what is made of it for backends, and what differs in each run."""
    hidden = {*INNER, "server.port", "gen_ai.response.time_to_first_chunk", "durable.cost.source", *without}
    derived = ("langfuse.", "llm.", "durable.cost.input", "durable.cost.output")
    return {key: value for key, value in span.attributes.items() if key not in hidden and not key.startswith(derived)}


async def chat(client: AsyncOpenAI) -> None:
    await client.chat.completions.create(
        model="gpt-4o", messages=PLAN, temperature=0.5, max_tokens=9, seed=3, response_format={"type": "json_object"}
    )


async def chat_stream(client: AsyncOpenAI) -> None:
    chunks = await client.chat.completions.create(
        model="gpt-4o", messages=PLAN, stream=True, stream_options={"include_usage": True}
    )
    async for _ in chunks:
        pass


async def responses(client: AsyncOpenAI) -> None:
    await client.responses.create(model="gpt-4o", input="Plan", max_output_tokens=9)


async def responses_stream(client: AsyncOpenAI) -> None:
    async for _ in await client.responses.create(model="gpt-4o", input="Plan", stream=True):
        pass


async def embeddings(client: AsyncOpenAI) -> None:
    await client.embeddings.create(model="text-embedding-3-small", input="Plan")


def sync_chat(client: OpenAI) -> None:
    client.chat.completions.create(
        model="gpt-4o", messages=PLAN, temperature=0.5, max_tokens=9, seed=3, response_format={"type": "json_object"}
    )


def sync_chat_stream(client: OpenAI) -> None:
    chunks = client.chat.completions.create(
        model="gpt-4o", messages=PLAN, stream=True, stream_options={"include_usage": True}
    )
    for _ in chunks:
        pass


def sync_responses(client: OpenAI) -> None:
    client.responses.create(model="gpt-4o", input="Plan", max_output_tokens=9)


def sync_responses_stream(client: OpenAI) -> None:
    for _ in client.responses.create(model="gpt-4o", input="Plan", stream=True):
        pass


def sync_embeddings(client: OpenAI) -> None:
    client.embeddings.create(model="text-embedding-3-small", input="Plan")


ANSWERED: Attributes = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.response.model": "gpt-4o",
    "gen_ai.response.finish_reasons": ("stop",),
    "server.address": "127.0.0.1",
}
CHAT = ANSWERED | {
    "gen_ai.response.id": "chatcmpl-065482af5f107865-1",
    "gen_ai.usage.input_tokens": 7817,
    "gen_ai.usage.output_tokens": 1987,
    "gen_ai.usage.cache_read.input_tokens": 4409,
    "gen_ai.usage.reasoning.output_tokens": 1439,
    "openai.response.service_tier": "default",
    "durable.cost.usd": 0.03390125,
}
RESPONSE = ANSWERED | {
    "gen_ai.response.id": "resp_3f34aaed64a9a449-1",
    "gen_ai.usage.input_tokens": 7919,
    "gen_ai.usage.output_tokens": 3863,
    "gen_ai.usage.cache_read.input_tokens": 4283,
    "gen_ai.usage.reasoning.output_tokens": 131,
    "openai.api.type": "responses",
    "durable.cost.usd": 0.05307375,
}
EMBEDDINGS: Attributes = {
    "gen_ai.operation.name": "embeddings",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "text-embedding-3-small",
    "gen_ai.response.model": "text-embedding-3-small",
    "gen_ai.embeddings.dimension.count": 1536,
    "gen_ai.usage.input_tokens": 7547,
    "server.address": "127.0.0.1",
    "durable.cost.usd": 0.00015094,
}
ASKED: Attributes = {
    "gen_ai.request.temperature": 0.5,
    "gen_ai.request.max_tokens": 9,
    "gen_ai.request.seed": 3,
    "gen_ai.output.type": "json",
    "openai.response.system_fingerprint": "fp_local",
}
STREAMED: Attributes = {"gen_ai.request.stream": True}

CALLS = [
    pytest.param(chat, CHAT | ASKED, id="chat"),
    pytest.param(sync_chat, CHAT | ASKED, id="chat, sync"),
    pytest.param(chat_stream, CHAT | STREAMED, id="chat, streamed"),
    pytest.param(sync_chat_stream, CHAT | STREAMED, id="chat, streamed, sync"),
    pytest.param(responses, RESPONSE | {"gen_ai.request.max_tokens": 9}, id="responses"),
    pytest.param(sync_responses, RESPONSE | {"gen_ai.request.max_tokens": 9}, id="responses, sync"),
    pytest.param(responses_stream, RESPONSE | STREAMED, id="responses, streamed"),
    pytest.param(sync_responses_stream, RESPONSE | STREAMED, id="responses, streamed, sync"),
    pytest.param(embeddings, EMBEDDINGS, id="embeddings"),
    pytest.param(sync_embeddings, EMBEDDINGS, id="embeddings, sync"),
]


@pytest.mark.parametrize(("call", "expected"), CALLS)
async def test_every_kind_of_call_has_its_model_usage_and_price(
    call: Any, expected: Attributes, attempt: WorkerAttempt, server: LocalServer
) -> None:
    await made(call, attempt, server)
    span = attempt.only()
    assert (span.parent_id, span.status) == (ATTEMPT_SPAN, StatusCode.UNSET)
    assert chosen(span) == expected
    assert ("gen_ai.response.time_to_first_chunk" in span.attributes) is ("gen_ai.request.stream" in expected)
    [recorded] = attempt.ledger().spans
    assert recorded.attributes["gen_ai.usage.input_tokens"] == expected["gen_ai.usage.input_tokens"]


@pytest.mark.parametrize(("call", "expected"), CALLS)
async def test_what_the_client_sends_again_is_counted_as_the_server_counts_it(
    call: Any, expected: Attributes, attempt: WorkerAttempt, server: LocalServer, control: ControlClient
) -> None:
    await control.arm(LIMITED)
    await made(call, attempt, server, max_retries=2)
    requests = await control.requests()
    assert [request.status for request in requests] == [429, 200]
    span = attempt.only()
    assert chosen(span) == expected | {"http.request.resend_count": len(requests) - 1, "http.response.status_code": 200}
    assert ledger_usage(attempt.ledger()).client_retries == 1


@pytest.mark.parametrize("call", [chat, sync_chat, chat_stream, responses_stream, sync_embeddings])
async def test_a_call_that_fails_at_last_says_how_and_after_how_many_retries(
    call: Any, attempt: WorkerAttempt, server: LocalServer, control: ControlClient
) -> None:
    await control.arm(Fault(kind="status", status=503, retry_after=0.01, times=3))
    with pytest.raises(openai.InternalServerError):
        await made(call, attempt, server, max_retries=2)
    assert len(await control.requests()) == 3
    span = attempt.only()
    assert (span.status, span.status_message, span.events) == (StatusCode.ERROR, "", ())
    assert {key: span.attributes.get(key) for key in FAILED} == FAILED


FAILED: Attributes = {
    "error.type": "openai.InternalServerError",
    "http.response.status_code": 503,
    "http.request.resend_count": 2,
}


async def test_a_request_that_is_not_sent_again_has_no_count(
    attempt: WorkerAttempt, server: LocalServer, control: ControlClient
) -> None:
    await control.arm(Fault(kind="status", status=400))
    with pytest.raises(openai.BadRequestError):
        await made(chat, attempt, server, max_retries=2)
    span = attempt.only()
    assert span.attributes["http.response.status_code"] == 400
    assert "http.request.resend_count" not in span.attributes


async def test_two_calls_at_once_are_counted_apart(
    attempt: WorkerAttempt, server: LocalServer, control: ControlClient
) -> None:
    await control.arm(Fault(kind="status", status=429, retry_after=0.01, contains="Plan", times=2))

    async def both(client: AsyncOpenAI) -> None:
        other = client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "Write"}])
        await asyncio.gather(chat(client), other)

    await made(both, attempt, server, max_retries=2)
    assert {
        (span.attributes.get("gen_ai.request.seed"), span.attributes.get("http.request.resend_count"))
        for span in attempt.exported()
    } == {(3, 2), (None, None)}


async def test_the_clients_own_log_stays_as_the_user_has_set_it(
    attempt: WorkerAttempt, server: LocalServer, control: ControlClient, caplog: pytest.LogCaptureFixture
) -> None:
    await control.arm(LIMITED)
    await made(chat, attempt, server, max_retries=2)
    assert [record for record in caplog.records if record.name.startswith("openai")] == []


class TestAStreamThatIsLeft:
    async def test_and_closed_ends_with_what_is_known(self, attempt: WorkerAttempt, server: LocalServer) -> None:
        async def first_chunk(client: AsyncOpenAI) -> None:
            async with await client.chat.completions.create(model="gpt-4o", messages=PLAN, stream=True) as chunks:
                async for _ in chunks:
                    break

        await made(first_chunk, attempt, server)
        span = attempt.only()
        assert chosen(span, "openai.response.service_tier") == {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "gpt-4o",
            "gen_ai.request.stream": True,
            "gen_ai.response.id": "chatcmpl-065482af5f107865-1",
            "gen_ai.response.model": "gpt-4o",
            "server.address": "127.0.0.1",
        }
        assert "gen_ai.response.time_to_first_chunk" in span.attributes
        # Its tokens came with the last chunk, which nobody read: their cost is unknown, not 0.
        assert ledger_usage(attempt.ledger()).unknown_cost_calls == 1

    async def test_and_forgotten_ends_as_well(self, attempt: WorkerAttempt, server: LocalServer) -> None:
        def forgotten(client: OpenAI) -> None:
            for _ in client.chat.completions.create(model="gpt-4o", messages=PLAN, stream=True):
                break
            gc.collect()

        await made(forgotten, attempt, server)
        span = attempt.only()
        assert (span.name, span.attributes["error.type"]) == ("chat gpt-4o", "_OTHER")


class TestContent:
    SECRET = "ada@example.com"

    async def test_off_leaves_nothing_of_it_anywhere(
        self, attempt: WorkerAttempt, server: LocalServer, control: ControlClient
    ) -> None:
        async def secret(client: AsyncOpenAI) -> None:
            messages: list[Any] = [{"role": "user", "content": f"Mail {self.SECRET}"}]
            tools: list[Any] = [
                {"type": "function", "function": {"name": "mail", "description": self.SECRET, "parameters": {}}}
            ]
            await client.chat.completions.create(model="gpt-4o", messages=messages, tools=tools)
            await client.responses.create(model="gpt-4o", input=self.SECRET, instructions=self.SECRET)
            await control.arm(Fault(kind="status", status=400, contains=self.SECRET))
            with pytest.raises(openai.BadRequestError):
                await client.chat.completions.create(model="gpt-4o", messages=messages)

        await made(secret, attempt, server, max_retries=0)
        spans = attempt.exported()
        assert len(spans) == 3
        assert self.SECRET not in repr(spans)
        assert "told to fail" not in repr(spans)

    async def test_on_is_redacted_everywhere(self, server: LocalServer, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "SPAN_ONLY")
        config = TracingConfig(capture_content=True, redact=lambda _, text: text.replace(self.SECRET, "[mail]"))

        async def secret(client: AsyncOpenAI) -> None:
            await client.responses.create(model="gpt-4o", input=f"Mail {self.SECRET}", instructions=self.SECRET)

        for attempt in instrumented(WorkerAttempt(config)):
            await made(secret, attempt, server)
            span = attempt.only()
            assert self.SECRET not in repr(span)
            assert "Mail [mail]" in str(span.attributes["gen_ai.input.messages"])
            assert "[mail]" in str(span.attributes["gen_ai.system_instructions"])


class TestOurOwnCallAroundIt:
    async def test_an_instrumented_client_makes_no_second_span(
        self, attempt: WorkerAttempt, server: LocalServer, control: ControlClient
    ) -> None:
        async def wrapped(client: AsyncOpenAI) -> None:
            with llm_call(model="gpt-4o", provider="openai"):
                await chat(client)

        await control.arm(LIMITED)
        await made(wrapped, attempt, server, max_retries=2)
        # Nothing was recorded by hand: what the instrumentation knows is on the one span.
        expected = {key: value for key, value in (CHAT | ASKED).items() if not key.startswith("openai.")}
        del expected["gen_ai.output.type"]
        assert chosen(attempt.only()) == expected | {"http.request.resend_count": 1, "http.response.status_code": 200}
        assert ledger_usage(attempt.ledger()).calls == 1

    async def test_a_client_by_hand_is_watched_too(
        self, attempt: WorkerAttempt, server: LocalServer, control: ControlClient
    ) -> None:
        await control.arm(LIMITED)
        with attempt.inside(), llm_call(model="gpt-4o", provider="openai") as call:
            async with httpx2.AsyncClient(base_url=server.url, trust_env=False) as http:
                for _ in range(2):
                    response = await http.post("/chat/completions", json={"model": "gpt-4o", "messages": PLAN})
                call.record(response.json())
        assert chosen(attempt.only()) == {
            key: value for key, value in CHAT.items() if not key.startswith(("openai.", "server."))
        } | {"http.request.resend_count": 1, "http.response.status_code": 200}


async def made(call: Any, attempt: WorkerAttempt, server: LocalServer, **options: Any) -> None:
    """Make a call inside the attempt, as async or threaded activities make it."""
    given = {"base_url": server.url, "api_key": "none", "timeout": 20, **options}
    with attempt.inside():
        if asyncio.iscoroutinefunction(call):
            async with AsyncOpenAI(**given) as client:
                await call(client)
        else:
            with OpenAI(**given) as sync_client:
                await asyncio.to_thread(call, sync_client)
