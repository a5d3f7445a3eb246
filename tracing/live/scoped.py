"""How is a span put around code of the user's, so that no span processor can harm it?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.util.types import AttributeValue

from tracing import conventions as c
from tracing.live.failopen import fail_open
from tracing.version import VERSION


@contextmanager
def scoped_span(
    provider: trace.TracerProvider,
    name: str,
    kind: SpanKind,
    attributes: Mapping[str, AttributeValue],
    *,
    content: bool = False,
) -> Iterator[trace.Span]:
    """Run the code inside within a span, as the current one.

    Args:
        provider: Where the span goes.
        name: Its name.
        kind: Its kind.
        attributes: Its attributes.
        content: Whether the text of an exception is shown as status message. Its class is shown always.

    Raises:
        Whatever the code inside raises, and nothing else.
    """
    span: trace.Span = trace.INVALID_SPAN
    with fail_open("the start of a span"):
        span = provider.get_tracer(c.SCOPE_NAME, VERSION).start_span(name, kind=kind, attributes=attributes)
    # An exception's text is content, so the SDK's own recording of it is off.
    with trace.use_span(span, end_on_exit=False, record_exception=False, set_status_on_exception=False):
        try:
            yield span
        except BaseException as error:
            with fail_open("the error of a span"):
                span.set_attribute(c.ERROR_TYPE, type(error).__qualname__)
                span.set_status(Status(StatusCode.ERROR, str(error) if content else None))
            raise
        finally:
            with fail_open("the end of a span"):
                span.end()
