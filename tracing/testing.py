"""How does a test look at the trace of a run? In memory, without a backend.

from tracing.testing import capture

with capture() as traces:
    client = await Client.connect(address, plugins=[traces.plugin])
    async with Worker(client, task_queue="research", workflows=[Research], activities=[call_llm]):
        handle = await client.start_workflow(Research.run, id="research-1", task_queue="research")
        await handle.result()
        trace = await traces.of(handle)

assert trace.render(conventions.USAGE_INPUT) == '''
RunWorkflow:Research SERVER
  StartActivity:call_llm CLIENT
    RunActivity:call_llm SERVER
      chat gpt-4o CLIENT
        gen_ai.usage.input_tokens: 101
'''.strip()
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from temporalio.client import WorkflowHandle

from tracing.config import TracingConfig
from tracing.identity import run_span_id
from tracing.live.delivery.sdk_spans import from_sdk_span
from tracing.live.plugin import TracingPlugin
from tracing.rendering import render
from tracing.spans.model import Span

__all__ = ["Span", "Trace", "Traces", "capture"]


@dataclass(frozen=True)
class Trace:
    """The trace of a run.

    Attributes:
        spans: Its spans, in the order of their start.
    """

    spans: tuple[Span, ...]

    def __str__(self) -> str:
        return self.render()

    def span(self, name: str) -> Span:
        """The one span of a name.

        Raises:
            LookupError: There is none, or more than one.
        """
        found = [span for span in self.spans if span.name == name]
        if len(found) != 1:
            raise LookupError(f"{len(found)} spans are named {name!r}, not 1; the trace is\n{self}")
        return found[0]

    def render(self, *attributes: str, times: bool = False) -> str:
        """The trace as an indented tree: a line a span with name, kind and status.

        Args:
            attributes: Keys of the attributes to show.
            times: Whether to show start and end, in ms from the start of the trace.
        """
        return render(self.spans, shows=lambda key: key in attributes, times=times)


class Traces:
    """Spans as they arrive; what `capture` yields.

    Attributes:
        provider: The tracer provider; instrumentations that a test uses must be given it.
        plugin: The plugin for the client.
    """

    def __init__(self, provider: TracerProvider, config: TracingConfig) -> None:
        self.provider = provider
        self.plugin = TracingPlugin(config, tracer_provider=provider)
        self._collected = _Collected()
        provider.add_span_processor(self._collected)

    @property
    def spans(self) -> tuple[Span, ...]:
        """All spans that have arrived, in the order of their start."""
        return self._collected.spans()

    async def of(self, run: WorkflowHandle[Any, Any] | str, *, timeout_seconds: float = 10.0) -> Trace:
        """The trace of a run that has ended.

        Waits for the run's own span, which comes last: when the server has accepted the end of the run.

        Args:
            run: Handle of the run, as `start_workflow` gives it, or its run ID. Of a run that was continued as new,
                the handle is the first run's.
            timeout_seconds: How long to wait.

        Raises:
            TimeoutError: The run's span has not arrived.
            ValueError: The handle names no run.
        """
        run_id = run if isinstance(run, str) else run.run_id or run.first_execution_run_id or run.result_run_id
        if not run_id:
            raise ValueError("The handle names no run: give a run ID, or a handle that start_workflow() gave.")
        root = await asyncio.to_thread(self._collected.wait_for, run_span_id(run_id), timeout_seconds)
        if root is None:
            arrived = render(self.spans) or "none"
            raise TimeoutError(
                f"The span of run {run_id} has not arrived in {timeout_seconds} s: has the run ended, and is its "
                f"worker's client made with plugins=[traces.plugin]? Spans that have arrived:\n{arrived}"
            )
        return Trace(tuple(span for span in self.spans if span.trace_id == root.trace_id))

    def _close(self) -> None:
        self._collected.closed = True


@contextmanager
def capture(config: TracingConfig | None = None, *, provider: TracerProvider | None = None) -> Iterator[Traces]:
    """Collect the spans that end inside.

    Args:
        config: Settings of the plugin; the defaults where not given, whatever the environment says.
        provider: A tracer provider to listen to as well, such as the application's; one that sends nothing anywhere
            where not given.
    """
    traces = Traces(provider or TracerProvider(shutdown_on_exit=False), config or TracingConfig())
    try:
        yield traces
    finally:
        traces._close()  # noqa: SLF001 - a processor cannot be taken off a provider again


class _Collected(SpanProcessor):
    def __init__(self) -> None:
        self.closed = False
        self._changed = threading.Condition()
        self._spans: list[Span] = []

    def on_end(self, span: ReadableSpan) -> None:
        context = span.get_span_context()
        if self.closed or context is None or not context.trace_flags.sampled:
            return
        with self._changed:
            self._spans.append(from_sdk_span(span))
            self._changed.notify_all()

    def spans(self) -> tuple[Span, ...]:
        with self._changed:
            return tuple(sorted(self._spans, key=lambda span: (span.start, span.name)))

    def wait_for(self, span_id: int, timeout_seconds: float) -> Span | None:
        def find() -> Span | None:
            return next((span for span in self._spans if span.span_id == span_id), None)

        with self._changed:
            return self._changed.wait_for(find, timeout_seconds)
