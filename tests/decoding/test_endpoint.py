"""A real codec server on loopback, and what becomes of it that does not answer as it should."""

from __future__ import annotations

import json
import threading
from base64 import b64decode, b64encode
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

import pytest
from google.protobuf.json_format import MessageToDict, ParseDict
from temporalio.api.common.v1 import Payload, Payloads
from urllib3.util import Retry

from agent.servers.endpoints import free_port
from tests.decoding.codecs import encoded, reference
from tests.decoding.test_decoder import SHOWN, decoded, rendered, research
from tests.history.recording import Recording, payload
from tracing import conventions as c
from tracing.backends.client import TRANSIENT
from tracing.decoding import Decoder, Endpoint
from tracing.history import to_spans

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

AT_ONCE = Retry(total=1, status_forcelist=TRANSIENT, backoff_factor=0, raise_on_status=False, allowed_methods=None)

Answer = tuple[int, bytes]


def decode(body: bytes) -> Answer:
    """What a codec server does: Temporal's own JSON of payloads in and out."""
    payloads = ParseDict(json.loads(body), Payloads()).payloads
    turned = [Payload.FromString(payload.data[::-1]) for payload in payloads]
    return 200, json.dumps(MessageToDict(Payloads(payloads=turned))).encode()


@dataclass
class CodecServer:
    """A codec server; `answer` says what it does with a body."""

    answer: Callable[[bytes], Answer] = decode
    requests: list[tuple[str, dict[str, str], dict[str, Any]]] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    _server: ThreadingHTTPServer | None = None

    def __enter__(self) -> Self:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                server.requests.append((self.path, dict(self.headers), json.loads(body)))
                status, answer = server.answer(body)
                self.send_response(status)
                self.send_header("content-length", str(len(answer)))
                for name, value in server.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: Any) -> None:
                """Nothing is printed."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.server_address[1]}"


@pytest.fixture
def server() -> Iterator[CodecServer]:
    with CodecServer() as running:
        yield running


def asked(url: str, **environ: str) -> Endpoint:
    return Endpoint(url, environ, retry=AT_ONCE)


def logged(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "durable_trace"]


def test_it_decodes_a_history_in_one_request(server: CodecServer) -> None:
    history = decoded(encoded(research()), endpoint=asked(server.url))
    assert history.defects == ()
    assert rendered(to_spans(history, SHOWN)) == rendered(to_spans(research().read(), SHOWN))
    [(path, headers, body)] = server.requests
    assert path == "/decode"
    assert headers["X-Namespace"] == "default"
    assert "Authorization" not in headers
    assert len(body["payloads"]) == 17


def test_many_payloads_are_some_requests(server: CodecServer) -> None:
    recording = Recording(input={"payloads": [payload(f'"{number}"') for number in range(90)]})
    for _ in range(3):
        recording.add(
            "workflow_execution_signaled",
            signal_name="note",
            input={"payloads": [payload(f'"{number}"') for number in range(60)]},
        )
    history = decoded(encoded(recording), endpoint=asked(server.url))
    assert history.defects == ()
    assert sorted(len(body["payloads"]) for _, _, body in server.requests) == [60, 60, 60, 90]


def test_the_namespace_is_named_in_header_and_path(server: CodecServer) -> None:
    recording = encoded(research())
    history = replace(recording.read(), namespace="a/b.acct")
    with Decoder(endpoint=asked(f"{server.url}/codec/{{namespace}}/", TEMPORAL_CODEC_AUTH="Bearer t0ken")) as decoder:
        assert decoder.decode(history).defects == ()
    [(path, headers, _)] = server.requests
    assert path == "/codec/a%2Fb.acct/decode"
    assert headers["X-Namespace"] == "a/b.acct"
    assert headers["Authorization"] == "Bearer t0ken"


@pytest.mark.parametrize("namespace", ["..", "a\nX-Evil: 1", "né", ""])
def test_a_namespace_that_means_something_else_is_not_sent(server: CodecServer, namespace: str) -> None:
    history = replace(encoded(research()).read(), namespace=namespace)
    with Decoder(endpoint=asked(f"{server.url}/{{namespace}}")) as decoder:
        [defect] = decoder.decode(history).defects
    assert "cannot be named to a codec server" in defect
    assert server.requests == []


def test_what_no_codec_encoded_is_not_sent(server: CodecServer) -> None:
    run = Recording(input={"payloads": [payload('"plain"')]})
    run.complete(reference({"key": "k"}))
    assert decoded(run, endpoint=asked(server.url)).defects == ()
    assert server.requests == []


def test_an_endpoint_that_is_down_is_asked_once(caplog: pytest.LogCaptureFixture) -> None:
    first = decoded(encoded(research()), endpoint=asked(f"http://127.0.0.1:{free_port()}"))
    [defect] = first.defects
    assert defect == (
        "17 payloads in events 1, 5, 6, 7, 8 and 10 more cannot be decoded: the codec server cannot be reached. They "
        "stay encoded, and usage in there is unknown."
    )
    [said] = logged(caplog)
    assert "cannot be reached: Connection refused. Start it, or check --codec-endpoint" in said
    plain = encoded(research()).read()
    assert rendered(to_spans(first, SHOWN)[1:]) == rendered(to_spans(plain, SHOWN)[1:])


def test_it_is_left_alone_for_a_while_and_asked_again_then(server: CodecServer) -> None:
    now = [0.0]
    server.answer = lambda _body: (503, b"")
    endpoint = Endpoint(server.url, {}, retry=AT_ONCE, clock=lambda: now[0])
    history = encoded(research()).read()
    with Decoder(endpoint=endpoint) as decoder:
        for seconds in (0.0, 29.0):
            now[0] = seconds
            [defect] = decoder.decode(history).defects
            assert "the codec server answered 503" in defect
        assert len(server.requests) == 2  # once, and tried again once
        server.answer = decode
        now[0] = 31.0
        assert decoder.decode(history).defects == ()


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (401, "answered 401 (no such token). Check TEMPORAL_CODEC_AUTH."),
        (404, "answered 404 (no such token). Check --codec-endpoint: nothing answers at that path."),
        (307, "answered 307 (no such token). It redirects to nowhere: set --codec-endpoint to that."),
    ],
)
def test_what_it_says_of_every_request_it_is_asked_once(
    server: CodecServer, status: int, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    server.answer = lambda _body: (status, b"no such token")
    [defect] = decoded(encoded(research()), endpoint=asked(server.url)).defects
    assert f"the codec server answered {status}. They stay encoded" in defect
    [message] = logged(caplog)
    assert said in message
    assert len(server.requests) == 1


def test_one_payload_that_it_refuses_leaves_the_others(server: CodecServer) -> None:
    lost = b64encode(payload('"Rome, by train"').SerializeToString()[::-1]).decode()

    def answer(body: bytes) -> Answer:
        refused = any(each["data"] == lost for each in json.loads(body)["payloads"])
        return (400, b"unknown key") if refused else decode(body)

    server.answer = answer
    history = decoded(encoded(research()), endpoint=asked(server.url))
    [defect] = history.defects
    assert defect.startswith(f"A payload in event {history.events[-1].id} cannot be decoded: the codec server ")
    assert "answered 400. It stays encoded" in defect
    root, *steps = to_spans(history, SHOWN)
    assert root.attributes[c.OUTPUT_VALUE] == "<encoded>"
    assert root.attributes[c.INPUT_VALUE] == "where to?"
    assert "<encoded>" not in {span.attributes.get(c.OUTPUT_VALUE) for span in steps}


def test_one_that_refuses_everything_is_not_asked_for_each(server: CodecServer) -> None:
    recording = Recording()
    for _ in range(500):
        recording.add("workflow_execution_signaled", signal_name="note", input={"payloads": [payload('"x"')]})
    server.answer = lambda _body: (500, b"out of order")
    [defect] = decoded(encoded(recording), endpoint=asked(server.url)).defects
    assert defect.startswith("500 payloads in events")
    assert len(server.requests) < 40


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"<html>", "answered with something else than payloads"),
        (b'{"payloads": [{"data": 7}]}', "answered with something else than payloads"),
        (b'{"payloads": [{"data": "%"}]}', "answered with something else than payloads"),
        (b"[" * 100_000, "answered with something else than payloads"),
        (b"{}", "the codec gave 0 payloads for 1"),
    ],
)
def test_garbage(server: CodecServer, answer: bytes, said: str) -> None:
    server.answer = lambda _body: (200, answer)
    recording = Recording(input={"payloads": [payload('"x"')]})
    recording.task()
    [defect] = decoded(encoded(recording), endpoint=asked(server.url)).defects
    assert said in defect


def test_another_number_of_payloads_is_asked_for_field_by_field(server: CodecServer) -> None:
    def answer(body: bytes) -> Answer:
        """A codec that made one payload of several."""
        status, answered = decode(body)
        payloads = []
        for each in json.loads(answered)["payloads"]:
            payloads += [each, each] if json.loads(b64decode(each["data"])) == "both" else [each]
        return status, json.dumps({"payloads": payloads}).encode()

    server.answer = answer
    recording = Recording(input={"payloads": [payload('"both"')]})
    recording.task()
    recording.complete(payload('"one"'))
    history = decoded(encoded(recording), endpoint=asked(server.url))
    assert history.defects == ()
    root = to_spans(history, SHOWN)[0]
    assert (root.attributes[c.INPUT_VALUE], root.attributes[c.OUTPUT_VALUE]) == ('["both","both"]', "one")


def test_an_answer_without_end_is_not_read(server: CodecServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracing.decoding.endpoint.MAX_ANSWER_BYTES", 1000)
    monkeypatch.setattr("tracing.decoding.endpoint._CHUNK", 100)
    server.answer = lambda _body: (200, b" " * 5000)
    recording = Recording(input={"payloads": [payload('"x"')]})
    recording.task()
    [defect] = decoded(encoded(recording), endpoint=asked(server.url)).defects
    assert "answered with more than" in defect


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("codec.example.com", "is no address: write one such as https://codec.example.com"),
        ("ftp://codec.example.com", "is no address"),
        ("https://", "is no address"),
        ("https://me:secret@codec.example.com", "give credentials in TEMPORAL_CODEC_AUTH, not in the address"),
        ("https://codec.example.com?key=1", "has no query and no fragment"),
        ("https://{namespace}.example.com", "may stand in the path, not in the host"),
    ],
)
def test_an_address_that_is_none(url: str, said: str) -> None:
    with pytest.raises(ValueError, match=said) as raised:
        asked(url)
    assert "secret" not in str(raised.value)
