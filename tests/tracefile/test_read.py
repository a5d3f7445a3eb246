"""Reading trace files: whole, compressed, damaged and hostile ones."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from tracing.spans.model import Span, SpanKind
from tracing.tracefile.defects import Defect
from tracing.tracefile.encode import encode_request
from tracing.tracefile.read import read_trace, read_traces
from tracing.tracefile.write import write_trace


def span(number: int) -> Span:
    return Span(0xA1, number, None, f"span {number}", SpanKind.INTERNAL, 1, 2, {})


def line(*numbers: int) -> bytes:
    return encode_request([span(number) for number in numbers]) + b"\n"


AS_OTLP = "Write it by the OTLP JSON mapping, as the Collector's file exporter does."
WHOLE_LINES = (
    "Each line must be one whole ExportTraceServiceRequest. "
    "A last line that is cut off belongs to a writer that was stopped: export again."
)


def test_broken_lines_are_named_and_the_rest_is_read(tmp_path: Path) -> None:
    path = tmp_path / "run.otlp.jsonl"
    bad_id = line(3, 4).replace(b'"0000000000000003"', b'"3"')
    path.write_bytes(line(1, 2) + b"\n  \r\n" + b"not json\n" + bad_id + line(5) + line(6)[:50])
    reading = read_trace(path)
    assert [span.name for span in reading] == ["span 1", "span 2", "span 4", "span 5"]
    assert reading.defects == [
        Defect(path, 4, "is not JSON: JSON is malformed: invalid character (byte 4)", WHOLE_LINES),
        Defect(
            path,
            5,
            "resourceSpans[0].scopeSpans[0].spans[0]: spanId '3' is not 16 hex digits",
            "Write IDs in hex, as the OTLP JSON mapping says; protobuf's own JSON mapping writes base64.",
        ),
        Defect(path, 7, "is not JSON: Input data was truncated", WHOLE_LINES),
    ]
    assert str(reading.defects[2]) == f"{path}, line 7: is not JSON: Input data was truncated. {WHOLE_LINES}"


def test_a_folder_is_read_with_all_below_it_in_order_of_paths_and_only_its_trace_files(tmp_path: Path) -> None:
    write_trace(tmp_path, "b", [span(4)], compression="gzip")
    write_trace(tmp_path, "a", [span(3)], compression="zstd")
    write_trace(tmp_path / "2026-12", "run", [span(2)])
    (tmp_path / "traces.otlp-2026-11-23T09-00-00.000.jsonl").write_bytes(line(5))  # rotated by the Collector
    (tmp_path / "a.history.json").write_text("{}")
    (tmp_path / ".1234.part").write_bytes(line(9))
    (tmp_path / "sub.otlp.jsonl").mkdir()
    alone = tmp_path / "sub.otlp.jsonl" / "any name"
    alone.write_bytes(line(1))
    reading = read_traces([alone, tmp_path])
    assert ([span.span_id for span in reading], reading.defects) == ([1, 2, 3, 4, 5], [])


def test_a_file_that_is_named_twice_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As by ``traces/ traces/*/``."""
    write_trace(tmp_path / "2026-11", "one", [span(1)])
    write_trace(tmp_path / "2026-12", "two", [span(2)])
    monkeypatch.chdir(tmp_path)
    reading = read_traces([Path("2026-12"), tmp_path, Path()])
    assert ([span.span_id for span in reading], reading.defects) == ([2, 1], [])


def test_a_pipe_is_named_and_not_waited_for(tmp_path: Path) -> None:
    write_trace(tmp_path, "run", [span(1)])
    pipe = tmp_path / "pipe.otlp.jsonl"
    os.mkfifo(pipe)
    reading = read_trace(tmp_path)
    assert [span.span_id for span in reading] == [1]
    assert [str(defect) for defect in reading.defects] == [
        f"{pipe}: is neither a file nor a folder. Save what it gives to a file, and give that."
    ]


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    reading = read_traces([tmp_path / "absent.otlp.jsonl", tmp_path / "empty"])
    assert list(reading) == []
    assert reading.defects == [
        Defect(
            tmp_path / "absent.otlp.jsonl",
            0,
            "cannot be read (No such file or directory)",
            "Check its name and its permissions.",
        ),
        Defect(
            tmp_path / "empty",
            0,
            "the folder holds no trace file",
            "Trace files are called NAME.otlp.jsonl[.gz|.zst].",
        ),
    ]


def test_a_folder_that_may_not_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    # As root, who runs tests in containers, may read everything. Below such a folder, pathlib's questions raise, too.
    monkeypatch.setattr("tracing.folders.os.scandir", refused)
    monkeypatch.setattr(Path, "is_dir", refused)
    reading = read_traces([tmp_path, tmp_path / "run.otlp.jsonl"])
    assert list(reading) == []
    assert [(defect.reason, defect.mend) for defect in reading.defects] == [
        ("cannot be listed (Permission denied)", "Check its permissions."),
        ("cannot be read (No such file or directory)", "Check its name and its permissions."),
    ]


@pytest.mark.parametrize(
    ("compress", "reason"),
    [
        (
            gzip.compress,
            "gzip data is broken or cut off (Compressed file ended before the end-of-stream marker was reached)",
        ),
        (zstandard.compress, "zstd data is broken or cut off (Compressed file ended in the middle of a frame)"),
    ],
)
def test_a_compressed_file_that_is_cut_off_gives_what_it_has(
    tmp_path: Path, compress: Callable[[bytes], bytes], reason: str
) -> None:
    path = tmp_path / "run.otlp.jsonl"
    path.write_bytes(compress(line(1)) + compress(line(2))[:-12])
    reading = read_trace(path)
    assert [span.span_id for span in reading] == [1]
    assert reading.defects == [Defect(path, 0, reason, "What was read before is kept. Copy or export the file again.")]


@pytest.mark.parametrize("magic", [b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd"])
def test_broken_compression_is_named(tmp_path: Path, magic: bytes) -> None:
    path = tmp_path / "run.otlp.jsonl"
    path.write_bytes(magic + b"\xff" * 100)
    reading = read_trace(path)
    assert list(reading) == []
    [defect] = reading.defects
    assert (defect.line, defect.mend) == (0, "What was read before is kept. Copy or export the file again.")
    assert "data is broken or cut off" in defect.reason


def test_a_line_that_is_too_long_is_skipped(tmp_path: Path) -> None:
    path = tmp_path / "run.otlp.jsonl"
    path.write_bytes(line(1) + b" " * 3_000_000 + line(2) + line(3))
    reading = read_trace(path, max_line_bytes=1000)
    assert [span.span_id for span in reading] == [1, 3]
    assert reading.defects == [Defect(path, 2, "is longer than 1000 bytes", "Write fewer spans a line.")]


def test_a_small_file_that_expands_without_end_is_given_up(tmp_path: Path) -> None:
    path = tmp_path / "run.otlp.jsonl.gz"
    path.write_bytes(gzip.compress(line(1) + b"\n" * 5_000_000 + line(2)))
    assert path.stat().st_size < 10_000
    reading = read_trace(path, max_file_bytes=100_000)
    assert [span.span_id for span in reading] == [1]
    assert reading.defects == [Defect(path, 0, "holds more than 100000 bytes", "Split it: the rest was not read.")]


def test_a_long_line_cannot_exceed_the_files_limit(tmp_path: Path) -> None:
    path = tmp_path / "run.otlp.jsonl.gz"
    path.write_bytes(gzip.compress(line(1) + b" " * 50_000_000 + line(2)))
    reading = read_trace(path, max_line_bytes=1000, max_file_bytes=2_000_000)
    assert [span.span_id for span in reading] == [1]
    assert [defect.reason for defect in reading.defects] == [
        "is longer than 1000 bytes",
        "holds more than 2000000 bytes",
    ]


def test_many_defects_of_a_file_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "run.otlp.jsonl"
    path.write_bytes(b"{}\n" * 100 + b'{"resourceSpans":[{"scopeSpans":[{"spans":[' + b"{}," * 99 + b"{}]}]}]}\n")
    reading = read_trace(path)
    assert list(reading) == []
    assert [(defect.line, defect.reason) for defect in reading.defects] == [
        *((number, "has no resourceSpans") for number in range(1, 21)),
        (0, "180 more defects"),
    ]
