"""Histories of real servers, encrypted and in external storage: with the means handed over, exported equals live."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import json
import uuid
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.client import Client, HeaderCodecBehavior
from temporalio.converter import (
    DataConverter,
    DefaultFailureConverterWithEncodedAttributes,
    ExternalStorage,
    StorageDriver,
    StorageDriverClaim,
    StorageDriverRetrieveContext,
    StorageDriverStoreContext,
)

from tests.agreement import needed_by
from tests.decoding.codecs import Turning
from tests.e2e import complete
from tests.e2e.live import OFF, ON, live
from tests.e2e.live_workflows import Support
from tests.e2e.test_complete import histories
from tracing import conventions as c
from tracing.cli import OK, run
from tracing.decoding import Decoder
from tracing.history import fetch, to_spans
from tracing.testing import capture
from tracing.tracefile.read import read_trace

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from temporalio.api.history.v1 import HistoryEvent

    from tracing.config import TracingConfig
    from tracing.spans.model import Span

pytestmark = pytest.mark.e2e

SHOWN = dataclasses.replace(ON, decode_payloads=True)
ENCRYPTED = dataclasses.replace(DataConverter.default, payload_codec=Turning())
FAILURES_TOO = dataclasses.replace(ENCRYPTED, failure_converter_class=DefaultFailureConverterWithEncodedAttributes)


@dataclass(frozen=True)
class Folder(StorageDriver):
    """Stores payloads as files."""

    path: Path

    def name(self) -> str:
        return "folder"

    async def store(self, _context: StorageDriverStoreContext, payloads: Sequence[Payload]) -> list[StorageDriverClaim]:
        return [
            StorageDriverClaim(claim_data={"file": self._written(payload.SerializeToString())}) for payload in payloads
        ]

    async def retrieve(
        self, _context: StorageDriverRetrieveContext, claims: Sequence[StorageDriverClaim]
    ) -> list[Payload]:
        return [Payload.FromString((self.path / claim.claim_data["file"]).read_bytes()) for claim in claims]

    def _written(self, data: bytes) -> str:
        name = hashlib.sha256(data).hexdigest()
        (self.path / name).write_bytes(data)
        return name


def stored_in(folder: Path, converter: DataConverter, *, threshold: int = 0) -> DataConverter:
    storage = ExternalStorage(drivers=[Folder(folder)], payload_size_threshold=threshold)
    return dataclasses.replace(converter, external_storage=storage)


def usage(spans: Sequence[Span]) -> Counter[str]:
    """Tokens by name of the call."""
    counted: Counter[str] = Counter()
    for span in spans:
        for key in (c.USAGE_INPUT, c.USAGE_OUTPUT):
            counted[f"{span.name} {key}"] += int(str(span.attributes.get(key, 0)))
    return counted


@pytest.mark.parametrize(
    ("means", "config"),
    [
        pytest.param("encrypted", SHOWN, id="encrypted, decoded"),
        pytest.param("stored", ON, id="stored, content on"),
        pytest.param("encrypted and stored", OFF, id="both, content off"),
        pytest.param("encrypted and stored", ON, id="both, content on"),
        pytest.param("encrypted and stored", SHOWN, id="both, decoded"),
    ],
)
async def test_exported_with_the_means_equals_live(
    temporal_server: str, tmp_path: Path, config: TracingConfig, means: str
) -> None:
    converter = DataConverter.default if means == "stored" else ENCRYPTED
    if means != "encrypted":
        converter = stored_in(tmp_path, converter)
    queue = f"decoding-{uuid.uuid4()}"
    with capture(config) as traces:
        client = await Client.connect(temporal_server, plugins=[traces.plugin], data_converter=converter)
        await complete.prepare(client)
        async with complete.worker(client, queue), complete.nexus_worker(client):
            handle = await complete.start(client, queue, queue)
            assert await complete.drive(client, handle) == ["the last page"]
        trace = await traces.of(str(handle.first_execution_run_id))
        found = await histories(client, queue, str(handle.first_execution_run_id))
    with Decoder(converter) as decoder:
        decoded = [decoder.decode(history) for history in found]
    assert [history.defects for history in decoded] == [()] * len(found)
    exported = [span for history in decoded for span in to_spans(history, config)]
    assert usage(exported) == usage(trace.spans)
    assert usage(exported)[f"chat gpt-4o {c.USAGE_INPUT}"] == 6 * 101
    # Where the readers differ otherwise than the reference says, this raises.
    assert needed_by(trace.spans, exported)
    without = [span for history in found for span in to_spans(history, config)]
    assert usage(without) == Counter()


@pytest.mark.parametrize("behavior", [HeaderCodecBehavior.NO_CODEC, HeaderCodecBehavior.CODEC])
async def test_headers_and_failures_that_are_encoded_too(
    temporal_server: str, tmp_path: Path, behavior: HeaderCodecBehavior
) -> None:
    converter = stored_in(tmp_path, FAILURES_TOO, threshold=300)
    options = {"data_converter": converter, "header_codec_behavior": behavior}
    async with live(temporal_server, config=SHOWN, client_options=options) as running:
        handle = await running.start(Support.run, "why?")
        await handle.result()
        trace = await running.traces.of(handle)
        history = await fetch(running.client, handle.id, handle.first_execution_run_id)
    with Decoder(converter) as decoder:
        exported = to_spans(decoder.decode(history), SHOWN)
    lived = {span.span_id for span in trace.spans}
    # The attempt that was too slow goes on after the run.
    assert needed_by(trace.spans, [span for span in exported if span.span_id in lived])
    assert usage(exported) == usage(trace.spans)
    assert "no luck with dogs" in {span.status_message for span in exported}


async def test_the_command_line_exports_what_a_codec_and_a_folder_hide(
    temporal_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "payloads").mkdir()
    converter = stored_in(tmp_path / "payloads", ENCRYPTED, threshold=300)
    async with live(temporal_server, config=SHOWN, client_options={"data_converter": converter}) as running:
        handle = await running.start(Support.run, "why?")
        await handle.result()
        trace = await running.traces.of(handle)
        raw = await handle.fetch_history()
    file = tmp_path / "run.json"
    file.write_text(json.dumps({**json.loads(raw.to_json()), "workflowId": handle.id}))
    assert "durable-trace" not in str([payload for event in raw.events for payload in results(event)])
    (tmp_path / "shop_storage.py").write_text(
        "from pathlib import Path\n"
        "from tests.e2e.test_decoding import Folder\n\n\n"
        "def folder() -> Folder:\n    return Folder(Path(__file__).parent / 'payloads')\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "SPAN_ONLY")
    monkeypatch.setenv("DURABLE_TRACE_DECODE_PAYLOADS", "on")
    options = ["--codec", "tests.decoding.codecs:Turning", "--external-storage", "shop_storage:folder", "-o", "traces"]
    assert await asyncio.to_thread(run, ["export", str(file), *options]) == OK
    [written] = (tmp_path / "traces").glob("*.otlp.jsonl")
    exported = list(read_trace(written))
    assert usage(exported) == usage(trace.spans)
    outputs = {span.span_id: span.attributes.get(c.OUTPUT_VALUE) for span in trace.spans}
    assert {span.span_id: span.attributes.get(c.OUTPUT_VALUE) for span in exported if span.span_id in outputs} == {
        span_id: output for span_id, output in outputs.items() if span_id in {span.span_id for span in exported}
    }
    assert str(exported[0].attributes[c.OUTPUT_VALUE]).startswith("Re: why?; ")


def results(event: HistoryEvent) -> Sequence[Payload]:
    return event.activity_task_completed_event_attributes.result.payloads
