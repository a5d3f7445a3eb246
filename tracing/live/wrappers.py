"""How does a user declare a model call, a tool or an agent that no instrumentation sees?"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar, cast, overload

import temporalio.workflow
from opentelemetry import trace
from opentelemetry.trace import SpanKind

from tracing import conventions as c
from tracing.config import TracingConfig
from tracing.live.failopen import fail_open
from tracing.live.messages import encoded, messages_json
from tracing.live.recorder import current_recorder
from tracing.live.responses import response_attributes
from tracing.live.scoped import scoped_span

P = ParamSpec("P")
R = TypeVar("R")


class LLMCall:
    """A model call while it goes on; what `llm_call` yields."""

    def __init__(self, span: trace.Span, *, content: bool) -> None:
        self._span = span
        self._content = content

    def record(self, response: R) -> R:
        """Record a response and give it back: ``resp = call.record(await client.…create(…))``.

        Understands the response objects (or their JSON as dicts) of OpenAI's chat completions, responses and
        embeddings, Anthropic's messages, Google's ``generate_content`` and LangChain's messages; of others nothing is
        recorded: give their usage by `usage`.
        """
        with fail_open("the response of a model call"):
            self._span.set_attributes(response_attributes(response, content=self._content))
        return response

    def usage(
        self,
        *,
        input_tokens: int,
        output_tokens: int,
        cached_tokens: int | None = None,
        reasoning_tokens: int | None = None,
    ) -> None:
        """Record usage by hand, in tokens: input with cached tokens, output with reasoning (GenAI conventions)."""
        attributes = {
            c.USAGE_INPUT: input_tokens,
            c.USAGE_OUTPUT: output_tokens,
            c.USAGE_CACHE_READ: cached_tokens,
            c.USAGE_REASONING: reasoning_tokens,
        }
        self._span.set_attributes({key: value for key, value in attributes.items() if value is not None})


@contextmanager
def llm_call(
    *,
    model: str,
    provider: str,
    operation: str = "chat",
    messages: Sequence[Any] | None = None,
) -> Iterator[LLMCall]:
    """Span of one model call, for any model client: ``chat gpt-4o`` with all its ``gen_ai.*`` attributes.

    In workflow code, where its replay would repeat the span, the code inside just runs.

    Args:
        model: Model asked for.
        provider: Provider, as the GenAI conventions name it (openai, anthropic, aws.bedrock …).
        operation: chat, text_completion, generate_content or embeddings.
        messages: The messages sent, as the client takes them: dicts or objects; recorded only where content is on.

    Raises:
        Whatever the code inside raises; the span then names it in ``error.type``.
    """
    if temporalio.workflow.in_workflow():
        yield LLMCall(trace.INVALID_SPAN, content=False)
        return
    recorder = current_recorder()
    content = recorder.config.capture_content if recorder else TracingConfig.from_environment().capture_content
    attributes: dict[str, Any] = {c.OPERATION: operation, c.PROVIDER: provider, c.REQUEST_MODEL: model}
    if content and messages is not None:
        with fail_open("the messages of a model call"):
            attributes[c.INPUT_MESSAGES] = messages_json(messages)
    with _span(f"{operation} {model}", SpanKind.CLIENT, attributes) as span:
        yield LLMCall(span, content=content)


@overload
def tool(function: Callable[P, R]) -> Callable[P, R]: ...
@overload
def tool(*, name: str | None = None, description: str | None = None) -> Callable[[Callable[P, R]], Callable[P, R]]: ...
def tool(
    function: Callable[P, R] | None = None, *, name: str | None = None, description: str | None = None
) -> Callable[P, R] | Callable[[Callable[P, R]], Callable[P, R]]:
    """Declare a function a tool: each call is a span ``execute_tool {name}``.

    On an activity, put it below ``@activity.defn``. Arguments and result are recorded only where content is on. Called
    in workflow code, where its replay would repeat the span, the function just runs.

    Args:
        function: The function, sync or async.
        name: The tool's name; the function's where not given.
        description: What it does; the first line of the docstring where not given.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        known = name or function.__name__
        about = description or (inspect.getdoc(function) or "").partition("\n")[0]
        attributes: dict[str, Any] = {c.OPERATION: "execute_tool", c.TOOL_NAME: known, c.TOOL_TYPE: "function"}
        if about:
            attributes[c.TOOL_DESCRIPTION] = about
        return _traced(function, f"execute_tool {known}", attributes, arguments=True)

    return decorate(function) if function is not None else decorate


def agent(name: str, *, description: str | None = None) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Declare a function an agent: each call is a span ``invoke_agent {name}``.

    On an activity, put it below ``@activity.defn``. Called in workflow code, the function just runs.

    Args:
        name: The agent's name.
        description: What it does.
    """
    attributes: dict[str, Any] = {c.OPERATION: "invoke_agent", c.AGENT_NAME: name}
    if description:
        attributes[c.AGENT_DESCRIPTION] = description

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        return _traced(function, f"invoke_agent {name}", attributes, arguments=False)

    return decorate


def _traced(function: Callable[P, R], span_name: str, attributes: dict[str, Any], *, arguments: bool) -> Callable[P, R]:
    signature = inspect.signature(function) if arguments else None

    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def asynchronous(*args: P.args, **kwargs: P.kwargs) -> Any:
            if temporalio.workflow.in_workflow():
                return await function(*args, **kwargs)
            with _declared(span_name, attributes, signature, args, kwargs) as record:
                return record(await function(*args, **kwargs))

        return asynchronous  # type: ignore[return-value] # R is the coroutine that calling it gives

    @functools.wraps(function)
    def synchronous(*args: P.args, **kwargs: P.kwargs) -> R:
        if temporalio.workflow.in_workflow():
            return function(*args, **kwargs)
        with _declared(span_name, attributes, signature, args, kwargs) as record:
            return cast("R", record(function(*args, **kwargs)))

    return synchronous


@contextmanager
def _declared(
    span_name: str,
    attributes: dict[str, Any],
    signature: inspect.Signature | None,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Iterator[Callable[[Any], Any]]:
    """Span of a declared call; yields what records its result. Content needs a signature to name the arguments by."""
    recorder = current_recorder()
    content = recorder is not None and recorder.config.capture_content
    with _span(span_name, SpanKind.INTERNAL, attributes) as span:

        def record(result: Any) -> Any:
            if content and signature is not None:
                with fail_open("the result of a tool"):
                    span.set_attribute(c.TOOL_RESULT, encoded(result))
            return result

        if content and signature is not None:
            with fail_open("the arguments of a tool"):
                bound = signature.bind(*args, **kwargs).arguments
                span.set_attribute(c.TOOL_ARGUMENTS, encoded({key: v for key, v in bound.items() if key != "self"}))
        yield record


@contextmanager
def _span(name: str, kind: SpanKind, attributes: dict[str, Any]) -> Iterator[trace.Span]:
    recorder = current_recorder()
    provider = recorder.provider if recorder else trace.get_tracer_provider()
    content = recorder is not None and recorder.config.capture_content
    with scoped_span(provider, name, kind, attributes, content=content) as span:
        yield span
