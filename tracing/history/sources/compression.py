"""How is a compressed history read? Gzip and Zstandard are recognised by their first bytes, whatever a file's name."""

from __future__ import annotations

import gzip
import io
import zlib
from typing import IO, Any, BinaryIO, Final, cast

from tracing.history.documents import UnreadableError
from tracing.zstd import MAGIC, MAX_WINDOW, ZstdReader

_GZIP: Final = b"\x1f\x8b"


def decompressed(file: io.BufferedReader) -> io.BufferedReader:
    """The same file without its compression, if it has one; decompressed while it is read.

    Raises:
        UnreadableError: It needs a package that is not installed; and, while it is read, its compression is broken.
    """
    start = file.peek(len(MAGIC))[: len(MAGIC)]
    if start.startswith(_GZIP):
        return io.BufferedReader(_Decompressed(cast("IO[bytes]", gzip.GzipFile(fileobj=file, mode="rb"))))
    if start == MAGIC:
        return io.BufferedReader(_Decompressed(_zstd(file)))
    return file


class _Decompressed(io.RawIOBase):
    """Turns the errors of decompressors into our own."""

    def __init__(self, stream: IO[bytes] | ZstdReader) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        view = memoryview(buffer).cast("B")
        try:
            data = self._stream.read(len(view))
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise _broken(error) from None
        except Exception as error:
            # The package's own class cannot be named here: it is optional.
            if type(error).__name__ == "ZstdError":
                raise _broken(error) from None
            raise
        view[: len(data)] = data
        return len(data)


def _broken(error: Exception) -> UnreadableError:
    return UnreadableError(f"Its compression is broken ({error}): copy the file again.")


def _zstd(file: BinaryIO) -> ZstdReader:
    try:
        import zstandard  # noqa: PLC0415 - an extra: only those who have such files need it
    except ImportError:
        raise UnreadableError("It is compressed with Zstandard: install durable-trace[zstd] to read it.") from None
    return ZstdReader(file, zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW))
