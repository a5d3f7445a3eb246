"""Model calls, tools and agents that the user declares: one line each, a full span each."""

from __future__ import annotations

import asyncio
import functools
import json
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
import temporalio.workflow
from opentelemetry import trace
from pydantic import BaseModel

from tests.live.attempts.attempts import ATTEMPT_SPAN, INNER, WorkerAttempt
from tracing import agent, llm_call, tool
from tracing.config import TracingConfig
from tracing.spans.model import SpanKind, StatusCode

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator

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
    "durable.cost.input_usd": 0.00023625,
    "durable.cost.output_usd": 0.00053,
    "durable.cost.source": "genai-prices 0.2.3",
    "langfuse.observation.cost_details": '{"input":0.00023625,"output":0.00053,"total":0.00076625}',
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


class Adder:
    def __call__(self, a: int) -> int:
        return a + 1


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

    @pytest.mark.parametrize(
        ("callable_", "given", "name", "arguments", "result"),
        [
            (functools.partial(add, 2), {"b": 3}, "add", '{"b":3}', "5"),
            (Adder(), {"a": 2}, "Adder", '{"a":2}', "3"),
            (functools.partial(max, (2, 3)), {"default": 7}, "max", '{"kwargs":{"default":7}}', "3"),
        ],
        ids=["partial", "instance", "without a signature"],
    )
    def test_whatever_can_be_called(
        self, callable_: Callable[..., Any], given: dict[str, int], name: str, arguments: str, result: str
    ) -> None:
        declared = tool(callable_)
        attempt = WorkerAttempt(ON)
        with attempt.inside():
            assert json.dumps(declared(**given), separators=(",", ":")) == result
        span = attempt.exported()[-1]
        assert (span.name, declared.__name__) == (f"execute_tool {name}", name)
        assert span.attributes["gen_ai.tool.call.arguments"] == arguments
        assert span.attributes["gen_ai.tool.call.result"] == result

    async def test_an_instance_whose_call_is_async(self) -> None:
        class Slow:
            async def __call__(self) -> str:
                return await asyncio.sleep(0, "slow")

        attempt = WorkerAttempt(ON)
        with attempt.inside():
            assert await tool(Slow())() == "slow"
        assert attempt.only().attributes["gen_ai.tool.call.result"] == '"slow"'

    @pytest.mark.parametrize("inside", [True, False], ids=["below", "above"])
    def test_methods_without_their_instance_or_class(self, inside: bool) -> None:  # noqa: FBT001
        def kind_of(kind: Any, function: Callable[..., int]) -> Any:
            return kind(tool(function)) if inside else tool(kind(function))

        class Tools:
            method = tool(lambda self, a: a)  # noqa: ARG005
            of_class = kind_of(classmethod, lambda cls, a: a)  # noqa: ARG005
            static = kind_of(staticmethod, lambda a: a)

        attempt = WorkerAttempt(ON)
        with attempt.inside():
            assert (Tools().method(1), Tools.of_class(2), Tools().of_class(3), Tools.static(4)) == (1, 2, 3, 4)
        assert [span.attributes["gen_ai.tool.call.arguments"] for span in attempt.exported()] == [
            '{"a":1}',
            '{"a":2}',
            '{"a":3}',
            '{"a":4}',
        ]

    def test_pydantic_models_are_shown_as_their_payload_is(self) -> None:
        class Question(BaseModel):
            text: str
            asked: date

        @tool
        def echo(question: Question, more: list[Question]) -> list[Question]:
            return [question, *more]

        attempt = WorkerAttempt(ON)
        with attempt.inside():
            echo(Question(text="é", asked=date(2025, 11, 23)), [])
        span = attempt.only()
        question = '{"text":"é","asked":"2025-11-23"}'
        assert span.attributes["gen_ai.tool.call.arguments"] == f'{{"question":{question},"more":[]}}'
        assert span.attributes["gen_ai.tool.call.result"] == f"[{question}]"

    def test_text_that_utf8_cannot_say(self) -> None:
        # Half an emoji, as a streamed answer is cut; the name of a file in another encoding.
        attempt = WorkerAttempt(ON)
        with (
            attempt.inside(),
            trace.get_tracer("app", tracer_provider=attempt.provider).start_as_current_span("\udce9") as span,
        ):
            span.set_attributes({"path": "caf\udce9", "paths": ["caf\udce9", "café"]})
            tool(name="open \udce9")(lambda path: {path: path + " \ud83d\ude00"})("caf\udce9")
        inner, outer = attempt.exported()
        mark = "\N{REPLACEMENT CHARACTER}"
        assert (inner.name, outer.name) == (f"execute_tool open {mark}", mark)
        assert outer.attributes == INNER | {"path": f"caf{mark}", "paths": (f"caf{mark}", "café")}
        assert inner.attributes["gen_ai.tool.call.arguments"] == json.dumps(
            {"path": f"caf{mark}"}, ensure_ascii=False, separators=(",", ":")
        )
        assert json.loads(str(inner.attributes["gen_ai.tool.call.result"])) == {f"caf{mark}": f"caf{mark} 😀"}
        assert [span.name for span in attempt.ledger().spans] == [inner.name, outer.name]

    @pytest.mark.parametrize("declare", [tool, agent("planner")], ids=["tool", "agent"])
    def test_a_class_is_refused(self, declare: Any) -> None:
        with pytest.raises(TypeError, match=r"^@tool and @agent declare functions, and Adder is a class: put it on a"):
            declare(Adder)

    def test_a_name_without_its_keyword_is_refused(self) -> None:
        with pytest.raises(TypeError, match=r"^@tool takes a name by its keyword only: @tool\(name='search'\)$"):
            tool("search")  # type: ignore[call-overload]

    def test_the_function_stays_what_it_was(self) -> None:
        assert (add.__name__, add.__module__) == ("add", __name__)
        assert (add.__doc__ or "").startswith("Add two numbers.")
        assert asyncio.iscoroutinefunction(ask_weather)


class TestAgent:
    def test_without_a_name_it_is_refused(self) -> None:
        with pytest.raises(TypeError, match=r'^@agent needs the agent\'s name: @agent\("planner"\)$'):

            @agent  # type: ignore[arg-type]
            def plan() -> int:
                return 1

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


@tool
def count_to(last: int) -> Iterator[int]:
    """Count."""
    for number in range(1, last + 1):
        add(number)
        yield number


@agent("storyteller")
async def tell(words: str) -> AsyncIterator[str]:
    """Tell a story, word by word."""
    for word in words.split():
        await ask_weather(word)
        yield word


class TestGenerators:
    """Their span lasts until they are read, and is the current one only while their own code runs."""

    def test_a_tool_whose_result_comes_in_parts(self) -> None:
        attempt = WorkerAttempt(ON)
        with attempt.inside():
            for number in count_to(2):
                with llm_call(model="gpt-4o", provider="openai"):
                    assert number in {1, 2}
        assert [(span.name, span.parent_id == ATTEMPT_SPAN) for span in attempt.exported()] == [
            ("execute_tool add", False),
            ("chat gpt-4o", True),
            ("execute_tool add", False),
            ("chat gpt-4o", True),
            ("execute_tool count_to", True),
        ]
        attributes = attempt.exported()[-1].attributes
        assert (attributes["gen_ai.tool.call.arguments"], attributes["gen_ai.tool.call.result"]) == (
            '{"last":2}',
            "[1,2]",
        )

    async def test_an_async_agent(self) -> None:
        attempt = WorkerAttempt()
        with attempt.inside():
            async for _ in tell("Once upon"):
                with llm_call(model="gpt-4o", provider="openai"):
                    pass
        *inner, outer = attempt.exported()
        assert (outer.name, outer.status) == ("invoke_agent storyteller", StatusCode.UNSET)
        assert [(span.name, span.parent_id == outer.span_id) for span in inner] == [
            ("execute_tool weather", True),
            ("chat gpt-4o", False),
            ("execute_tool weather", True),
            ("chat gpt-4o", False),
        ]

    def test_one_that_is_left_half_way_ends_without_error(self) -> None:
        attempt = WorkerAttempt(ON)
        with attempt.inside():
            numbers = count_to(5)
            assert next(iter(numbers)) == 1
            numbers.close()  # type: ignore[attr-defined] # it is a generator
        span = attempt.exported()[-1]
        assert (span.status, span.attributes["gen_ai.tool.call.result"]) == (StatusCode.UNSET, "[1]")

    async def test_an_async_one_too(self) -> None:
        attempt = WorkerAttempt()
        with attempt.inside():
            words = tell("Once upon")
            assert await anext(words) == "Once"
            await words.aclose()  # type: ignore[attr-defined] # it is a generator
        span = attempt.exported()[-1]
        assert (span.name, span.status) == ("invoke_agent storyteller", StatusCode.UNSET)

    def test_what_is_sent_thrown_and_returned_passes(self) -> None:
        closed: list[str] = []

        @tool
        def talk() -> Generator[str, str, str]:
            """Talk."""
            try:
                heard = yield "hello"
                try:
                    yield heard.upper()
                except KeyError:
                    yield "sorry"
                return "bye"
            finally:
                closed.append("closed")

        attempt = WorkerAttempt()
        with attempt.inside():
            talking = talk()
            assert next(talking) == "hello"
            assert talking.send("well") == "WELL"
            assert talking.throw(KeyError("what")) == "sorry"
            with pytest.raises(StopIteration) as ended:
                next(talking)
        assert (ended.value.value, closed) == ("bye", ["closed"])
        assert attempt.only().status is StatusCode.UNSET

    async def test_what_is_sent_and_thrown_into_an_async_one_passes(self) -> None:
        @tool
        async def talk() -> AsyncGenerator[str, str]:
            """Talk."""
            heard = yield "hello"
            try:
                yield heard.upper()
            except KeyError:
                yield "sorry"

        attempt = WorkerAttempt()
        with attempt.inside():
            talking = talk()
            assert await anext(talking) == "hello"
            assert await talking.asend("well") == "WELL"
            assert await talking.athrow(KeyError("what")) == "sorry"
            assert [said async for said in talking] == []
        assert attempt.only().status is StatusCode.UNSET

    def test_its_error_passes_and_is_named(self) -> None:
        @tool
        def fail() -> Iterator[int]:
            """Fail."""
            yield 1
            raise ValueError("no")

        attempt = WorkerAttempt()
        with attempt.inside(), pytest.raises(ValueError, match="no"):
            list(fail())
        assert attempt.only().attributes["error.type"] == "ValueError"

    def test_in_another_context_it_still_is_inside_its_attempt(self) -> None:
        attempt = WorkerAttempt()
        with attempt.inside():
            numbers = count_to(1)
            first = next(iter(numbers))
        # The reader goes on where there is no attempt any more.
        assert (first, list(numbers)) == (1, [])
        assert [span.name for span in attempt.ledger().spans] == ["execute_tool add", "execute_tool count_to"]


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

    async def test_generators_too(self) -> None:
        attempt = WorkerAttempt(ON)
        with attempt.inside():
            assert list(count_to(2)) == [1, 2]
            assert [word async for word in tell("Once upon")] == ["Once", "upon"]
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
