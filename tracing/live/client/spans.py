"""When does a client's call get a span, and what does every such span carry?

Only under an active span: a child of it, of kind CLIENT. Without one there is none: the client's few ms above a run
would hide the run's real duration, input and output, which backends take from the root; and a trace of one cancellation
tells nobody anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from opentelemetry import trace

from tracing import conventions as c
from tracing.config import TracingConfig
from tracing.live.client.session import current_session
from tracing.live.delivery.emitter import Emitter
from tracing.live.failopen import fail_open
from tracing.live.model_calls.scoped import scoped_span
from tracing.runs import Attributes


@dataclass(frozen=True, slots=True)
class ClientSpan:
    """The span around a call, where there is one.

    Attributes:
        span: The span; None where the call has none.
        outer_span_id: Span ID of its parent.
    """

    span: trace.Span | None = None
    outer_span_id: int = 0

    def add(self, answer: object, fields: Mapping[str, str]) -> None:
        """Add what the server's answer says.

        Args:
            answer: The handle that the call gave; another interceptor may have put something else in its place.
            fields: By attribute key, the handle's field that holds it.
        """
        if self.span is None:
            return
        with fail_open("the answer to a client"):
            values = {key: getattr(answer, name, None) for key, name in fields.items()}
            self.span.set_attributes({key: value for key, value in values.items() if value})


@dataclass(frozen=True, slots=True)
class ClientSpans:
    """Makes the spans of a client.

    Attributes:
        config: Settings.
        emitter: Knows the tracer provider.
        namespace: The client's namespace.
    """

    config: TracingConfig
    emitter: Emitter
    namespace: str

    @contextmanager
    def around(self, name: str, attributes: Attributes, *, traced: bool = True) -> Iterator[ClientSpan]:
        """Make the call inside, under an active span within a span of its own.

        Args:
            name: Its name.
            attributes: What it is about. Absent facts are "".
            traced: False for what the user's settings exclude.

        Raises:
            Whatever the code inside raises, and nothing else.
        """
        outer = trace.get_current_span().get_span_context()
        if not outer.is_valid or not traced:
            yield ClientSpan()
            return
        config = self.config
        with scoped_span(
            self.emitter.provider,
            name,
            trace.SpanKind.CLIENT,
            self._attributes(attributes),
            content=config.capture_content,
            text=lambda text: config.content(c.EXCEPTION_MESSAGE, text),
        ) as span:
            # A span that could not be started is invalid: nobody must go on below it.
            yield ClientSpan(span, outer.span_id) if span.get_span_context().is_valid else ClientSpan()

    def _attributes(self, attributes: Attributes) -> Attributes:
        known = {key: value for key, value in attributes.items() if value}
        return {
            c.NAMESPACE: self.namespace,
            c.OPENINFERENCE_KIND: "CHAIN",
            **known,
            **current_session().attributes(),
        }
