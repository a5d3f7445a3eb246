"""Model calls, tools and agents that the user declares: one line each, a full span each."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
import temporalio.workflow

from tests.live.attempts import ATTEMPT_SPAN, INNER, WorkerAttempt
from tracing import agent, llm_call, tool
from tracing.config import TracingConfig
from tracing.spans.model import SpanKind, StatusCode

if TYPE_CHECKING:
    from collections.abc import Callable

ON = TracingConfig(capture_content=True)

ANSWER = {
    "id": "chatcmpl-1",
    "model": "gpt-4o-2024-08-06",
    "choices": [{"finish_reason": "stop", "message": {"role": "assistant", "content": "Because."}}],
    "usage": {
        "prompt_tokens": 101,
        "completion_tokens": 53,
        "prompt_tokens_details": {"cached_tokens": 13},
        "completion_tokens_details": {"reasoning_tokens": 7},
    },
}


class AsyncOpenAI:
    """A model client that nothing instruments, shaped like OpenAI's."""

    @property
    def chat(self) -> AsyncOpenAI:
        return self

    @property
    def completions(self) -> AsyncOpenAI:
        return self

    async def create(self, *, model: str, messages: list[dict[str, str]], timeout: float) -> dict[str, Any]:  # noqa: ASYNC109 - as OpenAI's
        assert (model, len(messages), timeout) == ("gpt-4o", 2, 30)
        return ANSWER


async def call_llm(prompt: str, system: str) -> str:
    client = AsyncOpenAI()
    messages = [{"role": "system", "content": system}, {"role": "user", "content": prompt}]
    with llm_call(model="gpt-4o", provider="openai", messages=messages) as call:
        response = call.record(await client.chat.completions.create(model="gpt-4o", messages=messages, timeout=30))
    return str(response["choices"][0]["message"]["content"])


CALL = INNER | {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.response.id": "chatcmpl-1",
    "gen_ai.response.model": "gpt-4o-2024-08-06",
    "gen_ai.response.finish_reasons": ("stop",),
    "gen_ai.usage.input_tokens": 101,
    "gen_ai.usage.output_tokens": 53,
    "gen_ai.usage.cache_read.input_tokens": 13,
    "gen_ai.usage.reasoning.output_tokens": 7,
    "durable.cost.usd": 0.00076625,
    "durable.cost.source": "genai-prices 0.2.3",
    "llm.token_count.completion_details.reasoning": 7,
    "langfuse.observation.usage_details": (
        '{"input":88,"input_cached_tokens":13,"output":46,"output_reasoning_tokens":7,"total":154}'
    ),
}


class TestModelCall:
    async def test_one_line_around_an_uninstrumented_client_is_a_full_span(self) -> None:
        attempt = WorkerAttempt(ON)
        with attempt.inside():
            assert await call_llm("Why?", "Be brief.") == "Because."
        span = attempt.only()
        assert (span.name, span.kind, span.parent_id, span.status) == (
            "chat gpt-4o",
            SpanKind.CLIENT,
            ATTEMPT_SPAN,
            StatusCode.UNSET,
        )
        assert span.attributes == CALL | {
            "gen_ai.input.messages": (
                '[{"role":"system","parts":[{"type":"text","content":"Be brief."}]},'
                '{"role":"user","parts":[{"type":"text","content":"Why?"}]}]'
            ),
            "gen_ai.output.messages": (
                '[{"role":"assistant","parts":[{"type":"text","content":"Because."}],"finish_reason":"stop"}]'
            ),
            "input.value": ('{"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Why?"}]}'),
            "input.mime_type": "application/json",
            "output.value": '{"role":"assistant","content":"Because."}',
            "output.mime_type": "application/json",
        }

    async def test_content_off_leaves_usage_and_cost(self) -> None:
        attempt = WorkerAttempt()
        with attempt.inside():
            await call_llm("Why?", "Be brief.")
        assert attempt.only().attributes == CALL

    def test_usage_by_hand(self) -> None:
        attempt = WorkerAttempt()
        with attempt.inside(), llm_call(model="our-own", provider="us", operation="text_completion") as call:
            call.usage(input_tokens=11, output_tokens=5, reasoning_tokens=2)
        span = attempt.only()
        assert span.name == "text_completion our-own"
        assert span.attributes == INNER | {
            "gen_ai.operation.name": "text_completion",
            "gen_ai.provider.name": "us",
            "gen_ai.request.model": "our-own",
            "gen_ai.usage.input_tokens": 11,
            "gen_ai.usage.output_tokens": 5,
            "gen_ai.usage.reasoning.output_tokens": 2,
            "llm.token_count.completion_details.reasoning": 2,
            "langfuse.observation.usage_details": '{"input":11,"output":3,"output_reasoning_tokens":2,"total":16}',
        }

    @pytest.mark.parametrize(("config", "message"), [(ON, "rate limited"), (TracingConfig(), "")], ids=["on", "off"])
    def test_an_error_passes_and_is_named(self, config: TracingConfig, message: str) -> None:
        attempt = WorkerAttempt(config)
        with (
            attempt.inside(),
            pytest.raises(ConnectionError, match="rate limited"),
            llm_call(model="gpt-4o", provider="openai"),
        ):
            raise ConnectionError("rate limited")
        span = attempt.only()
        assert (span.status, span.status_message, span.events) == (StatusCode.ERROR, message, ())
        assert span.attributes == INNER | {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "gpt-4o",
            "error.type": "ConnectionError",
        }

    def test_a_response_of_no_known_shape_is_given_back_untouched(self) -> None:
        response = object()
        attempt = WorkerAttempt(ON)
        with attempt.inside(), llm_call(model="gpt-4o", provider="openai") as call:
            assert call.record(response) is response
        assert attempt.only().name == "chat gpt-4o"

    def test_a_response_that_cannot_be_read_does_no_harm(self, tracing_log: list[str]) -> None:
        class Hostile:
            @property
            def usage(self) -> int:
                raise RuntimeError("not yet")

        attempt = WorkerAttempt(ON)
        with attempt.inside(), llm_call(model="gpt-4o", provider="openai") as call:
            call.record(Hostile())
        assert attempt.only().name == "chat gpt-4o"
        assert tracing_log == [
            (
                "Tracing failed in the response of a model call; the run goes on untraced here. "
                "Further failures of this kind are not logged."
            )
        ]

    def test_outside_of_attempts_it_goes_to_the_global_provider(self) -> None:
        # None is set in this process: nothing is recorded, nothing fails.
        with llm_call(model="gpt-4o", provider="openai") as call:
            assert call.record(ANSWER) is ANSWER


@tool
def add(a: int, b: int = 1) -> int:
    """Add two numbers.

    More on this.
    """
    return a + b


@tool(name="weather", description="Weather now.")
async def ask_weather(city: str) -> dict[str, int]:
    await asyncio.sleep(0)
    return {"degrees": len(city) - 1}


class TestTool:
    def test_a_call(self) -> None:
        attempt = WorkerAttempt(ON)
        with attempt.inside():
            assert add(2, b=3) == 5
        span = attempt.only()
        assert (span.name, span.kind, span.parent_id) == ("execute_tool add", SpanKind.INTERNAL, ATTEMPT_SPAN)
        assert span.attributes == INNER | {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "add",
            "gen_ai.tool.type": "function",
            "gen_ai.tool.description": "Add two numbers.",
            "gen_ai.tool.call.arguments": '{"a":2,"b":3}',
            "gen_ai.tool.call.result": "5",
            "openinference.span.kind": "TOOL",
            "input.value": '{"a":2,"b":3}',
            "input.mime_type": "application/json",
            "output.value": "5",
            "output.mime_type": "application/json",
        }

    async def test_an_async_call_with_its_own_name(self) -> None:
        attempt = WorkerAttempt()
        with attempt.inside():
            assert await ask_weather("Oslo") == {"degrees": 3}
        span = attempt.only()
        assert span.name == "execute_tool weather"
        assert span.attributes == INNER | {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "weather",
            "gen_ai.tool.type": "function",
            "gen_ai.tool.description": "Weather now.",
            "openinference.span.kind": "TOOL",
        }

    def test_what_json_cannot_say_stands_as_its_repr(self) -> None:
        attempt = WorkerAttempt(ON)

        @tool
        def size(of: object) -> complex:
            return complex(1, 2) if of else 0

        with attempt.inside():
            size(range(3))
        attributes = attempt.only().attributes
        assert (attributes["gen_ai.tool.call.arguments"], attributes["gen_ai.tool.call.result"]) == (
            '{"of":"range(0, 3)"}',
            '"(1+2j)"',
        )

    def test_a_methods_arguments_go_without_self(self) -> None:
        attempt = WorkerAttempt(ON)

        class Desk:
            @tool
            def file(self, name: str) -> None:
                """File a paper."""

        with attempt.inside():
            Desk().file("a")
        assert attempt.only().attributes["gen_ai.tool.call.arguments"] == '{"name":"a"}'

    def test_wrong_arguments_raise_what_they_always_raised(self, tracing_log: list[str]) -> None:
        attempt = WorkerAttempt(ON)
        with attempt.inside(), pytest.raises(TypeError, match="unexpected keyword argument 'c'"):
            add(1, c=2)  # type: ignore[call-arg]
        assert attempt.only().attributes["error.type"] == "TypeError"
        assert len(tracing_log) == 1

    @pytest.mark.parametrize("error", [ValueError("no"), asyncio.CancelledError()])
    async def test_errors_and_cancellation_pass(self, error: BaseException) -> None:
        attempt = WorkerAttempt()

        @tool
        async def fail() -> None:
            await asyncio.sleep(0)
            raise error

        with attempt.inside(), pytest.raises(type(error)):
            await fail()
        assert attempt.only().attributes["error.type"] == type(error).__name__

    def test_the_function_stays_what_it_was(self) -> None:
        assert (add.__name__, add.__module__) == ("add", __name__)
        assert (add.__doc__ or "").startswith("Add two numbers.")
        assert asyncio.iscoroutinefunction(ask_weather)


class TestAgent:
    def test_calls_inside_are_below_it(self) -> None:
        @agent("planner", description="Plans.")
        def plan() -> int:
            return add(1)

        attempt = WorkerAttempt(ON)
        with attempt.inside():
            assert plan() == 2
        inner, outer = attempt.exported()
        assert (outer.name, outer.parent_id, inner.name, inner.parent_id) == (
            "invoke_agent planner",
            ATTEMPT_SPAN,
            "execute_tool add",
            outer.span_id,
        )
        assert outer.attributes == INNER | {
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.agent.name": "planner",
            "gen_ai.agent.description": "Plans.",
            "openinference.span.kind": "AGENT",
        }

    async def test_async(self) -> None:
        @agent("planner")
        async def plan() -> dict[str, int]:
            return await ask_weather("Oslo")

        attempt = WorkerAttempt()
        with attempt.inside():
            assert await plan() == {"degrees": 3}
        assert [span.name for span in attempt.exported()] == ["execute_tool weather", "invoke_agent planner"]


@pytest.fixture
def in_workflow(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the wrappers see in workflow code."""
    monkeypatch.setattr(temporalio.workflow, "in_workflow", lambda: True)


@pytest.mark.usefixtures("in_workflow")
class TestWorkflowCode:
    """Replay would repeat every span that is made there."""

    @pytest.mark.parametrize("call", [lambda: add(1), agent("planner")(lambda: 2)], ids=["tool", "agent"])
    def test_a_declared_function_just_runs(self, call: Callable[[], int]) -> None:
        attempt = WorkerAttempt(ON)
        with attempt.inside():
            assert call() == 2
        assert attempt.exported() == []

    async def test_an_async_one_too(self) -> None:
        attempt = WorkerAttempt(ON)
        with attempt.inside():
            assert await ask_weather("Oslo") == {"degrees": 3}
        assert attempt.exported() == []

    def test_a_model_call_too(self) -> None:
        attempt = WorkerAttempt(ON)
        with attempt.inside(), llm_call(model="gpt-4o", provider="openai") as call:
            assert call.record(ANSWER) is ANSWER
        assert attempt.exported() == []


def test_messages_of_a_conversation_with_tools() -> None:
    attempt = WorkerAttempt(ON)
    messages: list[Any] = [
        {
            "role": "user",
            "content": [{"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": {}}],
        },
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "look_up", "arguments": '{"q":"this"}'}}
            ],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "A cat."},
    ]
    with attempt.inside(), llm_call(model="gpt-4o", provider="openai", messages=messages):
        pass
    attributes = attempt.only().attributes
    assert json.loads(str(attributes["input.value"])) == {
        "messages": [
            {"role": "user", "content": "What is this?"},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {"id": "c1", "type": "function", "function": {"name": "look_up", "arguments": '{"q":"this"}'}}
                ],
            },
            {"role": "tool", "content": "A cat.", "tool_call_id": "c1"},
        ]
    }
