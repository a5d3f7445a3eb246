"""Where a user watches a run that they have just started."""

from __future__ import annotations

from typing import Any, cast

import pytest
from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext
from temporalio.client import Client, WorkflowHandle

from tracing import trace_url
from tracing.identity import run_trace_id
from tracing.live.client.addresses import remember_trace

RUN = "0199c0de-0000-7000-8000-000000000001"
OWN = "0884fd559f037feb254717f53be6bb10"


def handle(**given: Any) -> WorkflowHandle[Any, Any]:
    return WorkflowHandle(cast("Client", None), "research-1", **given)


@pytest.fixture(autouse=True)
def _phoenix(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LANGFUSE_PUBLIC_KEY", "LANGFUSE_SECRET_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PHOENIX_COLLECTOR_ENDPOINT", "http://127.0.0.1:6006")


def test_a_run_that_was_started_under_no_span_has_a_trace_of_its_own() -> None:
    assert f"{run_trace_id(RUN):032x}" == OWN
    address = f"http://127.0.0.1:6006/redirects/traces/{OWN}"
    started = handle(first_execution_run_id=RUN)
    remember_trace(started, trace.INVALID_SPAN)
    assert trace_url(started) == trace_url(handle(run_id=RUN)) == trace_url(RUN) == address


def test_a_run_that_was_started_under_a_span_is_in_that_ones_trace() -> None:
    started = handle(first_execution_run_id=RUN)
    remember_trace(started, NonRecordingSpan(SpanContext(0x11, 0x22, is_remote=False)))
    assert trace_url(started) == f"http://127.0.0.1:6006/redirects/traces/{0x11:032x}"


def test_without_a_run_there_is_no_address() -> None:
    assert trace_url(handle()) is None


def test_without_a_backend_there_is_no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PHOENIX_COLLECTOR_ENDPOINT")
    assert trace_url(RUN) is None


def test_what_is_no_handle_is_not_kept() -> None:
    remember_trace(object(), NonRecordingSpan(SpanContext(0x11, 0x22, is_remote=False)))
