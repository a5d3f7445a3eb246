"""How is a file that zstd compressed read, so that it is noticed where its end is missing?

The package's own reader ends without a word where a file is cut off: what is lost would be lost in silence. So the
frames that pass are followed beside it (RFC 8878, 3.1.1), block by block, without decompressing them.
"""

from __future__ import annotations

import io
from typing import Any, BinaryIO, Final, Literal

MAGIC: Final = b"\x28\xb5\x2f\xfd"
"""First bytes of a compressed file."""
MAX_WINDOW: Final = 1 << 27
"""Largest window that is read, in bytes: what the zstd program allows as well."""

_SKIPPABLE: Final = 0x184D2A5
"""First 28 bits of a frame that holds nothing to decompress."""
_FRAME_BYTES: Final = 5
"""Its magic number, and the byte that says how long the rest of its header is."""
_RLE: Final = 1
"""Type of a block of one byte, repeated."""
_CHECKSUM: Final = 4
"""Bytes of a frame's checksum."""


class ZstdReader(io.RawIOBase):
    """What a compressed file holds, frame after frame; memory does not grow with it.

    Args:
        file: The compressed file, at the begin of a frame.
        decompressor: A ``zstandard.ZstdDecompressor``. The package is optional, so whoever needs it imports it.
    """

    def __init__(self, file: BinaryIO, decompressor: Any) -> None:
        self._frames = _Followed(file)
        self._stream = decompressor.stream_reader(self._frames, read_across_frames=True, closefd=False)

    def readable(self) -> bool:
        """It is there to be read."""
        return True

    def readinto(self, buffer: Any, /) -> int:
        """Read what comes next into a buffer.

        Returns:
            Number of bytes; 0 at the end.

        Raises:
            EOFError: The file ends in the middle of a frame; all that could be decompressed has been read before.
        """
        view = memoryview(buffer).cast("B")
        data = self._stream.read(len(view))
        if not data and len(view) and not self._frames.whole:
            raise EOFError("Compressed file ended in the middle of a frame")
        view[: len(data)] = data
        return len(data)


class _Followed:
    """A file that is read through, and whether it has ended where a frame does."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._at: Literal["frame", "skippable", "block"] = "frame"
        self._need = _FRAME_BYTES
        self._part = bytearray()  # of what is looked at next
        self._passed_over = 0  # bytes until then
        self._checksum = 0  # 1 where the frame has one
        self._first = 0  # byte of a skippable frame's size

    @property
    def whole(self) -> bool:
        """Whether what was read ends where a frame does."""
        return self._at == "frame" and not self._part and not self._passed_over

    def read(self, size: int = -1) -> bytes:
        """Read the compressed bytes that come next."""
        data = self._file.read(size)
        rest = memoryview(data)
        while rest:
            if self._passed_over:
                count = min(self._passed_over, len(rest))
                self._passed_over -= count
            else:
                count = self._need - len(self._part)
                self._part += rest[:count]
            rest = rest[count:]
            if len(self._part) == self._need:
                part, self._part = bytes(self._part), bytearray()
                self._look_at(part)
        return data

    def _look_at(self, part: bytes) -> None:
        if self._at == "frame" and int.from_bytes(part[:4], "little") >> 4 == _SKIPPABLE:
            # Its size has four bytes, of which one is here.
            self._at, self._need, self._first = "skippable", 3, part[4]
        elif self._at == "frame":
            descriptor = part[4]
            alone = descriptor >> 5 & 1
            size = (alone, 2, 4, 8)[descriptor >> 6]
            self._passed_over = (not alone) + (0, 1, 2, 4)[descriptor & 3] + size
            self._at, self._need, self._checksum = "block", 3, descriptor >> 2 & 1
        elif self._at == "skippable":
            self._passed_over = self._first | int.from_bytes(part, "little") << 8
            self._at, self._need = "frame", _FRAME_BYTES
        else:
            block = int.from_bytes(part, "little")
            self._passed_over = 1 if block >> 1 & 3 == _RLE else block >> 3
            if block & 1:  # the last
                self._passed_over += _CHECKSUM * self._checksum
                self._at, self._need = "frame", _FRAME_BYTES
