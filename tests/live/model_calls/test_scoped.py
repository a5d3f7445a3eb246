"""A span around the user's code: no span processor can harm that."""

from __future__ import annotations

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider
from opentelemetry.trace import SpanKind

from tracing.live.model_calls.scoped import scoped_span


class Failing(SpanProcessor):
    def __init__(self, *, at: str) -> None:
        self.at = at

    def on_start(self, span: Span, parent_context: object = None) -> None:  # noqa: ARG002 - the SDK's signature
        if self.at == "start":
            raise OSError("no space left")

    def on_end(self, span: ReadableSpan) -> None:  # noqa: ARG002 - the SDK's signature
        if self.at == "end":
            raise OSError("no space left")


def provider_that_fails(at: str) -> TracerProvider:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(Failing(at=at))
    return provider


@pytest.mark.parametrize("at", ["start", "end"])
def test_the_code_runs_whatever_a_processor_raises(at: str, tracing_log: list[str]) -> None:
    with scoped_span(provider_that_fails(at), "chat gpt-4o", SpanKind.CLIENT, {}):
        ran = True
    assert ran
    assert tracing_log == [
        (
            f"Tracing failed in the {at} of a span; the run goes on untraced here. "
            "Further failures of this kind are not logged."
        )
    ]


@pytest.mark.parametrize("at", ["start", "end"])
@pytest.mark.usefixtures("tracing_log")
def test_its_own_error_passes_whatever_a_processor_raises(at: str) -> None:
    with (
        pytest.raises(ValueError, match="boom"),
        scoped_span(provider_that_fails(at), "chat gpt-4o", SpanKind.CLIENT, {}),
    ):
        raise ValueError("boom")


def test_it_is_the_current_span_inside_only() -> None:
    provider = TracerProvider(shutdown_on_exit=False)
    with scoped_span(provider, "chat gpt-4o", SpanKind.CLIENT, {}) as span:
        assert trace.get_current_span() is span
    assert not trace.get_current_span().get_span_context().is_valid
