"""What a client adds to Nexus operations that it starts itself: its span's ID in the request's headers."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from temporalio.client import CancelNexusOperationInput, StartNexusOperationInput

from tests.live.client.clients import Client, given, traceparent

HANDLE = SimpleNamespace(run_id="run-1")


def start() -> StartNexusOperationInput:
    return given(
        StartNexusOperationInput,
        id="ask-1",
        endpoint="library",
        service="Library",
        operation="ask",
        headers={"other": "x"},
    )


async def test_without_an_active_span_nothing_is_added() -> None:
    client = Client(HANDLE)
    assert await client.outbound.start_nexus_operation(start()) is HANDLE
    assert client.sent.headers == {"other": "x"}
    assert client.spans() == []


async def test_under_an_active_span_the_handler_is_told_of_ours() -> None:
    client = Client(HANDLE)
    with client.request():
        await client.outbound.start_nexus_operation(start())
    ours, request = client.spans()
    assert (ours.name, ours.parent_id) == ("StartNexusOperation:Library/ask", request.span_id)
    assert ours.attributes == {
        "temporal.nexus.endpoint": "library",
        "temporal.nexus.service": "Library",
        "temporal.nexus.operation": "ask",
        "temporal.nexus.operation_id": "ask-1",
        "temporal.nexus.run_id": "run-1",
        "temporal.namespace": "default",
        "openinference.span.kind": "CHAIN",
    }
    assert client.sent.headers == {"other": "x", "durable-trace": traceparent(ours)}


async def test_an_error_passes() -> None:
    client = Client(error=RuntimeError("boom"))
    with pytest.raises(RuntimeError, match="boom"), client.request():
        await client.outbound.cancel_nexus_operation(given(CancelNexusOperationInput, operation_id="ask-1"))
    ours, _ = client.spans()
    assert (ours.name, ours.attributes["error.type"]) == ("CancelNexusOperation", "RuntimeError")
