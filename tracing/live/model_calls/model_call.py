"""How does a user declare a model call that no instrumentation sees?"""

from __future__ import annotations

import time
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, Literal, TypedDict, TypeVar, Unpack, overload

import temporalio.workflow
from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.sdk.trace import Span as SdkSpan
from opentelemetry.trace import SpanKind

from tracing import conventions as c
from tracing.config import TracingConfig
from tracing.live.attempts.recorder import current_recorder
from tracing.live.delivery.sdk_spans import from_sdk_span, told_attributes
from tracing.live.failopen import fail_open
from tracing.live.model_calls.chunks import Chunks
from tracing.live.model_calls.messages import encoded, messages_json
from tracing.live.model_calls.nested_calls import NestedCall
from tracing.live.model_calls.responses import response_attributes
from tracing.live.model_calls.retries import model_call_context, resent, watch_http_clients
from tracing.live.model_calls.scoped import scoped_span
from tracing.spans.content import shown

R = TypeVar("R")

ModelOperation = Literal["chat", "text_completion", "generate_content", "embeddings"]
"""What a model can be called for, as the GenAI conventions name it."""


class RequestParameters(TypedDict, total=False):
    """What a request may ask for besides its messages; names and meaning are those of the GenAI conventions."""

    temperature: float
    max_tokens: int
    top_p: float
    top_k: int
    seed: int
    stop: Sequence[str]
    frequency_penalty: float
    presence_penalty: float
    choices: int
    dimensions: int
    output_type: Literal["text", "json", "image", "speech"]


_PARAMETERS: Final = {
    "temperature": c.REQUEST_TEMPERATURE,
    "max_tokens": c.REQUEST_MAX_TOKENS,
    "top_p": c.REQUEST_TOP_P,
    "top_k": c.REQUEST_TOP_K,
    "seed": c.REQUEST_SEED,
    "stop": c.REQUEST_STOP,
    "frequency_penalty": c.REQUEST_FREQUENCY_PENALTY,
    "presence_penalty": c.REQUEST_PRESENCE_PENALTY,
    "choices": c.REQUEST_CHOICES,
    "dimensions": c.REQUEST_DIMENSIONS,
    "output_type": c.OUTPUT_TYPE,
}


class LLMCall:
    """A model call while it goes on; what `llm_call` yields."""

    def __init__(self, span: trace.Span, *, content: bool, clock: Callable[[], float] = time.perf_counter) -> None:
        self._span = span
        self._content = content
        self._clock = clock
        self._start = clock()
        self._streams: list[Chunks] = []

    def record(self, response: R) -> R:
        """Record a response and give it back: ``resp = call.record(await client.…create(…))``.

        Understands the response objects (or their JSON as dicts) of OpenAI's chat completions, responses and
        embeddings, Anthropic's messages, Google's ``generate_content``, Bedrock's ``converse`` and LangChain's
        messages; of others nothing is recorded: give their usage by `usage`.
        """
        with fail_open("the response of a model call"):
            self._span.set_attributes(response_attributes(response, content=self._content))
        return response

    @overload
    def stream(self, chunks: Iterable[R]) -> Iterator[R]: ...
    @overload
    def stream(self, chunks: AsyncIterable[R]) -> AsyncIterator[R]: ...
    def stream(self, chunks: Iterable[R] | AsyncIterable[R]) -> Iterator[R] | AsyncIterator[R]:
        """Record a streamed answer while it is read: ``async for chunk in call.stream(await client.…create(…)):``.

        Understands the chunks of the clients that `record` knows. Time to the first chunk is recorded, and at the end
        what all add up to; where the reader leaves half-way, what had come by then.
        """
        seen = Chunks(content=self._content)
        self._streams.append(seen)
        self._span.set_attribute(c.REQUEST_STREAM, value=True)
        if isinstance(chunks, AsyncIterable):
            return self._asynchronous(chunks, seen)
        return self._synchronous(chunks, seen)

    def retried(self, times: int = 1) -> None:
        """Say that the client has sent its request again by itself.

        Clients that send by httpx (those of OpenAI, Anthropic, Google …) are watched: of them it is known.
        """
        with fail_open("the retries of a model call"):
            resent(self._span, times)

    def usage(
        self,
        *,
        input_tokens: int,
        output_tokens: int,
        cached_tokens: int | None = None,
        cache_write_tokens: int | None = None,
        reasoning_tokens: int | None = None,
    ) -> None:
        """Record usage by hand, in tokens: input with cached tokens, output with reasoning (GenAI conventions)."""
        attributes = {
            c.USAGE_INPUT: input_tokens,
            c.USAGE_OUTPUT: output_tokens,
            c.USAGE_CACHE_READ: cached_tokens,
            c.USAGE_CACHE_WRITE: cache_write_tokens,
            c.USAGE_REASONING: reasoning_tokens,
        }
        self._span.set_attributes({key: value for key, value in attributes.items() if value is not None})

    def end(self, nested: NestedCall) -> None:
        """Record what is known of streams that were left, and what an instrumented client inside tells."""
        for seen in list(self._streams):
            self._streamed(seen)
        known = getattr(self._span, "attributes", None) or {}
        self._span.set_attributes({key: value for key, value in nested.attributes().items() if key not in known})

    def _synchronous(self, chunks: Iterable[R], seen: Chunks) -> Iterator[R]:
        try:
            for chunk in chunks:
                self._take(seen, chunk)
                yield chunk
        finally:
            self._streamed(seen)

    async def _asynchronous(self, chunks: AsyncIterable[R], seen: Chunks) -> AsyncIterator[R]:
        try:
            async for chunk in chunks:
                self._take(seen, chunk)
                yield chunk
        finally:
            self._streamed(seen)

    def _take(self, seen: Chunks, chunk: Any) -> None:
        with fail_open("a chunk of a model's answer"):
            if self._start:
                self._span.set_attribute(c.TIME_TO_FIRST_CHUNK, max(0.0, self._clock() - self._start))
                self._start = 0.0
            seen.add(chunk)

    def _streamed(self, seen: Chunks) -> None:
        if seen in self._streams:
            self._streams.remove(seen)
            self.record(seen.response())


@contextmanager
def llm_call(
    *,
    model: str,
    provider: str,
    operation: ModelOperation = "chat",
    messages: Sequence[Any] | None = None,
    tools: Sequence[Any] | None = None,
    **parameters: Unpack[RequestParameters],
) -> Iterator[LLMCall]:
    """Span of one model call, for any model client: ``chat gpt-4o`` with all its ``gen_ai.*`` attributes.

    In workflow code, where its replay would repeat the span, the code inside just runs. A client inside that is
    instrumented as well makes no second span.

    Args:
        model: Model asked for.
        provider: Provider, as the GenAI conventions name it (openai, anthropic, aws.bedrock …).
        operation: What the model is called for.
        messages: The messages sent, as the client takes them: dicts or objects; recorded only where content is on.
        tools: The tools offered, as the client takes them; recorded only where content is on.
        **parameters: What else the request asks for: temperature, max_tokens …

    Raises:
        Whatever the code inside raises; the span then names it in ``error.type``.
    """
    if temporalio.workflow.in_workflow():
        yield LLMCall(trace.INVALID_SPAN, content=False)
        return
    recorder = current_recorder()
    config = recorder.config if recorder else TracingConfig.from_environment()
    content = config.capture_content
    attributes: dict[str, Any] = {c.OPERATION: operation, c.PROVIDER: provider, c.REQUEST_MODEL: model}
    with fail_open("the request of a model call"):
        attributes |= _request(parameters)
        if content and messages is not None:
            attributes[c.INPUT_MESSAGES] = messages_json(messages)
        if content and tools is not None:
            attributes[c.TOOL_DEFINITIONS] = encoded(list(tools))
    nested = NestedCall(operation)
    watch_http_clients()
    tracer_provider = recorder.provider if recorder else trace.get_tracer_provider()
    with scoped_span(
        tracer_provider,
        f"{operation} {model}",
        SpanKind.CLIENT,
        attributes,
        content=content,
        text=lambda text: config.content(c.EXCEPTION_MESSAGE, text),
    ) as span:
        token = otel_context.attach(nested.context(model_call_context(span)))
        call = LLMCall(span, content=content)
        try:
            yield call
        finally:
            otel_context.detach(token)
            with fail_open("the end of a model call"):
                call.end(nested)
                if recorder is None:
                    _redact(config, span)


def _redact(config: TracingConfig, span: trace.Span) -> None:
    """Redact and cut what the span of a call outside of attempts holds; inside, this is done as it ends."""
    if isinstance(span, SdkSpan):
        told = shown(config, from_sdk_span(span)).attributes
        span.set_attributes(told_attributes(span.attributes, told))


def _request(parameters: RequestParameters) -> dict[str, Any]:
    attributes: dict[str, Any] = {}
    for name, value in parameters.items():
        if value is not None and name in _PARAMETERS:
            attributes[_PARAMETERS[name]] = tuple(value) if isinstance(value, (list, tuple)) else value
    return attributes
