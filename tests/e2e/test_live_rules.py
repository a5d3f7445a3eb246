"""Rules of the user's: what is left out, what is added, and that both readers and sending keep to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

from tests.e2e.live import OFF, live
from tests.e2e.live_workflows import Echo, Support
from tracing import TracingConfig, session
from tracing import conventions as c
from tracing.backends.registry import target_for
from tracing.history import History, read, to_spans
from tracing.tracefile.repair import repair
from tracing.tracefile.send import send

if TYPE_CHECKING:
    from collections.abc import Mapping

    from temporalio.client import WorkflowHandle

    from tests.e2e.conftest import RecordingBackend
    from tracing.spans.model import Span

pytestmark = pytest.mark.e2e


async def exported(handle: WorkflowHandle[Any, Any], config: TracingConfig = OFF) -> list[Span]:
    """The spans of a run from its history."""
    [history] = read((await handle.fetch_history(), str(handle.result_run_id)))
    assert isinstance(history, History)
    return to_spans(history, config)


def team(_name: str, attributes: Mapping[str, Any]) -> dict[str, Any]:
    """An attribute hook: a pure function of the span."""
    return {"team": f"support of {attributes[c.NAMESPACE]}"}


def names(spans: tuple[Span, ...] | list[Span]) -> list[str]:
    return sorted(span.name for span in spans)


async def test_an_excluded_activity_is_left_out_with_all_that_is_in_it_and_history_knows(temporal_server: str) -> None:
    async with live(temporal_server, config=TracingConfig(exclude_activities=("look_*", "too_slow"))) as running:
        handle = await running.start(Support.run, "Why?")
        await handle.result()
    trace = await running.traces.of(handle)
    expected = [
        "RunActivity:classify",
        "RunActivity:flaky",
        "RunActivity:flaky",
        "RunWorkflow:Support",
        "StartActivity:classify",
        "StartActivity:flaky",
        "Timer",
        "chat gpt-4o",
        "chat gpt-4o",
        "chat gpt-4o",
    ]
    assert names(trace.spans) == expected
    # Whoever exports it need not know the rule: the steps' headers tell.
    assert names(await exported(handle)) == expected


@pytest.mark.parametrize("why", ["excluded", "sampled out"])
async def test_what_is_not_traced_live_is_flagged_in_files_and_not_sent(
    temporal_server: str, recording_backend: RecordingBackend, why: str
) -> None:
    recording_backend.start()
    config = TracingConfig(exclude_workflows=("Ech?",)) if why == "excluded" else OFF
    provider = TracerProvider(shutdown_on_exit=False, sampler=ALWAYS_OFF) if why == "sampled out" else None
    async with live(temporal_server, config=config, provider=provider) as running:
        handle = await running.start(Echo.run, "Why?")
        assert await handle.result() == "Re: Why?"
    assert running.traces.spans == ()
    spans = await exported(handle)
    assert names(spans) == ["RunActivity:classify", "RunWorkflow:Echo", "StartActivity:classify", "chat gpt-4o"]
    assert spans[0].attributes[c.SAMPLED] is False
    assert spans[0].attributes[c.LLM_CALLS] == 1
    target = target_for(recording_backend.url, {})
    result = send(spans, target)
    assert (result.sent, result.sampled_out) == (0, 4)
    assert repair(spans, target).sent == 0
    assert recording_backend.requests == []


async def test_what_the_user_adds_is_on_every_span_of_both_readers(temporal_server: str) -> None:
    config = TracingConfig(add_attributes=team, temporal_ui="http://localhost:8233/")
    async with live(temporal_server, config=config) as running:
        with session(id="chat-17", environment="staging"):
            handle = await running.start(Echo.run, "Why?")
        await handle.result()
    trace = await running.traces.of(handle)
    address = f"http://localhost:8233/namespaces/default/workflows/{handle.id}/{handle.result_run_id}/history"
    for spans in (trace.spans, await exported(handle, config)):
        assert names(spans) == ["RunActivity:classify", "RunWorkflow:Echo", "StartActivity:classify", "chat gpt-4o"]
        for span in spans:
            assert span.attributes["team"] == "support of default"
            assert span.attributes[c.UI_URL] == address
            assert span.attributes[c.ENVIRONMENT] == "staging"
            assert span.attributes[c.SESSION_ID] == "chat-17"
