"""How is a file compressed, and how is a compressed one read?"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import IO, BinaryIO, Final, Literal, cast

from tracing.zstd import MAGIC, MAX_WINDOW, ZstdReader

Compression = Literal["gzip", "zstd"]

SUFFIX: Final[dict[Compression | None, str]] = {None: "", "gzip": ".gz", "zstd": ".zst"}

_GZIP_MAGIC: Final = b"\x1f\x8b"


class CompressionError(ValueError):
    """A file whose compression is broken, or that needs a package which is not installed."""


def check_compression(compression: Compression | None) -> None:
    """See to it that files can be compressed, before there is other work to do.

    Raises:
        CompressionError: Without the package that zstd needs.
    """
    if compression == "zstd":
        _zstandard()


@contextmanager
def compressing(file: BinaryIO, compression: Compression | None) -> Iterator[IO[bytes]]:
    """Compress what is written to a file; the same content gives the same bytes.

    Raises:
        CompressionError: Without the package that zstd needs.
    """
    if compression == "gzip":
        # Neither the time nor the name of the temporary file may show in the bytes.
        with gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as writer:
            yield cast("IO[bytes]", writer)
    elif compression == "zstd":
        with _zstandard().ZstdCompressor().stream_writer(file, closefd=False) as writer:
            yield writer
    else:
        yield file


@contextmanager
def decompressed(path: Path) -> Iterator[IO[bytes]]:
    """Open a file for reading, by its first bytes: gzip, zstd or neither.

    Raises:
        CompressionError: While reading, when the compressed data is broken or cut off.
        OSError: When the file cannot be opened.
    """
    with path.open("rb") as file:
        magic = file.peek(4)[:4]
        with _naming_defects("zstd" if magic == MAGIC else "gzip"):
            if magic.startswith(_GZIP_MAGIC):
                with gzip.GzipFile(fileobj=file, mode="rb") as reader:
                    yield cast("IO[bytes]", reader)
            elif magic == MAGIC:
                decompressor = _zstandard().ZstdDecompressor(max_window_size=MAX_WINDOW)
                with io.BufferedReader(ZstdReader(file, decompressor)) as reader:
                    yield reader
            else:
                yield file


@contextmanager
def _naming_defects(kind: str) -> Iterator[None]:
    try:
        yield
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise CompressionError(f"{kind} data is broken or cut off ({error})") from None
    except Exception as error:
        # The package's own class cannot be named here: it is optional.
        if type(error).__name__ == "ZstdError":
            raise CompressionError(f"{kind} data is broken or cut off ({error})") from None
        raise


def _zstandard() -> ModuleType:
    try:
        import zstandard  # noqa: PLC0415 - optional: only who uses .zst files needs it
    except ImportError:
        raise CompressionError("zstd needs a package: pip install 'durable-trace[zstd]'") from None
    return zstandard
