"""What `durable-trace doctor` says of a codec server."""

from __future__ import annotations

import pytest

from agent.servers.endpoints import free_port
from tests.decoding.test_endpoint import CodecServer
from tracing.cli.codec_findings import codec_findings
from tracing.cli.findings import Finding


def test_none_is_named() -> None:
    assert codec_findings({}, "default") == []


def test_one_that_answers() -> None:
    with CodecServer() as server:
        named = {"TEMPORAL_CODEC_ENDPOINT": f"{server.url}/{{namespace}}"}
        assert codec_findings(named, "shop") == [
            Finding("codec server", "ok", f"{server.url}/{{namespace}} answers, without TEMPORAL_CODEC_AUTH")
        ]
        [(path, headers, body)] = server.requests
        assert (path, headers["X-Namespace"], body) == ("/shop/decode", "shop", {"payloads": []})
        [finding] = codec_findings({**named, "TEMPORAL_CODEC_AUTH": "Bearer t0ken"}, "shop")
        assert finding.found == f"{server.url}/{{namespace}} answers"


def test_one_that_refuses() -> None:
    with CodecServer(answer=lambda _body: (401, b"")) as server:
        [finding] = codec_findings({"TEMPORAL_CODEC_ENDPOINT": server.url}, "default")
    assert finding.state == "failed"
    assert finding.found == f"{server.url}/decode answered 401. Check TEMPORAL_CODEC_AUTH."
    assert finding.mend == "Exports cannot read what it encodes: mend TEMPORAL_CODEC_ENDPOINT."


@pytest.mark.slow
def test_none_that_is_there_or_could_be() -> None:
    for url, said in ((f"http://127.0.0.1:{free_port()}", "cannot be reached"), ("codec", "is no address")):
        [finding] = codec_findings({"TEMPORAL_CODEC_ENDPOINT": url}, "default")
        assert finding.state == "failed"
        assert said in finding.found
