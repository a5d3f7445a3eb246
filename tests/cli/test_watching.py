"""What the options of `export --watch` mean."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click
import pytest

from tracing.cli import run
from tracing.cli.watch_options import parsed_since
from tracing.export.watch.closed_runs import closed_query, shown_time

if TYPE_CHECKING:
    from pathlib import Path

NOW = 1_795_950_000_000_000  # 2026-11-29T11:00:00Z


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("90s", "2026-11-29T10:58:30.000000Z"),
        ("36h", "2026-11-27T23:00:00.000000Z"),
        ("7d", "2026-11-22T11:00:00.000000Z"),
        ("2026-11-01", "2026-11-01T00:00:00.000000Z"),
        ("2026-11-01T08:30Z", "2026-11-01T08:30:00.000000Z"),
        ("2026-11-01T08:30+02:00", "2026-11-01T06:30:00.000000Z"),
    ],
)
def test_since_is_a_time_or_how_long_ago(text: str, time: str) -> None:
    assert shown_time(parsed_since(text, NOW)) == time


@pytest.mark.parametrize("text", ["yesterday", "7 days", "", "99999999999d", "-1h"])
def test_since_is_nothing_else(text: str) -> None:
    with pytest.raises(click.UsageError) as caught:
        parsed_since(text, NOW)
    assert caught.value.message == (
        f"--since {text!a} is no time: give one like 2026-11-01, 2026-11-01T08:00Z, 36h or 7d."
    )


def test_a_query_is_narrowed_by_close_times() -> None:
    assert closed_query("", NOW, None) == "CloseTime >= '2026-11-29T11:00:00.000000Z'"
    assert closed_query("A = 1 OR B = 2", NOW, NOW + 60_000_000) == (
        "(A = 1 OR B = 2) AND CloseTime >= '2026-11-29T11:00:00.000000Z' AND CloseTime < '2026-11-29T11:01:00.000000Z'"
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "--watch needs to know where spans go: name a backend with --to, or a folder with -o."),
        (["--to", "nothing"], "'nothing' is no backend: name otlp, phoenix, langfuse or an address, http://…"),
        (["--to", "otlp", "--repair"], "OTLP cannot be asked which spans it has: give --have with the trace files"),
        (["-o", "out", "--have", "."], "With --watch, --have says what a backend has: name that with --to."),
        (
            ["--to", "otlp", "--parquet"],
            "--watch writes no tables: have it write traces into a folder (-o FOLDER), and",
        ),
        (["--to", "otlp", "--codec", "no.such:codec"], "There is no module 'no', named in 'no.such:codec'"),
        (["--to", "otlp", "run.json"], "which --query may narrow: a history file does not go with it."),
        (["--to", "otlp", "--rate", "5"], "which --query may narrow: --rate does not go with it."),
        (["--to", "otlp", "--serializer", "a:b"], "which --query may narrow: --serializer does not go with it."),
        (["--to", "otlp", "--interval", "0"], "Invalid value for '--interval'"),
    ],
)
def test_a_watcher_must_know_what_to_do(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("OTEL_EXPORTER_OTLP_ENDPOINT", "PHOENIX_COLLECTOR_ENDPOINT", "LANGFUSE_PUBLIC_KEY"):
        monkeypatch.delenv(name, raising=False)
    assert run(["export", "--watch", *arguments]) == 2
    assert words in " ".join(capsys.readouterr().err.split())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("arguments", [["run.json"], ["--watch", "--to", "otlp"], ["--have", ".", "run.json"]])
def test_what_cannot_be_compressed_is_said_before_any_run_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    """A watcher would pass over every run, for none could be written."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "zstandard", None)
    assert run(["export", *arguments, "-o", "out", "--compress", "zstd"]) == 1
    assert capsys.readouterr().err == "durable-trace: zstd needs a package: pip install 'durable-trace[zstd]'\n"
    assert list(tmp_path.iterdir()) == []
