"""Files that wait: what is known of them, who may read them, what is left of them."""

from __future__ import annotations

import gzip
import hashlib
import stat
from pathlib import Path

import pytest

from tracing.export.layout import staging_folder
from tracing.export.records import WrittenFile
from tracing.export.staging import Staged


@pytest.fixture
def out(tmp_path: Path) -> Path:
    staging_folder(tmp_path).mkdir(parents=True)
    return tmp_path


def waiting(out: Path) -> list[str]:
    return sorted(path.name for path in staging_folder(out).iterdir())


def test_a_file_is_hashed_while_it_is_written(out: Path) -> None:
    pieces = [b"a" * 100_000, b"", b"b"]
    written = Staged(out, 7).write("run.otlp.jsonl", pieces)
    content = b"".join(pieces)
    assert written == WrittenFile("run.otlp.jsonl", 100_001, hashlib.sha256(content).hexdigest())
    assert Staged(out, 7).path("run.otlp.jsonl").read_bytes() == content


def test_of_a_compressed_file_what_is_on_the_disk_is_hashed(out: Path) -> None:
    written = Staged(out, 7).write("run.otlp.jsonl", [b"one\n", b"two\n"], compression="gzip")
    data = Staged(out, 7).path("run.otlp.jsonl.gz").read_bytes()
    assert gzip.decompress(data) == b"one\ntwo\n"
    assert written == WrittenFile("run.otlp.jsonl.gz", len(data), hashlib.sha256(data).hexdigest())


def test_a_history_is_private(out: Path) -> None:
    Staged(out, 7).write("run.history.json", [b"{}"], private=True)
    assert stat.S_IMODE(Staged(out, 7).path("run.history.json").stat().st_mode) == 0o600


def test_what_a_killed_process_has_left_is_written_over(out: Path) -> None:
    Staged(out, 7).path("run.otlp.jsonl").write_bytes(b"longer than what comes")
    Staged(out, 7).write("run.otlp.jsonl", [b"whole"])
    assert Staged(out, 7).path("run.otlp.jsonl").read_bytes() == b"whole"


def test_a_file_is_taken_and_the_rest_of_its_item_alone_is_discarded(out: Path) -> None:
    for ordinal in (1, 11):
        for name in ("run.otlp.jsonl", "run.history.json"):
            Staged(out, ordinal).write(name, [b"%d" % ordinal])
    Staged(out, 1).take("run.otlp.jsonl")
    Staged(out, 1).discard()
    assert (out / "run.otlp.jsonl").read_bytes() == b"1"
    assert waiting(out) == ["11-run.history.json", "11-run.otlp.jsonl"]
