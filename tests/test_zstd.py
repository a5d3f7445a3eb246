"""A file that zstd compressed gives all it holds, and says so where its end is missing."""

from __future__ import annotations

import io
import random
from itertools import accumulate

import pytest
import zstandard

from tracing.zstd import ZstdReader

TEXT = b"one line of many\n" * 20_000 + random.Random(1).randbytes(300_000)
SKIPPABLE = b"\x50\x2a\x4d\x18" + (7).to_bytes(4, "little") + b"skipped"


def compressed(data: bytes, **parameters: bool) -> bytes:
    return zstandard.ZstdCompressor(**parameters).compress(data)


def streamed(data: bytes) -> bytes:
    """As a program writes it that does not know how much is to come: no size in the header."""
    file = io.BytesIO()
    with zstandard.ZstdCompressor().stream_writer(file, closefd=False) as writer:
        writer.write(data)
    return file.getvalue()


FRAMES = {
    "one frame": [compressed(TEXT)],
    "with a checksum": [compressed(TEXT, write_checksum=True)],
    "streamed": [streamed(TEXT)],
    "one byte, often": [compressed(b"\0" * 1_000_000)],
    "little": [compressed(b"x")],
    "nothing": [compressed(b"")],
    "several frames": [compressed(TEXT[:70_000]), streamed(TEXT[70_000:400_000]), compressed(TEXT[400_000:])],
    "frames that are skipped": [SKIPPABLE, compressed(TEXT), SKIPPABLE],
}
each_file = pytest.mark.parametrize("frames", FRAMES.values(), ids=FRAMES.keys())


def reader(data: bytes) -> io.BufferedReader:
    return io.BufferedReader(ZstdReader(io.BytesIO(data), zstandard.ZstdDecompressor()))


@each_file
def test_what_is_whole_is_read(frames: list[bytes]) -> None:
    data = b"".join(frames)
    expected = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(data), read_across_frames=True).read()
    assert reader(data).read() == expected


@each_file
def test_wherever_it_is_cut_off_is_noticed(frames: list[bytes]) -> None:
    data, ends = b"".join(frames), set(accumulate(map(len, frames)))
    near_its_ends = {*range(1, 60), *range(len(data) - 60, len(data)), len(data) // 2}
    for length in sorted(near_its_ends & set(range(1, len(data))) - ends):
        with pytest.raises((EOFError, zstandard.ZstdError)):
            reader(data[:length]).read()


def test_what_stands_before_the_end_is_read_first() -> None:
    data = compressed(TEXT)
    file, found = reader(data[: len(data) - 3]), b""
    while len(found) < 600_000:
        found += file.read1(10_000)
    assert TEXT.startswith(found)
    with pytest.raises(EOFError, match="ended in the middle of a frame"):
        file.read()
