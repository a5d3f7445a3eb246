"""A client with our interceptor whose calls end where the server would be."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tracing import TracingConfig
from tracing.headers import TraceHeader, read_header
from tracing.live.client.interceptor import ClientInterceptor
from tracing.live.delivery.emitter import Emitter
from tracing.live.delivery.sdk_spans import from_sdk_span

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from temporalio.api.common.v1 import Payload

    from tracing.spans.model import Span

Input = TypeVar("Input")

READS = ("list_", "fetch_")
"""Calls of these names are no coroutines."""


def given(kind: type[Input], **fields: Any) -> Input:
    """The SDK's input of a call: with these fields, all others None."""
    names = {each.name for each in dataclasses.fields(kind)}  # type: ignore[arg-type] # it is a dataclass
    assert fields.keys() <= names
    return kind(**{name: fields.get(name) for name in names})


@dataclass
class Server:
    """The end of the chain: takes what would go to the server, and answers each call alike."""

    answer: Any = None
    error: BaseException | None = None
    calls: list[tuple[str, Any]] = field(default_factory=list)

    def __getattr__(self, name: str) -> Callable[[Any], Any]:
        async def call(given: Any) -> Any:
            self.calls.append((name, given))
            if self.error:
                raise self.error
            return self.answer

        def read(given: Any) -> Any:
            self.calls.append((name, given))
            return self.answer

        return read if name.startswith(READS) else call


class Client:
    """A client with our interceptor."""

    def __init__(
        self,
        answer: Any = None,
        *,
        error: BaseException | None = None,
        config: TracingConfig | None = None,
        provider: TracerProvider | None = None,
    ) -> None:
        self.exporter = InMemorySpanExporter()
        self.provider = provider or TracerProvider(shutdown_on_exit=False)
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.server = Server(answer, error)
        interceptor = ClientInterceptor(config or TracingConfig(), Emitter(self.provider), "default")
        self.outbound = interceptor.intercept_client(self.server)  # type: ignore[arg-type] # it has every method

    def request(self) -> Any:
        """A web request that is a span."""
        tracer = TracerProvider.get_tracer(self.provider, "web")
        return tracer.start_as_current_span("POST /chat", record_exception=False, set_status_on_exception=False)

    @property
    def sent(self) -> Any:
        """The input of the last call, as it came to the server."""
        return self.server.calls[-1][1]

    def spans(self) -> list[Span]:
        """All spans, in the order they ended: the client's is before the request's."""
        return [from_sdk_span(span) for span in self.exporter.get_finished_spans()]


def header_in(fields: Mapping[str, Payload]) -> TraceHeader | None:
    """Our header among Temporal's."""
    return read_header(fields)


def traceparent(span: Span) -> str:
    """A span as W3C writes it."""
    return f"00-{span.trace_id:032x}-{span.span_id:016x}-01"
