"""A model call declared by hand: what it asked for, an answer that comes in chunks, requests sent again."""

from __future__ import annotations

import os
import signal
import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.trace import SpanKind

from tests.live.attempts.attempts import INNER, WorkerAttempt
from tracing import llm_call
from tracing.config import TracingConfig
from tracing.live.attempts import recorder
from tracing.live.model_calls import retries
from tracing.live.model_calls.scoped import scoped_span
from tracing.spans.inner import ledger_usage
from tracing.spans.model import StatusCode

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tracing.runs import Attributes
    from tracing.spans.model import Span

ON = TracingConfig(capture_content=True)


def told(span: Span) -> Attributes:
    """What the call itself says, without identity, cost and what backends need; and how long it took to begin."""
    others = ("durable.", "langfuse.", "llm.", "input.", "output.")
    return {
        key: value
        for key, value in span.attributes.items()
        if key not in INNER and not key.startswith(others) and key != "gen_ai.response.time_to_first_chunk"
    }


OPENAI = [
    {"id": "chatcmpl-1", "model": "gpt-4o", "choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]},
    {"id": "chatcmpl-1", "model": "gpt-4o", "choices": [{"index": 0, "delta": {"content": "Be"}}]},
    {"id": "chatcmpl-1", "model": "gpt-4o", "choices": [{"index": 0, "delta": {"content": "cause."}}]},
    {"id": "chatcmpl-1", "model": "gpt-4o", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
    {
        "id": "chatcmpl-1",
        "model": "gpt-4o",
        "choices": [],
        "usage": {
            "prompt_tokens": 101,
            "completion_tokens": 53,
            "prompt_tokens_details": {"cached_tokens": 13},
            "completion_tokens_details": {"reasoning_tokens": 7},
        },
    },
]
OPENAI_TOOLS = [
    {
        "choices": [
            {
                "index": 0,
                "delta": {"tool_calls": [{"index": 0, "id": "c1", "function": {"name": "weather", "arguments": ""}}]},
            }
        ]
    },
    {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"arguments": '{"city":'}}]}}]},
    {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"arguments": '"Oslo"}'}}]}}]},
    {"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]},
]
OPENAI_EVENTS = [
    {"type": "response.created", "response": {"id": "resp_1", "model": "gpt-4o", "output": []}},
    {"type": "response.output_text.delta", "delta": "Because."},
    {
        "type": "response.completed",
        "response": {
            "id": "resp_1",
            "model": "gpt-4o",
            "output": [{"type": "message", "content": [{"type": "output_text", "text": "Because."}]}],
            "usage": {
                "input_tokens": 101,
                "input_tokens_details": {"cached_tokens": 13},
                "output_tokens": 53,
                "output_tokens_details": {"reasoning_tokens": 7},
            },
        },
    },
]
ANTHROPIC = [
    {
        "type": "message_start",
        "message": {
            "id": "msg_1",
            "model": "claude-sonnet-4-5",
            "usage": {
                "input_tokens": 71,
                "cache_creation_input_tokens": 17,
                "cache_read_input_tokens": 13,
                "output_tokens": 1,
            },
        },
    },
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "I look."}},
    {
        "type": "content_block_start",
        "index": 1,
        "content_block": {"type": "tool_use", "id": "t1", "name": "weather", "input": {}},
    },
    {
        "type": "content_block_delta",
        "index": 1,
        "delta": {"type": "input_json_delta", "partial_json": '{"city":"Oslo"}'},
    },
    {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 53}},
    {"type": "message_stop"},
]
GOOGLE = [
    {
        "responseId": "g1",
        "modelVersion": "gemini-2.5-flash",
        "candidates": [{"content": {"role": "model", "parts": [{"text": "Be"}]}}],
        "usageMetadata": {"promptTokenCount": 101},
    },
    {
        "responseId": "g1",
        "candidates": [{"content": {"parts": [{"text": "cause."}]}, "finishReason": "STOP"}],
        "usageMetadata": {"promptTokenCount": 101, "candidatesTokenCount": 46, "thoughtsTokenCount": 7},
    },
]
BEDROCK = [
    {"messageStart": {"role": "assistant"}},
    {"contentBlockDelta": {"delta": {"text": "Because."}, "contentBlockIndex": 0}},
    {"messageStop": {"stopReason": "end_turn"}},
    {"metadata": {"usage": {"inputTokens": 88, "outputTokens": 53, "cacheReadInputTokens": 13}}},
]

USAGE: Attributes = {"gen_ai.usage.input_tokens": 101, "gen_ai.usage.output_tokens": 53}
DETAILS: Attributes = {
    "gen_ai.usage.cache_read.input_tokens": 13,
    "gen_ai.usage.reasoning.output_tokens": 7,
}
BECAUSE = '[{"role":"assistant","parts":[{"type":"text","content":"Because."}],"finish_reason":"stop"}]'

STREAMS = [
    pytest.param(
        OPENAI,
        USAGE
        | DETAILS
        | {
            "gen_ai.response.id": "chatcmpl-1",
            "gen_ai.response.model": "gpt-4o",
            "gen_ai.response.finish_reasons": ("stop",),
            "gen_ai.output.messages": BECAUSE,
        },
        id="OpenAI",
    ),
    pytest.param(
        OPENAI_TOOLS,
        {
            "gen_ai.response.finish_reasons": ("tool_calls",),
            "gen_ai.output.messages": (
                '[{"role":"assistant","parts":[{"type":"tool_call","id":"c1","name":"weather",'
                '"arguments":"{\\"city\\":\\"Oslo\\"}"}],"finish_reason":"tool_calls"}]'
            ),
        },
        id="OpenAI, a tool",
    ),
    pytest.param(
        OPENAI_EVENTS,
        USAGE
        | DETAILS
        | {
            "gen_ai.response.id": "resp_1",
            "gen_ai.response.model": "gpt-4o",
            "gen_ai.output.messages": BECAUSE,
        },
        id="OpenAI's responses",
    ),
    pytest.param(
        ANTHROPIC,
        USAGE
        | {
            "gen_ai.usage.cache_read.input_tokens": 13,
            "gen_ai.usage.cache_write.input_tokens": 17,
            "gen_ai.response.id": "msg_1",
            "gen_ai.response.model": "claude-sonnet-4-5",
            "gen_ai.response.finish_reasons": ("tool_use",),
            "gen_ai.output.messages": (
                '[{"role":"assistant","parts":[{"type":"text","content":"I look."},{"type":"tool_call","id":"t1",'
                '"name":"weather","arguments":"{\\"city\\":\\"Oslo\\"}"}],"finish_reason":"tool_use"}]'
            ),
        },
        id="Anthropic",
    ),
    pytest.param(
        GOOGLE,
        USAGE
        | {
            "gen_ai.usage.reasoning.output_tokens": 7,
            "gen_ai.response.id": "g1",
            "gen_ai.response.model": "gemini-2.5-flash",
            "gen_ai.response.finish_reasons": ("stop",),
            "gen_ai.output.messages": BECAUSE,
        },
        id="Google",
    ),
    pytest.param(
        BEDROCK,
        USAGE
        | {
            "gen_ai.usage.cache_read.input_tokens": 13,
            "gen_ai.usage.cache_write.input_tokens": 0,
            "gen_ai.response.finish_reasons": ("end_turn",),
            "gen_ai.output.messages": BECAUSE.replace("stop", "end_turn"),
        },
        id="Bedrock",
    ),
    pytest.param(["Be", "cause."], {"gen_ai.output.messages": BECAUSE.replace("stop", "unknown")}, id="plain text"),
]

ASKED: Attributes = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "us",
    "gen_ai.request.model": "our-own",
    "gen_ai.request.stream": True,
}


def as_objects(value: Any) -> Any:
    """Chunks as clients give them: objects."""
    if isinstance(value, dict) and value:
        return SimpleNamespace(**{key: as_objects(item) for key, item in value.items()})
    return [as_objects(item) for item in value] if isinstance(value, list) else value


class TestAStreamedAnswer:
    @pytest.mark.parametrize("shaped", [list, as_objects], ids=["dicts", "objects"])
    @pytest.mark.parametrize(("chunks", "expected"), STREAMS)
    def test_is_what_its_chunks_add_up_to(self, chunks: list[Any], expected: Attributes, shaped: Any) -> None:
        attempt = WorkerAttempt(ON)
        given = shaped(chunks)
        with attempt.inside(), llm_call(model="our-own", provider="us") as call:
            assert list(call.stream(given)) == given
        span = attempt.only()
        assert told(span) == ASKED | expected
        wait = span.attributes["gen_ai.response.time_to_first_chunk"]
        assert isinstance(wait, float)
        assert wait >= 0

    async def test_may_come_asynchronously_and_without_content(self) -> None:
        async def chunks() -> AsyncIterator[Any]:
            for chunk in OPENAI:
                yield chunk

        attempt = WorkerAttempt()
        with attempt.inside(), llm_call(model="our-own", provider="us") as call:
            assert [chunk async for chunk in call.stream(chunks())] == OPENAI
        assert told(attempt.only()) == ASKED | USAGE | DETAILS | {
            "gen_ai.response.id": "chatcmpl-1",
            "gen_ai.response.model": "gpt-4o",
            "gen_ai.response.finish_reasons": ("stop",),
        }

    def test_that_is_left_half_way_says_what_is_known(self) -> None:
        attempt = WorkerAttempt(ON)
        with attempt.inside(), llm_call(model="our-own", provider="us") as call:
            chunks = call.stream(OPENAI)
            next(chunks)
            next(chunks)
        assert told(attempt.only()) == ASKED | {
            "gen_ai.response.id": "chatcmpl-1",
            "gen_ai.response.model": "gpt-4o",
            "gen_ai.output.messages": BECAUSE.replace("Because.", "Be").replace("stop", "unknown"),
        }
        assert ledger_usage(attempt.ledger()).unknown_cost_calls == 1

    def test_that_breaks_off_says_what_is_known_and_why(self) -> None:
        def broken() -> Iterator[Any]:
            yield OPENAI[0]
            raise ConnectionError("reset")

        attempt = WorkerAttempt()
        with attempt.inside(), pytest.raises(ConnectionError), llm_call(model="our-own", provider="us") as call:
            list(call.stream(broken()))
        span = attempt.only()
        assert span.status is StatusCode.ERROR
        assert (span.attributes["gen_ai.response.model"], span.attributes["error.type"]) == (
            "gpt-4o",
            "ConnectionError",
        )

    def test_of_langchain_is_added_up_by_its_own_chunks(self) -> None:
        class Chunk(SimpleNamespace):
            def __add__(self, other: Chunk) -> Chunk:
                return Chunk(**{**vars(self), **vars(other), "content": self.content + other.content})

        attempt = WorkerAttempt(ON)
        chunks = [
            Chunk(type="AIMessageChunk", id="run--1", content="Be"),
            Chunk(type="AIMessageChunk", content="cause.", usage_metadata={"input_tokens": 101, "output_tokens": 53}),
        ]
        with attempt.inside(), llm_call(model="our-own", provider="us") as call:
            list(call.stream(chunks))
        assert told(attempt.only()) == ASKED | USAGE | {
            "gen_ai.response.id": "run--1",
            "gen_ai.output.messages": BECAUSE,
        }


def test_what_the_request_asked_for() -> None:
    attempt = WorkerAttempt(ON)
    with (
        attempt.inside(),
        llm_call(
            model="our-own",
            provider="us",
            tools=[{"name": "weather"}],
            temperature=0.5,
            max_tokens=9,
            top_p=0.9,
            top_k=40,
            seed=3,
            stop=["\n"],
            frequency_penalty=0.1,
            presence_penalty=0.2,
            choices=2,
            dimensions=256,
            output_type="json",
        ),
    ):
        pass
    assert told(attempt.only()) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "us",
        "gen_ai.request.model": "our-own",
        "gen_ai.tool.definitions": '[{"name":"weather"}]',
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.max_tokens": 9,
        "gen_ai.request.top_p": 0.9,
        "gen_ai.request.top_k": 40,
        "gen_ai.request.seed": 3,
        "gen_ai.request.stop_sequences": ("\n",),
        "gen_ai.request.frequency_penalty": 0.1,
        "gen_ai.request.presence_penalty": 0.2,
        "gen_ai.request.choice.count": 2,
        "gen_ai.embeddings.dimension.count": 256,
        "gen_ai.output.type": "json",
    }


def test_a_client_that_nobody_watches_says_itself_that_it_sent_again() -> None:
    attempt = WorkerAttempt()
    with attempt.inside(), llm_call(model="our-own", provider="us") as call:
        call.retried()
        call.retried(2)
    assert attempt.only().attributes["http.request.resend_count"] == 3
    assert ledger_usage(attempt.ledger()).client_retries == 3


def test_in_a_forked_child_a_call_does_not_wait_for_a_thread_of_the_parents() -> None:
    held, forked = threading.Event(), threading.Event()

    def hold() -> None:
        with retries._lock, recorder._prepare_lock:
            held.set()
            forked.wait(30)

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(30)
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)  # pytest's own would let it go on as a second pytest
        signal.alarm(10)
        attempt = WorkerAttempt()
        with attempt.inside(), llm_call(model="our-own", provider="us") as call:
            call.retried()
        os._exit(0)
    forked.set()
    thread.join()
    assert os.waitpid(child, 0)[1] == 0


class RefusedError(Exception):
    """As clients of model providers say how a request ended."""

    def __init__(self, **fields: Any) -> None:
        super().__init__("refused")
        vars(self).update(fields)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (RefusedError(status_code=429), 429),
        (RefusedError(code=503), 503),
        (RefusedError(response=SimpleNamespace(status_code=401)), 401),
        (RefusedError(code="rate_limit"), None),
        (RefusedError(code=7), None),
        (ValueError("no"), None),
    ],
)
def test_an_errors_http_status_is_told_where_it_names_one(error: Exception, status: int | None) -> None:
    attempt = WorkerAttempt()
    with attempt.inside(), pytest.raises(type(error)), llm_call(model="our-own", provider="us"):
        raise error
    assert attempt.only().attributes.get("http.response.status_code") == status


def test_an_http_status_is_no_matter_of_tools() -> None:

    attempt = WorkerAttempt()
    with pytest.raises(RefusedError), scoped_span(attempt.provider, "execute_tool a", SpanKind.INTERNAL, {}):
        raise RefusedError(status_code=404)
    assert attempt.only().attributes == {"error.type": "RefusedError"}
