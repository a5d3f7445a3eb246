"""What leaves the process? An agent with a secret wherever a run can hold text, and every byte that it leaves behind.

Each place holds a text of its own, `canary-PLACE`, so that what is found says where it came from.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import re
import subprocess
import sys
import uuid
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
import requests
from google.protobuf.message import Message
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from temporalio.api.common.v1 import Header, Payload
from temporalio.client import Client

from agent.servers.collector import start_collector
from agent.servers.endpoints import free_port
from tests.e2e.conftest import RecordingBackend, hermetic
from tests.e2e.secret_worker import LOG, METRICS, SPOOL
from tests.e2e.secret_workflows import CARD, KEY, MAIL, SHAPED, TOKEN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from temporalio.client import WorkflowHistory

pytestmark = pytest.mark.e2e

ROOT: Final = Path(__file__).parents[2]
NEVER: Final = "100000000"
"""Milliseconds until the exporter sends by itself."""

ENVIRONMENT: Final = {
    "OPENAI_API_KEY": "sk-canary-openai-key",
    "OTEL_EXPORTER_OTLP_HEADERS": "x-api-key=canary-otlp-headers",
    "LANGFUSE_SECRET_KEY": "sk-lf-canary-langfuse-key",
    "AWS_SECRET_ACCESS_KEY": "canary-aws-key",
}
"""Secrets in the environment of the worker and of the commands."""

CONTENT: Final = {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY"}
REDACTED: Final = {"DURABLE_TRACE_REDACT": "keys,tokens,email,cards"}
DECODED: Final = {"DURABLE_TRACE_DECODE_PAYLOADS": "true"}

CALLS: Final = {"answer", "openai-instructions", "openai-prompt", "prompt", "tool-arguments", "tool-result"}
"""What model calls and tools are given and give. Our ledger holds it, too."""

PAYLOADS: Final = {
    "activity-input",
    "activity-result",
    "child-input",
    "child-result",
    "child-signal",
    "local-result",
    "scribe-input",
    "signal",
    "summary",
    "timer-summary",
    "unlucky-input",
    "update-input",
    "update-result",
    "workflow-input",
    "workflow-result",
}
"""What is a payload in the history: a codec encodes it."""

PASSING_PAYLOADS: Final = {"question", "query-result", "refused-update"}
"""Payloads that leave no event: of queries and of updates that were refused."""

FAILURES: Final = {"attempt-message", "attempt-stack", "workflow-message", "workflow-stack"}
"""Texts of exceptions. Temporal itself keeps them readable in the history, unless it is told to encode them."""

PASSING_FAILURES: Final = {"refusal"}
"""That of a refused update leaves no event."""

FOREIGN: Final = {"foreign-name", "foreign-url"}
"""Name and attribute of a span of somebody else's instrumentation."""

NOT_OURS: Final = {
    "attempt-details",
    "attribute",
    "child-memo",
    "header",
    "heartbeat",
    "local-input",
    "memo",
    "static-details",
    "static-summary",
    "upserted-attribute",
    "upserted-memo",
    "workflow-details",
}
"""What Temporal has or had, and no span shows."""


@dataclass
class Left:
    """What one run of the agent has left behind, by the place where somebody could read it.

    Attributes:
        folder: Where the trace files are.
        sinks: Bytes by their place.
    """

    folder: Path
    sinks: dict[str, list[bytes]] = field(default_factory=dict)

    def found(self, *sinks: str) -> set[str]:
        """The secrets in some places."""
        return {secret for sink in sinks for data in self.sinks[sink] for secret in found(data)}


def found(data: bytes, depth: int = 4) -> set[str]:
    """The canaries in bytes and what else is secret, also where these are packed or encoded in each other."""
    secrets = {match.decode() for match in re.findall(rb"canary-([a-z]+(?:-[a-z]+)*)", data)}
    secrets |= {name for name, text in SHAPED.items() if text.encode() in data}
    return secrets.union(*(found(inner, depth - 1) for inner in _inside(data))) if depth else secrets


def _inside(data: bytes) -> Iterator[bytes]:
    with contextlib.suppress(zlib.error):
        yield zlib.decompressobj(wbits=47).decompress(data)
    for run in re.findall(rb"[A-Za-z0-9+/_-]{12,}", data):
        standard = run.translate(bytes.maketrans(b"-_", b"+/"))
        for begin in range(4):
            part = standard[begin:]
            try:
                yield base64.b64decode(part[: len(part) // 4 * 4])
            except binascii.Error:
                continue


def fields(message: Message) -> Iterator[bytes]:
    """Every string and bytes field of a message and of the messages in it."""
    for descriptor, value in message.ListFields():
        for each in _values(descriptor, value):
            if isinstance(each, Message):
                yield from fields(each)
            elif isinstance(each, (str, bytes)):
                yield each.encode() if isinstance(each, str) else each


def messages(message: Message, kind: type[Message]) -> Iterator[Any]:
    """Every message of a kind inside a message."""
    if isinstance(message, kind):
        yield message
    for descriptor, value in message.ListFields():
        for each in _values(descriptor, value):
            if isinstance(each, Message):
                yield from messages(each, kind)


def _values(descriptor: Any, value: Any) -> Iterable[Any]:
    if descriptor.message_type is not None and descriptor.message_type.GetOptions().map_entry:
        return [*value.keys(), *value.values()]
    return value if descriptor.is_repeated else [value]


def test_the_search_finds_what_is_encoded_and_packed() -> None:
    inner = base64.urlsafe_b64encode(zlib.compress(b'{"a":"canary-inside"}'))
    payload = Payload(metadata={"canary-key": b"canary-value"}, data=b"id:" + inner)
    [data] = [part for part in fields(payload) if part.startswith(b"id:")]
    assert {secret for part in fields(payload) for secret in found(part)} == {"key", "value", "inside"}
    assert found(base64.b64encode(data)) == {"inside"}
    assert found(f"{KEY} {TOKEN} {MAIL} {CARD}".encode()) == {"key", "token", "mail", "card"}


def environment(address: str, endpoint: str, folder: Path, **settings: str) -> dict[str, str]:
    """What the worker and the commands are set up with."""
    return hermetic(
        **ENVIRONMENT,
        TEMPORAL_ADDRESS=address,
        PYTHONPATH=str(ROOT),
        OTEL_EXPORTER_OTLP_ENDPOINT=endpoint,
        OTEL_BSP_SCHEDULE_DELAY=NEVER,
        DURABLE_TRACE_SPOOL=str(folder / "live-spool"),
        **settings,
    )


def run_agent(address: str, workflow_id: str, folder: Path, *options: str, environ: Mapping[str, str]) -> None:
    """Run the agent in a process of its own."""
    arguments = ["-m", "tests.e2e.secret_worker", address, workflow_id, str(folder), *options]
    assert subprocess.run([sys.executable, *arguments], env=environ, cwd=folder, check=False).returncode == 0


def leave(address: str, folder: Path, *options: str, **settings: str) -> Left:
    """Run the agent and the commands with these settings, and gather all that they left."""
    backend = RecordingBackend()
    backend.start()
    endpoint = f"http://ada:canary-endpoint@127.0.0.1:{backend.port}"
    environ = environment(address, endpoint, folder, **settings)
    workflow_id = f"secretive-{uuid.uuid4()}"
    run_agent(address, workflow_id, folder, *options, environ=environ)
    left = Left(folder / "traces")
    left.sinks["OTLP"] = [part for request in backend.requests for part in (request.body, *_otlp(request.body))]
    left.sinks["Collector"] = [_collected(folder / "collector", [request.body for request in backend.requests])]
    left.sinks["spool"] = [path.read_bytes() for path in (folder / SPOOL).rglob("*") if path.is_file()]
    left.sinks["log"] = [(folder / LOG).read_bytes()]
    left.sinks["metrics"] = [(folder / METRICS).read_bytes()]

    histories = asyncio.run(_histories(address, workflow_id))
    payloads = [each for history in histories for event in history.events for each in messages(event, Payload)]
    headers = [each for history in histories for event in history.events for each in messages(event, Header)]
    left.sinks["history"] = [event.SerializeToString() for history in histories for event in history.events]
    left.sinks["ledgers"] = [each.metadata["durable-trace"] for each in payloads if "durable-trace" in each.metadata]
    left.sinks["headers"] = [
        part for each in headers if "durable-trace" in each.fields for part in fields(each.fields["durable-trace"])
    ]

    backend.requests.clear()
    left.sinks["commands"] = [_commands(workflow_id, environ, endpoint, folder)]
    left.sinks["sent"] = [part for request in backend.requests for part in (request.body, *_otlp(request.body))]
    left.sinks["trace files"] = [path.read_bytes() for path in left.folder.iterdir()]
    left.sinks["report"] = [(folder / "report.html").read_bytes()]
    backend.stop()
    # What is empty shows nothing: a log without a warning may be, and ledgers that are encoded.
    assert {sink for sink, parts in left.sinks.items() if not any(parts)} <= {"log", "ledgers"}
    return left


def _otlp(body: bytes) -> list[bytes]:
    return list(fields(ExportTraceServiceRequest.FromString(body)))


def _collected(folder: Path, bodies: list[bytes]) -> bytes:
    """What the Collector writes of what the exporter posted."""
    with start_collector(folder, environ=hermetic()) as collector:
        for body in bodies:
            answer = requests.post(
                f"{collector.otlp_http}/v1/traces",
                data=body,
                headers={"content-type": "application/x-protobuf"},
                timeout=30,
            )
            answer.raise_for_status()
        collector.stop()
        return collector.traces_file.read_bytes()


async def _histories(address: str, workflow_id: str) -> list[WorkflowHistory]:
    client = await Client.connect(address)
    return [await client.get_workflow_handle(each).fetch_history() for each in _runs(workflow_id)]


def _runs(workflow_id: str) -> list[str]:
    return [workflow_id, f"{workflow_id}-child", f"{workflow_id}-scribe"]


def _commands(workflow_id: str, environ: Mapping[str, str], endpoint: str, folder: Path) -> bytes:
    """What the commands print."""
    said = b""
    for run in _runs(workflow_id):
        said += command("export", "--workflow-id", run, "-o", "traces", "--to", endpoint, cwd=folder, environ=environ)
    said += command("cost", "traces", cwd=folder, environ=environ)
    said += command("cost", "traces", "--json", cwd=folder, environ=environ)
    said += command("report", "traces", "-o", "report.html", cwd=folder, environ=environ)
    return said


def command(*arguments: str, cwd: Path, environ: Mapping[str, str], status: int = 0) -> bytes:
    """Standard output and standard error of a command."""
    done = subprocess.run(
        [sys.executable, "-m", "tracing.cli", *arguments], env=environ, cwd=cwd, capture_output=True, check=False
    )
    assert done.returncode == status, done.stderr.decode()
    return done.stdout + done.stderr


LIVE: Final = ["OTLP", "Collector", "spool"]
FROM_HISTORY: Final = ["sent", "trace files", "report"]
WITHOUT_CONTENT: Final = ["headers", "commands", "log", "metrics"]
"""What never holds content."""


@pytest.fixture(scope="module")
def by_default(temporal_server: str, tmp_path_factory: pytest.TempPathFactory) -> Left:
    return leave(temporal_server, tmp_path_factory.mktemp("by-default"))


@pytest.fixture(scope="module")
def with_content(temporal_server: str, tmp_path_factory: pytest.TempPathFactory) -> Left:
    return leave(temporal_server, tmp_path_factory.mktemp("with-content"), "--named", **CONTENT)


@pytest.fixture(scope="module")
def with_codec(temporal_server: str, tmp_path_factory: pytest.TempPathFactory) -> Left:
    return leave(temporal_server, tmp_path_factory.mktemp("with-a-codec"), "--encrypt", **CONTENT)


@pytest.fixture(scope="module")
def decoded(temporal_server: str, tmp_path_factory: pytest.TempPathFactory) -> Left:
    return leave(temporal_server, tmp_path_factory.mktemp("decoded"), "--encrypt", **CONTENT, **DECODED)


@pytest.fixture(scope="module")
def redacted(temporal_server: str, tmp_path_factory: pytest.TempPathFactory) -> Left:
    return leave(temporal_server, tmp_path_factory.mktemp("redacted"), "--named", **CONTENT, **REDACTED)


class TestByDefault:
    @pytest.mark.parametrize("sink", [*LIVE, *FROM_HISTORY, *WITHOUT_CONTENT, "ledgers"])
    def test_no_secret_leaves(self, by_default: Left, sink: str) -> None:
        assert by_default.found(sink) == set()

    def test_what_is_planted_is_there_to_be_found(self, by_default: Left) -> None:
        assert by_default.found("history") == PAYLOADS | FAILURES | (NOT_OURS - {"local-input"}) | set(SHAPED)


class TestWithContent:
    """The positive control: what the tests with content off do not find would be found."""

    @pytest.mark.parametrize("sink", LIVE)
    def test_live_spans_show_all_of_it(self, with_content: Left, sink: str) -> None:
        content = CALLS | PAYLOADS | PASSING_PAYLOADS | FAILURES | PASSING_FAILURES
        assert with_content.found(sink) == content | FOREIGN | set(SHAPED)

    @pytest.mark.parametrize("sink", FROM_HISTORY)
    def test_exported_spans_show_what_history_holds(self, with_content: Left, sink: str) -> None:
        assert with_content.found(sink) == CALLS | PAYLOADS | FAILURES | {"foreign-name"} | set(SHAPED)

    def test_the_ledger_holds_what_spans_inside_attempts_show_but_no_address(self, with_content: Left) -> None:
        failed = {"attempt-message", "attempt-stack"}
        assert with_content.found("ledgers") == CALLS | failed | {"foreign-name"} | set(SHAPED)

    @pytest.mark.parametrize("sink", WITHOUT_CONTENT)
    def test_what_holds_no_content_holds_none(self, with_content: Left, sink: str) -> None:
        assert with_content.found(sink) == set()


class TestWithAPayloadCodec:
    """Content is on; what the codec encodes in the history does not leave decoded, nor what quotes it."""

    @pytest.mark.parametrize("sink", LIVE)
    def test_live_spans_show_no_payload_and_no_prompt(self, with_codec: Left, sink: str) -> None:
        # Texts of failures are readable in the history, too.
        assert with_codec.found(sink) == FAILURES | PASSING_FAILURES | set(SHAPED)

    @pytest.mark.parametrize("sink", FROM_HISTORY)
    def test_exported_spans_show_what_can_be_read_without_the_codec(self, with_codec: Left, sink: str) -> None:
        # Texts of failures are readable in the history, too.
        assert with_codec.found(sink) == FAILURES | set(SHAPED)

    def test_the_ledger_is_encoded_with_its_payload(self, with_codec: Left) -> None:
        assert with_codec.sinks["ledgers"] == []
        assert with_codec.found("history") & (CALLS | PAYLOADS) == set()

    @pytest.mark.parametrize("sink", WITHOUT_CONTENT)
    def test_what_holds_no_content_holds_none(self, with_codec: Left, sink: str) -> None:
        assert with_codec.found(sink) == set()


class TestWithAPayloadCodecAndDecodePayloads:
    @pytest.mark.parametrize("sink", LIVE)
    def test_live_spans_show_payloads_and_prompts(self, decoded: Left, sink: str) -> None:
        content = CALLS | PAYLOADS | PASSING_PAYLOADS | FAILURES | PASSING_FAILURES
        assert decoded.found(sink) == content | {"foreign-url"} | set(SHAPED)

    @pytest.mark.parametrize("sink", FROM_HISTORY)
    def test_exported_spans_still_do_not(self, decoded: Left, sink: str) -> None:
        assert decoded.found(sink) == FAILURES | set(SHAPED)


class TestWithContentAndRedactors:
    @pytest.mark.parametrize("sink", LIVE)
    def test_live_spans_show_all_but_what_is_redacted(self, redacted: Left, sink: str) -> None:
        assert redacted.found(sink) == CALLS | PAYLOADS | PASSING_PAYLOADS | FAILURES | PASSING_FAILURES | FOREIGN

    @pytest.mark.parametrize("sink", FROM_HISTORY)
    def test_exported_spans_as_well(self, redacted: Left, sink: str) -> None:
        assert redacted.found(sink) == CALLS | PAYLOADS | FAILURES | {"foreign-name"}

    def test_the_ledger_is_redacted_before_it_is_written(self, redacted: Left) -> None:
        assert redacted.found("ledgers") == CALLS | {"attempt-message", "attempt-stack", "foreign-name"}

    @pytest.mark.parametrize("sink", ["OTLP", "sent"])
    def test_what_stands_beside_a_secret_stays_readable(self, redacted: Left, sink: str) -> None:
        marks = ("api key", "token", "email address", "card number")
        told = f"{' and '.join(f'[redacted: {mark}]' for mark in marks)} as told"
        texts = {data.decode(errors="replace") for data in redacted.sinks[sink]}
        assert {f"canary-{place} {told}" for place in ("activity-result", "attempt-message", "summary")} <= texts
        assert f"GET canary-foreign-name {told}" in texts

    def test_an_address_keeps_all_but_its_secrets(self, redacted: Left) -> None:
        address = (
            "https://[redacted: credentials]@example.com/search?q=canary-foreign-url"
            "&mail=[redacted: email address]&card=[redacted: card number]&token=[redacted: token]"
        )
        assert address.encode() in redacted.sinks["OTLP"]


def test_what_is_said_of_a_backend_that_is_away_names_no_secret(temporal_server: str, tmp_path: Path) -> None:
    environ = environment(temporal_server, f"http://ada:canary-endpoint@127.0.0.1:{(port := free_port())}", tmp_path)
    run_agent(temporal_server, f"secretive-{uuid.uuid4()}", tmp_path, environ=environ)
    log = (tmp_path / LOG).read_bytes()
    assert b"Spans do not arrive at http://127.0.0.1:%d/v1/traces" % port in log
    assert found(log) == set()


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
        {"TEMPORAL_API_KEY": "canary-temporal-key"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "ftp://ada:canary-endpoint@127.0.0.1"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "ada:canary-endpoint@127.0.0.1:4318"},
    ],
    ids=["nothing answers", "gRPC", "a key for Temporal", "not HTTP", "no scheme"],
)
def test_the_doctor_names_no_secret(tmp_path: Path, settings: dict[str, str]) -> None:
    away = f"ada:canary-endpoint@127.0.0.1:{free_port()}"
    environ = environment(f"127.0.0.1:{free_port()}", f"http://{away}", tmp_path) | {
        "PHOENIX_COLLECTOR_ENDPOINT": f"http://{away}",
        "PHOENIX_API_KEY": "canary-phoenix-key",
        "LANGFUSE_PUBLIC_KEY": "pk-lf-1",
        "LANGFUSE_BASE_URL": f"http://{away}",
        **settings,
    }
    said = command("doctor", cwd=tmp_path, environ=environ, status=1)
    said += command("doctor", "--json", cwd=tmp_path, environ=environ, status=1)
    assert found(said) == set()
