"""What a codec encrypts in the history stays in the process: live spans show what exported ones can show."""

from __future__ import annotations

import dataclasses
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from temporalio.client import Client, WorkflowFailureError
from temporalio.converter import DataConverter, DefaultFailureConverterWithEncodedAttributes
from temporalio.worker import Worker

from tests.decoding.codecs import Turning
from tests.e2e import complete
from tests.e2e.live import ON, live
from tests.e2e.live_workflows import Failing, flaky
from tracing import conventions as c
from tracing.history import History, read, to_spans
from tracing.testing import capture

if TYPE_CHECKING:
    from collections.abc import Iterable

    from temporalio.client import WorkflowHandle

    from tracing.spans.model import Span

pytestmark = pytest.mark.e2e


ENCRYPTED = dataclasses.replace(DataConverter.default, payload_codec=Turning())
ENCRYPTED_FAILURES = dataclasses.replace(
    ENCRYPTED, failure_converter_class=DefaultFailureConverterWithEncodedAttributes
)


def contents(spans: Iterable[Span]) -> dict[tuple[str, int], Any]:
    """All content of spans: inputs, outputs, summaries, what is said of errors."""
    return {
        (span.name, span.span_id): (
            {key: value for key, value in span.attributes.items() if c.is_content(key) or key.endswith("mime_type")},
            span.status_message,
            [event.attributes for event in span.events if event.name == "exception"],
        )
        for span in spans
    }


async def exported(handle: WorkflowHandle[Any, Any], run_id: str) -> list[Span]:
    """The run's spans from its history, without a codec."""
    [history] = read((await handle.fetch_history(), run_id))
    assert isinstance(history, History)
    return to_spans(history, ON)


async def test_both_readers_show_the_same_of_all_that_a_workflow_can_ask_for(temporal_server: str) -> None:
    queue = f"encrypted-{uuid.uuid4()}"
    with capture(ON) as traces:
        client = await Client.connect(temporal_server, plugins=[traces.plugin], data_converter=ENCRYPTED)
        await complete.prepare(client)
        async with complete.worker(client, queue), complete.nexus_worker(client):
            handle = await complete.start(client, queue, queue)
            assert await complete.drive(client, handle) == ["the last page"]
        run_id = str(handle.first_execution_run_id)
        trace = await traces.of(run_id)
    from_history = contents(await exported(client.get_workflow_handle(queue, run_id=run_id), run_id))
    lived = contents(trace.spans)
    assert len(from_history) > 20
    assert {key: lived[key] for key in from_history if key in lived} == from_history
    shown = {str(attributes.get("input.value")) for attributes, _, _ in lived.values()}
    assert shown <= {"<encoded>", '["<encoded>","<encoded>"]', "null", "None"}
    assert "<encoded>" in {attributes.get("temporal.summary") for attributes, _, _ in from_history.values()}


@pytest.mark.parametrize(
    ("converter", "message"),
    [(ENCRYPTED, "no luck with cats"), (ENCRYPTED_FAILURES, "Encoded failure")],
    ids=["failures in clear", "failures encoded"],
)
async def test_failures_say_what_history_says(temporal_server: str, converter: DataConverter, message: str) -> None:
    async with live(temporal_server, client_options={"data_converter": converter}) as running:
        handle = await running.start(Failing.run)
        with pytest.raises(WorkflowFailureError):
            await handle.result()
        trace = await running.traces.of(handle)
    from_history = contents(await exported(handle, str(handle.first_execution_run_id)))
    lived = contents(trace.spans)
    assert {key: lived[key] for key in from_history} == from_history
    said = {name: text for (name, _), (_, text, _) in lived.items()}
    assert said["StartActivity:flaky"] == said["RunActivity:flaky"] == said["RunWorkflow:Failing"] == message


async def test_a_plugin_on_the_worker_alone_keeps_to_it(temporal_server: str) -> None:
    with capture(ON) as traces:
        client = await Client.connect(temporal_server, data_converter=ENCRYPTED_FAILURES)
        queue = f"alone-{uuid.uuid4()}"
        async with Worker(client, task_queue=queue, workflows=[Failing], activities=[flaky], plugins=[traces.plugin]):
            handle = await client.start_workflow(Failing.run, id=queue, task_queue=queue)
            with pytest.raises(WorkflowFailureError):
                await handle.result()
        trace = await traces.of(handle)
    assert {text for _, text, _ in contents(trace.spans).values() if text} == {"Encoded failure"}


async def test_the_worker_says_so_once(temporal_server: str, caplog: pytest.LogCaptureFixture) -> None:
    async with live(temporal_server, client_options={"data_converter": ENCRYPTED}):
        pass
    [message] = [record.getMessage() for record in caplog.records if record.name == "durable_trace"]
    assert message == (
        "Content is on, and the client has a payload codec: inputs and outputs are shown as <encoded>, and messages of "
        "models not at all. DURABLE_TRACE_DECODE_PAYLOADS=on shows them, decrypted."
    )
