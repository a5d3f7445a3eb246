"""`--have`: trace files say what is there, to `export` and to `send`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.tracefile.conftest import receiver
from tracing.cli import run
from tracing.config import TracingConfig
from tracing.history import History, read, to_spans
from tracing.spans.model import Span
from tracing.tracefile import read_trace, write_trace

if TYPE_CHECKING:
    from tests.tracefile.conftest import Receiver

__all__ = ["receiver"]

HISTORY = Path(__file__).parents[1] / "data" / "live" / "first-run.json"
OTHER = Path(__file__).parents[1] / "data" / "sdk-python" / "hello-workflow-history.json"
NAME = "a3_01a20746-15c7-70e5-b155-7c6b50432598"


@pytest.fixture(autouse=True)
def _hermetic(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("OTEL_EXPORTER_OTLP_ENDPOINT", "PHOENIX_COLLECTOR_ENDPOINT", "LANGFUSE_PUBLIC_KEY"):
        monkeypatch.delenv(name, raising=False)


def whole(history: Path = HISTORY) -> list[Span]:
    [found] = read(history)
    assert isinstance(found, History)
    return to_spans(found, TracingConfig())


def ids(path: Path) -> list[int]:
    return sorted(span.span_id for span in read_trace(path))


def test_what_a_live_folder_lacks_is_written_into_a_file_of_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spans = whole()
    live = write_trace(tmp_path / "live", "collector", spans[::2])
    before = live.read_bytes()
    arguments = ["export", str(HISTORY), str(OTHER), "--have", "live", "-o", "live"]

    assert run(arguments) == 0
    out = capsys.readouterr().out
    added = sorted(path for path in (tmp_path / "live").iterdir() if path != live)
    assert out == (
        f"a3 01a20746-15c7-70e5-b155-7c6b50432598: 5 spans were missing → live/{added[0].name}\n"
        "hello-workflow-d6d3eaae-b159-424b-aa88-e643e42a35d8 0197c192-1c61-7a41-8852-56960bd15070: "
        f"4 spans were missing → live/{added[1].name}\n"
        "2 runs: 5 spans were there, 9 were missing\n"
    )
    assert added[0].name.startswith(f"{NAME}.repair-")
    assert live.read_bytes() == before
    assert ids(added[0]) == sorted(span.span_id for span in spans[1::2])
    assert ids(tmp_path / "live") == sorted(span.span_id for span in [*spans, *whole(OTHER)])

    # And now nothing is missing.
    assert run(arguments) == 0
    assert capsys.readouterr().out == "2 runs: 14 spans were there, 0 were missing\n"
    assert len(list((tmp_path / "live").iterdir())) == 3


def test_files_of_two_repairs_do_not_take_each_others_place(tmp_path: Path) -> None:
    spans = whole()
    live = write_trace(tmp_path / "live", "collector", spans[::2])
    assert run(["export", str(HISTORY), "--have", "live", "-o", "live"]) == 0
    live.unlink()  # rotated away
    assert run(["export", str(HISTORY), "--have", "live", "-o", "live"]) == 0
    assert len(list((tmp_path / "live").iterdir())) == 2
    assert ids(tmp_path / "live") == sorted(span.span_id for span in spans)


def test_the_same_repair_gives_the_same_file(tmp_path: Path) -> None:
    write_trace(tmp_path / "live", "collector", whole()[:3])
    assert run(["export", str(HISTORY), "--have", "live", "-o", "first"]) == 0
    assert run(["export", str(HISTORY), "--have", "live", "-o", "second"]) == 0
    [first], [second] = list((tmp_path / "first").iterdir()), list((tmp_path / "second").iterdir())
    assert (first.name, first.read_bytes()) == (second.name, second.read_bytes())


def test_what_cannot_be_read_is_named_and_the_rest_is_done(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "live").mkdir()
    (tmp_path / "live" / "broken.otlp.jsonl").write_text("broken\n")
    (tmp_path / "no.json").write_text("{}")
    assert run(["export", str(HISTORY), "no.json", "--have", "live", "-o", "out", "--json"]) == 1
    out, err = capsys.readouterr()
    printed = json.loads(out)
    assert [(each["workflow_id"], each["spans"], each["known"]) for each in printed["completed"]] == [("a3", 10, 0)]
    assert [line.partition(": ")[2].partition(":")[0] for line in err.splitlines()] == [
        "no.json",
        "live/broken.otlp.jsonl, line 1",
    ]


def test_export_sends_to_a_collector_what_is_not_in_its_files(tmp_path: Path, receiver: Receiver) -> None:
    spans = whole()
    write_trace(tmp_path / "live", "collector", spans[::2])
    assert run(["export", str(HISTORY), "--to", receiver.url, "--have", "live"]) == 0
    assert receiver.batches == [[span.name for span in spans[1::2]]]


@pytest.mark.parametrize("jobs", ["1", pytest.param("2", marks=pytest.mark.slow)])
def test_what_cannot_be_read_of_what_was_sent_is_named_for_it_is_sent_again(
    tmp_path: Path, receiver: Receiver, capsys: pytest.CaptureFixture[str], jobs: str
) -> None:
    (tmp_path / "live").mkdir()
    (tmp_path / "live" / "broken.otlp.jsonl").write_text("broken\n")
    write_trace(tmp_path / "live", "collector", whole()[::2])
    assert run(["export", str(HISTORY), str(OTHER), "--to", receiver.url, "--have", "live", "--jobs", jobs]) == 1
    err = capsys.readouterr().err
    assert [line.partition(": ")[2].partition(":")[0] for line in err.splitlines()] == [
        "live/broken.otlp.jsonl, line 1"
    ]
    assert sum(map(len, receiver.batches)) == 9


def test_send_sends_to_a_collector_what_is_not_in_its_files(
    tmp_path: Path, receiver: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    spans = whole()
    write_trace(tmp_path / "live", "collector", spans[::2])
    write_trace(tmp_path / "exported", "whole", spans)
    assert run(["send", "exported", "--to", receiver.url, "--have", "live"]) == 0
    assert receiver.batches == [[span.name for span in spans[1::2]]]
    assert capsys.readouterr().out == "5 spans sent to OTLP; it had 5 already\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ["--repair"],
            "--repair completes what is somewhere: name a backend with --to (phoenix, langfuse, an address)",
        ),
        (["--have", "nowhere"], "Path 'nowhere' does not exist."),
        (
            ["--to", "otlp", "--have", "traces"],
            "--have names what the backend has, and -o the folder that all is exported",
        ),
        (["--have", "traces", "--parquet"], "lack, and nothing else: --parquet does not go with it."),
        (["--have", "traces", "--with-history"], "lack, and nothing else: --with-history does not go with it."),
        (["--once"], "--once belongs to --watch."),
        (["--since", "7d"], "--since belongs to --watch."),
        (
            ["--watch", "--to", "otlp"],
            "--watch follows the closed runs of a server, which --query may narrow: a history file",
        ),
    ],
)
def test_options_that_do_not_go_together(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    (tmp_path / "traces").mkdir()
    assert run(["export", str(HISTORY), *arguments]) == 2
    assert words in " ".join(capsys.readouterr().err.split())


def test_a_trace_file_that_would_be_exported_anew_does_not_say_what_is_there(
    tmp_path: Path, receiver: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    half = write_trace(tmp_path / "out", NAME, whole()[:2])
    (tmp_path / "link.otlp.jsonl").symlink_to(half)
    for have in (f"out/{half.name}", "link.otlp.jsonl"):
        assert run(["export", str(HISTORY), "--to", receiver.url, "--have", have, "-o", "out"]) == 2
        assert "in which no file is that --have names." in " ".join(capsys.readouterr().err.split())
    assert (receiver.batches, len(ids(half))) == ([], 2)
