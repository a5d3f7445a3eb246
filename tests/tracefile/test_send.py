"""Sending spans by OTLP/HTTP."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]  # its package ships no types
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceResponse,
)

from tracing import conventions as c
from tracing.backends.target import Settings, Target
from tracing.identity import run_span_id
from tracing.spans.model import Span, SpanKind
from tracing.tracefile.send import Sender, SendResult, send

if TYPE_CHECKING:
    from tests.tracefile.conftest import Receiver

RUN = run_span_id("run-1")


def span(number: int, *, end: int | None = 2, name: str = "") -> Span:
    return Span(0xA1, number, None, name or f"span {number}", SpanKind.INTERNAL, 1, end, {})


def spans(count: int) -> list[Span]:
    return [span(number) for number in range(1, count + 1)]


def target(receiver: Receiver) -> Target:
    settings = Settings(headers={"authorization": "Bearer secret"}, credentials="API_KEY", address="ADDRESS")
    return Target("test", f"{receiver.url}/v1/traces", settings)


def test_closed_spans_are_sent_and_open_ones_are_not(receiver: Receiver) -> None:
    result = send([span(1), span(2, end=None), span(3)], target(receiver))
    assert result == SendResult(sent=2, skipped_open=1, batches=1)
    assert receiver.batches == [["span 1", "span 3"]]
    [(path, headers)] = receiver.requests
    assert path == "/v1/traces"
    assert (headers["content-type"], headers["authorization"]) == ("application/x-protobuf", "Bearer secret")
    assert headers["user-agent"].startswith("durable-trace/")


def test_a_span_that_is_given_twice_is_sent_once(receiver: Receiver) -> None:
    result = send([span(1, end=None), span(1, name="first"), span(1, name="second")], target(receiver))
    assert result == SendResult(sent=1, skipped_open=1, batches=1)
    assert receiver.batches == [["first"]]


def test_a_trace_without_its_recorded_parent_gets_a_root(receiver: Receiver) -> None:
    attributes: dict[str, str | int] = {c.RUN_ID: "run-1", c.WORKFLOW_TYPE: "Research", c.CLIENT_START_TIME: 1}
    run = Span(0xA1, RUN, 0xC1, "RunWorkflow:Research", SpanKind.SERVER, 1_000, 9_000, {**attributes})
    assert send([run], target(receiver)).sent == 2
    assert receiver.parents == {"StartWorkflow:Research": None, "RunWorkflow:Research": 0xC1}


def test_nothing_is_sent_of_nothing(receiver: Receiver) -> None:
    assert send([span(1, end=None)], target(receiver)) == SendResult(skipped_open=1)
    assert receiver.requests == []


def test_batches_are_bounded_by_spans(receiver: Receiver) -> None:
    portions = [spans(2), [], spans(3), spans(2)]
    result = Sender(target(receiver), batch_spans=3).deliver(portions)
    assert (result, [len(batch) for batch in receiver.batches]) == (SendResult(sent=7, batches=3), [3, 3, 1])


def test_batches_are_bounded_by_bytes_but_for_single_spans(receiver: Receiver) -> None:
    large = [span(1, name="1" * 900), span(2, name="2" * 400), span(3, name="3" * 300)]
    result = Sender(target(receiver), batch_bytes=850).deliver([large])
    assert result == SendResult(sent=3, batches=2)
    assert [[name[0] for name in batch] for batch in receiver.batches] == [["1"], ["2", "3"]]


def test_requests_are_compressed_where_the_target_wants_it(receiver: Receiver) -> None:
    plain = target(receiver)
    zipped = Target(plain.name, plain.endpoint, plain.settings, compression="gzip")
    assert send(spans(1), zipped).sent == 1
    assert receiver.requests[0][1]["content-encoding"] == "gzip"
    assert receiver.batches == [["span 1"]]


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_busy_target_is_tried_again(receiver: Receiver, naps: list[float], status: int) -> None:
    receiver.answer(status)
    receiver.answer(status, Retry_After="7")
    assert send(spans(1), target(receiver)) == SendResult(sent=1, batches=1)
    assert len(receiver.requests) == 3
    assert naps == [7]


def test_a_target_cannot_make_us_wait_for_ever(receiver: Receiver, naps: list[float]) -> None:
    for _ in range(9):
        receiver.answer(503, b"queue is full", kind="text/plain", Retry_After="86400")
    result = send(spans(1), target(receiver))
    assert result == SendResult(
        unsent=1, problems=(f"{receiver.url}/v1/traces answered 503 (queue is full). Try again later.",)
    )
    assert (len(receiver.requests), naps) == (9, [60] * 8)


@pytest.mark.parametrize(
    ("status", "words", "sentence"),
    [
        (401, "Invalid token", "answered 401 (Invalid token). Check API_KEY."),
        (403, "", "answered 403. Check API_KEY."),
        (404, "", "answered 404. Check ADDRESS: nothing answers at that path."),
        (405, "", "answered 405. Check ADDRESS: something else answers at that path."),
        (415, "", "answered 415. It does not take OTLP/HTTP with protobuf: check ADDRESS."),
        (500, "x\x1b[2J\n y", "answered 500 (x [2J y). Try again later."),
        (418, "z" * 300, f"answered 418 ({'z' * 200}…). Look at its log."),
    ],
)
def test_a_refusal_of_everything_ends_the_sending(receiver: Receiver, status: int, words: str, sentence: str) -> None:
    receiver.answer(200)
    receiver.answer(status, words.encode(), kind="text/plain")
    result = Sender(target(receiver), batch_spans=2).deliver([spans(6)])
    assert result == SendResult(sent=2, unsent=4, batches=1, problems=(f"{receiver.url}/v1/traces {sentence}",))
    assert len(receiver.requests) == 2


@pytest.mark.parametrize("status", [400, 422])
def test_a_refusal_of_one_batch_leaves_the_others(receiver: Receiver, status: int) -> None:
    receiver.answer(status, Status(message="invalid span").SerializeToString())
    result = Sender(target(receiver), batch_spans=2).deliver([spans(3)])
    problem = (
        f"{receiver.url}/v1/traces answered {status} (invalid span). It takes no request like this: look at its log."
    )
    assert result == SendResult(sent=1, rejected=2, batches=1, problems=(problem,))


def test_a_request_that_is_too_large_is_halved(receiver: Receiver) -> None:
    receiver.answer(413)
    receiver.answer(413)
    receiver.answer(413)
    result = send(spans(4), target(receiver))
    problem = f"{receiver.url}/v1/traces answered 413. Raise its limit on the size of requests."
    assert result == SendResult(sent=3, rejected=1, batches=2, problems=(problem,))
    assert receiver.batches == [["span 2"], ["span 3", "span 4"]]


PARTIAL = ExportTraceServiceResponse(
    partial_success=ExportTracePartialSuccess(rejected_spans=2, error_message="too old")
).SerializeToString()
PARTIAL_JSON = b'{"partialSuccess":{"rejectedSpans":"2","errorMessage":"too old"}}'


@pytest.mark.parametrize(("body", "kind"), [(PARTIAL, "application/x-protobuf"), (PARTIAL_JSON, "application/json")])
def test_a_partial_success_is_read(receiver: Receiver, body: bytes, kind: str) -> None:
    receiver.answer(200, body, kind=kind)
    problem = f"{receiver.url}/v1/traces refused 2 of 3 spans (too old). Look at its log."
    assert send(spans(3), target(receiver)) == SendResult(sent=1, rejected=2, batches=1, problems=(problem,))


@pytest.mark.parametrize(
    ("body", "kind"), [(b"{}", "application/json"), (b"", "text/plain"), (b"\xff", "application/x-protobuf")]
)
def test_other_bodies_of_a_success_say_nothing(receiver: Receiver, body: bytes, kind: str) -> None:
    receiver.answer(200, body, kind=kind)
    assert send(spans(3), target(receiver)) == SendResult(sent=3, batches=1)


def test_a_web_page_is_no_otlp_endpoint(receiver: Receiver) -> None:
    receiver.answer(200, b"<html>Welcome</html>", kind="text/html; charset=utf-8")
    problem = (
        f"{receiver.url}/v1/traces answered with a web page: that is no OTLP endpoint, whose path ends in /v1/traces."
    )
    assert send(spans(1), target(receiver)) == SendResult(unsent=1, problems=(problem,))


def test_a_redirection_is_not_followed(receiver: Receiver) -> None:
    receiver.answer(301, Location="https://user:secret@elsewhere.example/v1/traces?key=secret")
    problem = (
        f"{receiver.url}/v1/traces answered 301. "
        "It redirects to https://elsewhere.example/v1/traces: set ADDRESS to that."
    )
    assert send(spans(1), target(receiver)) == SendResult(unsent=1, problems=(problem,))


def test_a_target_that_is_not_there_is_named(naps: list[float]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, not listening: connections are refused
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1/traces"
        result = send(spans(2), Target("test", url, Settings(address="ADDRESS")))
    problem = f"{url}: cannot be reached: Connection refused. Start it, or check ADDRESS."
    assert result == SendResult(unsent=2, problems=(problem,))
    assert len(naps) == 1


def test_a_target_that_does_not_answer_is_named(naps: list[float]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/v1/traces"
        result = send(spans(1), Target("test", url, Settings(timeout=0.05)))
    assert result == SendResult(unsent=1, problems=(f"{url}: no answer within 0.05 s. See whether it is up.",))
    assert len(naps) == 1


@pytest.mark.parametrize("url", ["nonsense", "http://", "ftp://host/v1/traces", "http://[::1/v1/traces"])
def test_an_address_that_is_none_is_named(url: str) -> None:
    [problem] = send(spans(1), Target("test", url, Settings(address="ADDRESS"))).problems
    assert "cannot be used" in problem
    assert problem.endswith("Check ADDRESS.")


def test_credentials_in_an_address_are_not_shown(receiver: Receiver) -> None:
    receiver.answer(401)
    url = receiver.url.replace("http://", "http://user:secret@")
    [problem] = send(spans(1), Target("test", f"{url}/v1/traces?key=secret")).problems
    assert problem == f"{receiver.url}/v1/traces answered 401. Check the headers."
    assert "secret" not in repr(target(receiver))


def test_a_netrc_file_does_not_replace_our_credentials(
    receiver: Receiver, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path_factory.mktemp("home") / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    send(spans(1), target(receiver))
    assert receiver.requests[0][1]["authorization"] == "Bearer secret"


def test_portions_are_made_while_others_are_sent(receiver: Receiver) -> None:
    seen: list[int] = []

    def portions() -> Iterator[list[Span]]:
        for _ in range(3):
            seen.append(len(receiver.requests))
            yield spans(2)

    Sender(target(receiver), batch_spans=2).deliver(portions())
    assert seen == [0, 1, 2]
