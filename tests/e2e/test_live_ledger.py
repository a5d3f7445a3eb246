"""The ledger in real histories: encrypted with its payload, read over by clients that know nothing of it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from temporalio.api.common.v1 import Payload
from temporalio.client import Client, HeaderCodecBehavior, WorkflowFailureError
from temporalio.converter import DataConverter
from temporalio.exceptions import ActivityError, ApplicationError

from tests.decoding.codecs import Turning
from tests.e2e.activity_worker import running
from tests.e2e.live import OFF, live, written
from tests.e2e.live_workflows import Echo, Failing, Large, Support
from tracing import session
from tracing.failures import failure_from_proto
from tracing.ledger import Ledger, read_ledger
from tracing.spans.inner import ledger_usage
from tracing.usage import Usage

if TYPE_CHECKING:
    from temporalio.client import WorkflowHandle

pytestmark = pytest.mark.e2e

MIB = 1 << 20


ENCRYPTED = dataclasses.replace(DataConverter.default, payload_codec=Turning())


async def results(handle: WorkflowHandle[Any, Any]) -> list[Payload]:
    """The results of a run's activities, as the server has them."""
    history = await handle.fetch_history()
    return [
        event.activity_task_completed_event_attributes.result.payloads[0]
        for event in history.events
        if event.HasField("activity_task_completed_event_attributes")
    ]


def ledger_in(payload: Payload, handle: WorkflowHandle[Any, Any], activity_id: str = "1") -> Ledger | None:
    return read_ledger(
        payload.metadata.get("durable-trace"), run_id=handle.first_execution_run_id or "", activity_id=activity_id
    )


async def test_it_is_beside_each_result(temporal_server: str) -> None:
    async with live(temporal_server, config=OFF) as running:
        handle = await running.start(Support.run, "Why?")
        await handle.result()
    ledgers = [ledger_in(payload, handle, str(n)) for n, payload in enumerate(await results(handle), 1)]
    assert [
        ledger and (ledger.attempt, ledger.identity, [span.name for span in ledger.spans]) for ledger in ledgers
    ] == [
        (1, "worker-1", ["chat gpt-4o"]),
        (1, "worker-1", ["execute_tool search", "invoke_agent archivist"]),
        (2, "worker-1", ["chat gpt-4o"]),
    ]


async def test_a_local_activitys_is_in_its_marker(temporal_server: str) -> None:
    async with running(temporal_server) as worker:
        handle = await worker.start("answers", local=True)
        await handle.result()
    [marker] = [
        event.marker_recorded_event_attributes
        for event in (await handle.fetch_history()).events
        if event.HasField("marker_recorded_event_attributes")
    ]
    ledger = ledger_in(marker.details["result"].payloads[0], handle)
    assert ledger is not None
    assert (ledger.identity, ledger.build, [span.name for span in ledger.spans]) == (
        "worker-1",
        "build-7",
        ["chat gpt-4o"],
    )
    # The marker has it only about: the worker is told another time than the one that its core keeps.
    assert 0 < ledger.scheduled <= ledger.started


async def test_a_codec_encrypts_it(temporal_server: str) -> None:
    async with live(temporal_server, client_options={"data_converter": ENCRYPTED}) as running:
        handle = await running.start(Echo.run, "secret")
        assert await handle.result() == "Re: secret"
        trace = await running.traces.of(handle)
    [stored] = await results(handle)
    assert dict(stored.metadata) == {"encoding": b"binary/encrypted"}
    [inside] = await Turning().decode([stored])
    assert ledger_usage(ledger_in(inside, handle)).input_tokens == 101
    # The worker reads decoded payloads, but what history keeps encrypted, messages of the ledger too, does not leave.
    assert (
        written(trace.spans, "input.value", "output.value", "durable.llm.calls")
        == """
RunWorkflow:Echo SERVER
  durable.llm.calls: 1
  input.value: '<encoded>'
  output.value: '<encoded>'
  StartActivity:classify CLIENT
    durable.llm.calls: 1
    input.value: '<encoded>'
    output.value: '<encoded>'
    RunActivity:classify SERVER
      durable.llm.calls: 1
      chat gpt-4o CLIENT
"""
    )
    without_plugin = await Client.connect(temporal_server, data_converter=ENCRYPTED)
    assert await without_plugin.get_workflow_handle(handle.id).result() == "Re: secret"


async def test_headers_may_be_encrypted_as_well(temporal_server: str) -> None:
    options = {"data_converter": ENCRYPTED, "header_codec_behavior": HeaderCodecBehavior.CODEC}
    async with live(temporal_server, client_options=options) as running:
        with session(id="chat-17"):
            handle = await running.start(Echo.run, "secret")
        await handle.result()
        trace = await running.traces.of(handle)
    history = await handle.fetch_history()
    started = history.events[0].workflow_execution_started_event_attributes
    assert dict(started.header.fields["durable-trace"].metadata) == {"encoding": b"binary/encrypted"}
    assert [(span.name, span.attributes["session.id"]) for span in trace.spans] == [
        ("RunWorkflow:Echo", "chat-17"),
        ("StartActivity:classify", "chat-17"),
        ("RunActivity:classify", "chat-17"),
        ("chat gpt-4o", "chat-17"),
    ]
    assert str(trace).count("(parent") == 0


@pytest.mark.parametrize("converter", [DataConverter.default, ENCRYPTED], ids=["plain", "encrypted"])
async def test_a_client_without_the_plugin_reads_a_failure_as_ever(
    temporal_server: str, converter: DataConverter
) -> None:
    async with live(temporal_server, client_options={"data_converter": converter}) as running:
        handle = await running.start(Failing.run)
        with pytest.raises(WorkflowFailureError):
            await handle.result()
    without_plugin = await Client.connect(temporal_server, data_converter=converter)
    with pytest.raises(WorkflowFailureError) as raised:
        await without_plugin.get_workflow_handle(handle.id).result()
    error = raised.value.cause
    assert isinstance(error, ActivityError)
    cause = error.cause
    assert isinstance(cause, ApplicationError)
    assert (cause.type, cause.message) == ("Unlucky", "no luck with cats")
    assert cause.failure
    assert "in flaky" in cause.failure.stack_trace
    assert 'raise ApplicationError(f"no luck with {topic}", type="Unlucky")' in cause.failure.stack_trace


async def test_a_failed_attempts_usage_is_in_its_failure(temporal_server: str) -> None:
    async with live(temporal_server, config=OFF) as running:
        handle = await running.start(Failing.run)
        with pytest.raises(WorkflowFailureError):
            await handle.result()
    history = await handle.fetch_history()
    [failed] = [
        event.activity_task_failed_event_attributes.failure
        for event in history.events
        if event.HasField("activity_task_failed_event_attributes")
    ]
    data = failure_from_proto(failed).root.ledger
    ledger = read_ledger(data, run_id=handle.first_execution_run_id or "", activity_id="1", attempt=1)
    assert ledger_usage(ledger).calls == 1


async def test_a_retried_attempts_usage_comes_back_with_the_next(temporal_server: str) -> None:
    async with live(temporal_server, config=OFF) as running:
        handle = await running.start(Support.run, "Why?")
        await handle.result()
    history = await handle.fetch_history()
    last_failures = [
        event.activity_task_started_event_attributes.last_failure
        for event in history.events
        if event.HasField("activity_task_started_event_attributes")
        and event.activity_task_started_event_attributes.HasField("last_failure")
    ]
    [data] = [failure_from_proto(failure).root.ledger for failure in last_failures]
    ledger = read_ledger(data, run_id=handle.first_execution_run_id or "", activity_id="3", attempt=1)
    assert ledger_usage(ledger).calls == 1


@pytest.mark.parametrize(
    ("size", "kept"),
    [(2 * MIB - 8_192, True), (2 * MIB - 1_024, False)],
    ids=["room for a ledger", "no room"],
)
async def test_a_result_near_the_servers_limit_goes_before_the_ledger(
    temporal_server: str, size: int, *, kept: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async with live(temporal_server, config=OFF) as running:
        handle = await running.start(Large.run, size)
        assert await handle.result() == size
        trace = await running.traces.of(handle)
    [stored] = await results(handle)
    assert (ledger_in(stored, handle) is not None) is kept
    assert ("durable.ledger.cut" in trace.span("RunActivity:large").attributes) is not kept
    said = [record.getMessage() for record in caplog.records if record.name == "durable_trace"]
    assert said == (
        [] if kept else ["The ledger of activity 1 (attempt 1) was left out: its result would have grown beyond 2 MiB"]
    )


async def test_an_unsampled_run_exports_nothing_but_its_usage_is_in_the_history(temporal_server: str) -> None:
    provider = TracerProvider(sampler=ALWAYS_OFF, shutdown_on_exit=False)
    async with live(temporal_server, provider=provider) as running:
        handle = await running.start(Echo.run, "Why?")
        await handle.result()
    assert running.traces.spans == ()
    [stored] = await results(handle)
    usage = ledger_usage(ledger_in(stored, handle))
    assert dataclasses.replace(usage, cost=Usage().cost) == Usage(
        calls=1, input_tokens=101, output_tokens=53, cached_tokens=13, reasoning_tokens=7
    )


async def test_it_can_be_turned_off(temporal_server: str) -> None:
    async with live(temporal_server, config=dataclasses.replace(OFF, ledger=False)) as running:
        handle = await running.start(Echo.run, "Why?")
        await handle.result()
    [stored] = await results(handle)
    assert dict(stored.metadata) == {"encoding": b"json/plain"}
