"""The address of a run's trace names the trace that its spans are in."""

from __future__ import annotations

from contextlib import nullcontext

import pytest
from opentelemetry.sdk.trace import TracerProvider

from tests.e2e.live import OFF, live
from tests.e2e.live_workflows import Echo
from tracing import trace_url

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("under_a_span", [False, True])
async def test_it_is_known_as_soon_as_the_run_has_started(
    *, under_a_span: bool, temporal_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LANGFUSE_PUBLIC_KEY", "LANGFUSE_SECRET_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PHOENIX_COLLECTOR_ENDPOINT", "http://127.0.0.1:6006")
    provider = TracerProvider(shutdown_on_exit=False)
    span = provider.get_tracer("web").start_as_current_span("POST /chat") if under_a_span else nullcontext()
    async with live(temporal_server, config=OFF, provider=provider) as running:
        with span:
            handle = await running.start(Echo.run, "Why?")
        address = trace_url(handle)
        await handle.result()
        trace = await running.traces.of(handle)
    run = trace.span("RunWorkflow:Echo")
    assert (run.parent_id is not None) == under_a_span
    assert address == f"http://127.0.0.1:6006/redirects/traces/{run.trace_id:032x}"
