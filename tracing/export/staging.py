"""Where do the files of an item wait until the item is done, and how are they written there?

All wait in one folder, under names that begin with the ordinal of their item: to make and to remove a folder for each
item takes longer, on some file systems, than to convert its history. Nobody looks for whole files there, so they are
written in place, and hashed on the way. Nobody waits for the disk: that is done once, at the end.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tracing.export.layout import STAGED, staging_folder
from tracing.export.records import WrittenFile
from tracing.tracefile.compression import SUFFIX, Compression, compressing

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_PUBLIC: Final = 0o666
_PRIVATE: Final = 0o600


class Staged:
    """The files of one item.

    Args:
        folder: Output folder.
        ordinal: Place of the item in the order of the sources.
    """

    def __init__(self, folder: Path, ordinal: int) -> None:
        self._folder = folder
        self._ordinal = ordinal
        # As text: to make and join paths takes as long as to write a small file.
        self._begin = f"{folder}{os.sep}{STAGED}{os.sep}{ordinal}-"

    def write(
        self, name: str, pieces: Iterable[bytes], *, compression: Compression | None = None, private: bool = False
    ) -> WrittenFile:
        """Write a file.

        Args:
            name: Name that it is to have in the output folder, without what compression adds.
            pieces: Its content.
            compression: How it is compressed.
            private: Whether only the user may read it.

        Raises:
            OSError: It cannot be written.
            CompressionError: The package for its compression is missing.
        """
        name += SUFFIX[compression]
        raw = _HashedFile(self._begin + name, private=private)
        with io.BufferedWriter(raw) as file, compressing(file, compression) as stream:
            for piece in pieces:
                stream.write(piece)
        return WrittenFile(name, raw.size, raw.digest.hexdigest())

    def path(self, name: str) -> Path:
        """Where a file waits, by the name that it is to have."""
        return Path(self._begin + name)

    def take(self, name: str) -> None:
        """Take a file into the output folder.

        Raises:
            OSError: That cannot be written.
        """
        self.path(name).replace(self._folder / name)

    def discard(self) -> None:
        """Take away what was not taken."""
        for path in staging_folder(self._folder).glob(f"{self._ordinal}-*"):
            path.unlink(missing_ok=True)


class _HashedFile(io.FileIO):
    """A file that is written from beginning to end.

    Attributes:
        size: How many bytes were written.
        digest: Their hash.
    """

    def __init__(self, path: str, *, private: bool) -> None:
        mode = _PRIVATE if private else _PUBLIC
        super().__init__(path, "w", opener=lambda name, flags: os.open(name, flags, mode))
        self.size = 0
        self.digest = sha256()

    def write(self, data: ReadableBuffer, /) -> int:
        """Write bytes, and hash those that were."""
        written = super().write(data)
        self.digest.update(memoryview(data)[:written])
        self.size += written
        return written
