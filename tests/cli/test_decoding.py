"""Commands that are given a codec, a codec server or external storage."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.decoding.codecs import converter, encoded
from tests.decoding.test_decoder import research
from tests.decoding.test_endpoint import CodecServer, decode
from tests.replay import histories
from tracing import conventions as c
from tracing.cli import OK, SOME_FAILED, USAGE, run
from tracing.decoding.endpoint import AUTH_VARIABLE, ENDPOINT_VARIABLE
from tracing.tracefile.read import read_trace

if TYPE_CHECKING:
    from pathlib import Path

    from tests.history.recording import Recording

CODEC = "tests.decoding.codecs:codec"
ON = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
HINT = "DURABLE_TRACE_DECODE_PAYLOADS=on shows it"


@pytest.fixture(autouse=True)
def _no_codec_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (ENDPOINT_VARIABLE, AUTH_VARIABLE, ON, "DURABLE_TRACE_DECODE_PAYLOADS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def history(tmp_path: Path) -> Path:
    return written(tmp_path, encoded(research()))


def written(folder: Path, recording: Recording) -> Path:
    path = folder / "run.history.json"
    path.write_text(json.dumps(recording.json()))
    return path


def exported(history: Path, *options: str) -> tuple[int, list[Any]]:
    folder = history.parent / "traces"
    status = run(["export", str(history), "-o", str(folder), *options])
    return status, [span for file in folder.glob("*.otlp.jsonl") for span in read_trace(file)]


def test_export_reads_usage_with_a_codec(history: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, spans = exported(history)
    assert (status, [span for span in spans if span.name == "chat gpt-4o"]) == (OK, [])
    assert "3 results of steps are encoded or stored elsewhere" in " ".join(capsys.readouterr().err.split())
    status, spans = exported(history, "--codec", CODEC)
    assert status == OK
    assert [span.attributes[c.USAGE_INPUT] for span in spans if span.name == "chat gpt-4o"] == [101, 102, 101]
    assert capsys.readouterr().err == ""


def test_content_needs_a_setting_of_its_own_and_export_says_so(
    history: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(ON, "SPAN_ONLY")
    _, spans = exported(history, "--codec", CODEC)
    assert spans[0].attributes[c.INPUT_VALUE] == "<encoded>"
    assert capsys.readouterr().err.replace("\n", " ").count(HINT.split(maxsplit=1)[0]) == 1
    monkeypatch.setenv("DURABLE_TRACE_DECODE_PAYLOADS", "on")
    _, spans = exported(history, "--codec", CODEC)
    assert spans[0].attributes[c.INPUT_VALUE] == "where to?"
    assert HINT.split(maxsplit=1)[0] not in capsys.readouterr().err


def test_what_cannot_be_decoded_is_named_and_the_rest_is_written(
    history: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, spans = exported(history, "--codec", "tests.decoding.codecs:Failing")
    assert status == SOME_FAILED
    assert len(spans) > 5
    error = capsys.readouterr().err
    assert error == (
        f"durable-trace: {history}: 17 payloads in events 1, 5, 6, 7, 8 and 10 more cannot be decoded: the codec "
        "raises KeyError. They stay encoded, and usage in there is unknown.\n"
    )


def test_what_could_not_be_decoded_is_tried_again_and_what_was_is_kept(
    history: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def export(url: str) -> tuple[int, int, str]:
        status, spans = exported(history, "--codec-endpoint", url)
        printed = capsys.readouterr()
        return status, len([span for span in spans if span.name == "chat gpt-4o"]), printed.err

    with CodecServer(answer=lambda _body: (401, b"")) as server:
        status, calls, complaint = export(server.url)
        assert (status, calls) == (SOME_FAILED, 0)
        assert "the codec server answered 401. They stay encoded" in complaint
        server.answer = decode
        assert export(server.url) == (OK, 3, "")
        asked = len(server.requests)
        assert export(server.url) == (OK, 3, "")
        assert len(server.requests) == asked


@pytest.mark.slow
def test_worker_processes_decode_too(history: Path) -> None:
    document = json.loads(history.read_text())
    second = {**document, "runId": "5f0e4f7e-0000-4000-8000-000000000002"}
    (history.parent / "second.history.json").write_text(json.dumps(second))
    folder = history.parent / "traces"
    assert run(["export", str(history.parent), "-o", str(folder), "--codec", CODEC, "--jobs", "2"]) == OK
    inside = [[span.name for span in read_trace(file)] for file in folder.glob("*.otlp.jsonl")]
    # The ledgers of the second are another run's, which is what its ID says.
    assert sorted(names.count("chat gpt-4o") for names in inside) == [0, 3]


def test_cost_of_an_encoded_history(history: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["cost", str(history), "--codec", CODEC, "--json"]) == OK
    [account] = json.loads(capsys.readouterr().out)["runs"]
    assert account["llm_calls"] == 3
    assert "undecoded_results" not in account


@pytest.mark.parametrize("by", [(), ("--by", "type")], ids=["one run", "sums"])
def test_cost_says_how_many_results_it_cannot_read(
    history: Path, by: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["cost", str(history), *by]) == OK
    said = " ".join(capsys.readouterr().out.split())
    assert "(--codec, --codec-endpoint and --external-storage read them): 3" in said
    assert run(["cost", str(history), *by, "--json"]) == OK
    assert capsys.readouterr().out.count('"undecoded_results": 3') >= 1


def test_compare_and_report(history: Path, tmp_path: Path) -> None:
    assert run(["compare", str(history), str(history), "--codec", CODEC, "--json"]) == OK
    report = tmp_path / "report.html"
    assert run(["report", str(history), "--codec", CODEC, "--compare-with", str(history), "-o", str(report)]) == OK
    assert "chat gpt-4o" in report.read_text()


@pytest.mark.slow
def test_a_replay_of_an_encoded_history(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from temporalio.client import WorkflowHistory  # noqa: PLC0415 - this test's own

    from tests.decoding.codecs import encoded_events  # noqa: PLC0415 - this test's own

    plain = histories.research()
    path = tmp_path / "run.json"
    path.write_text(WorkflowHistory(plain.workflow_id, encoded_events(plain.events)).to_json())
    command = ["replay", str(path), "--workflow", "tests.replay.workflows:Research"]
    assert run(command) == SOME_FAILED
    assert "Failed decoding arguments: give the DataConverter of your workers (--data-conv" in capsys.readouterr().err
    assert run([*command, "--codec", "tests.decoding.codecs:converter"]) == OK
    assert run([*command, "--data-converter", "tests.decoding.codecs:converter", "-o", str(tmp_path)]) == OK
    assert capsys.readouterr().out.count("1 reproduced") == 2
    with CodecServer() as server:  # which is asked while the workflow's code may reach nothing
        assert run([*command, "--codec-endpoint", server.url]) == OK
        assert server.requests
    assert converter.payload_codec is not None


class TestEndpoint:
    def test_the_variables_of_temporals_own_command_line(self, history: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        with CodecServer() as server:
            monkeypatch.setenv(ENDPOINT_VARIABLE, server.url)
            monkeypatch.setenv(AUTH_VARIABLE, "Bearer t0ken")
            status, spans = exported(history)
            assert status == OK
            assert len([span for span in spans if span.name == "chat gpt-4o"]) == 3
            [(_, headers, _)] = server.requests
            assert headers["Authorization"] == "Bearer t0ken"
            exported(history, "--codec", CODEC)
            assert len(server.requests) == 1  # a codec that is named wins

    def test_the_option(self, history: Path) -> None:
        with CodecServer() as server:
            status, spans = exported(history, "--codec-endpoint", server.url)
        assert status == OK
        assert len([span for span in spans if span.name == "chat gpt-4o"]) == 3


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--codec", "codec"], "'codec' names no codec: write module:object"),
        (["--codec", CODEC, "--codec-endpoint", "http://localhost"], "give one of the two"),
        (["--codec-endpoint", "localhost:8081"], "is no address: write one such as"),
        (["--external-storage", CODEC], "it is no storage but Turning"),
        (["--external-storage-bucket", "b"], "--external-storage-bucket says what --external-storage may ask"),
    ],
)
def test_wrong_usage(history: Path, options: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["export", str(history), "-o", str(history.parent / "traces"), *options]) == USAGE
    assert said in capsys.readouterr().err
    assert not (history.parent / "traces").exists()
