"""How is a span put around code of the user's, so that no span processor can harm it?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.util.types import AttributeValue

from tracing import conventions as c
from tracing.live.failopen import fail_open
from tracing.live.model_calls.fields import http_status
from tracing.version import VERSION


@contextmanager
def scoped_span(
    provider: trace.TracerProvider,
    name: str,
    kind: SpanKind,
    attributes: Mapping[str, AttributeValue],
    *,
    content: bool = False,
    text: Callable[[str], str] = str,
) -> Iterator[trace.Span]:
    """Run the code inside within a span, as the current one.

    Args:
        provider: Where the span goes.
        name: Its name.
        kind: Its kind.
        attributes: Its attributes.
        content: Whether the text of an exception is shown as status message. Its class is shown always.
        text: What makes of that text what may be shown; a span inside an attempt is redacted when it ends.

    Raises:
        Whatever the code inside raises, and nothing else.
    """
    with (
        started_span(provider, name, kind, attributes, content=content, text=text) as span,
        # An exception's text is content, so the SDK's own recording of it is off.
        trace.use_span(span, end_on_exit=False, record_exception=False, set_status_on_exception=False),
    ):
        yield span


@contextmanager
def started_span(
    provider: trace.TracerProvider,
    name: str,
    kind: SpanKind,
    attributes: Mapping[str, AttributeValue],
    *,
    content: bool = False,
    text: Callable[[str], str] = str,
) -> Iterator[trace.Span]:
    """A span that lasts as long as the code inside, as `scoped_span`, but is not the current one there."""
    span: trace.Span = trace.INVALID_SPAN
    with fail_open("the start of a span"):
        span = provider.get_tracer(c.SCOPE_NAME, VERSION).start_span(name, kind=kind, attributes=attributes)
    try:
        yield span
    except GeneratorExit:
        raise  # whoever read a generator has seen enough: no error
    except BaseException as error:
        with fail_open("the error of a span"):
            span.set_attribute(c.ERROR_TYPE, type(error).__qualname__)
            status = http_status(error) if kind is SpanKind.CLIENT else None
            if status is not None:
                span.set_attribute(c.HTTP_STATUS, status)
            span.set_status(Status(StatusCode.ERROR, text(str(error)) if content else None))
        raise
    finally:
        with fail_open("the end of a span"):
            span.end()
