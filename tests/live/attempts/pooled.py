"""What the tests of the process pool run in another process."""

from __future__ import annotations

import os
import threading

from openai import OpenAI
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tracing import llm_call, tool

ANSWER = {
    "model": "gpt-4o",
    "choices": [{"finish_reason": "stop", "message": {"role": "assistant", "content": "because"}}],
    "usage": {"prompt_tokens": 101, "completion_tokens": 53},
}


class Odd:
    """Cannot be pickled: it holds a lock."""

    def __init__(self) -> None:
        self.lock = threading.Lock()


@tool
def search(query: str) -> str:
    return query.upper()


def ask(question: str) -> str:
    """Calls a model, and a tool."""
    with llm_call(model="gpt-4o", provider="openai", messages=[{"role": "user", "content": question}]) as call:
        call.record(ANSWER)
    return search(question)


def ask_and_fail(question: str) -> None:
    """Calls a model and fails."""
    ask(question)
    raise LookupError(question, 17)


def ask_and_give_what_cannot_be_pickled(question: str) -> Odd:
    """Calls a model, and gives back what cannot come back."""
    ask(question)
    return Odd()


def what_is_around() -> tuple[int, int, bool]:
    """The span around this code."""
    context = trace.get_current_span().get_span_context()
    return context.trace_id, context.span_id, context.trace_flags.sampled


def ask_openai(base_url: str) -> str:
    """Calls OpenAI's client."""
    with OpenAI(base_url=base_url, api_key="none", max_retries=0) as client:
        answer = client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "Why?"}])
    return type(answer).__name__


def trace_with_a_provider_of_its_own() -> list[str]:
    """Traces as code does that set up a global provider in its process; gives what that exported."""
    exporter = InMemorySpanExporter()
    provider = trace.get_tracer_provider()
    if not isinstance(provider, TracerProvider):
        provider = TracerProvider(shutdown_on_exit=False)
        trace.set_tracer_provider(provider)
        return ["it is set now"]
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with trace.get_tracer("app").start_as_current_span("chat gpt-4o"):
        pass
    return [span.name for span in exporter.get_finished_spans()]


def die() -> None:
    """Ends its process."""
    os._exit(1)
