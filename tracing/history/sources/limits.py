"""How large may a history be?"""

from __future__ import annotations

from typing import BinaryIO, Final

from tracing.history.documents import UnreadableError

MAX_BYTES: Final = 512 << 20
"""A history of more bytes is refused, also after decompression. (Temporal's own limit is 50 MB of protobuf.)"""

_FIRST: Final = 1 << 18
_LARGEST: Final = 1 << 26


def check(size: int) -> None:
    """Refuse a history of this many bytes if it is too large.

    Raises:
        UnreadableError: It is.
    """
    if size > MAX_BYTES:
        raise UnreadableError(f"It is larger than {MAX_BYTES >> 20} MiB, and no history is.")


def read_all(file: BinaryIO) -> bytes:
    """The rest of a file.

    Raises:
        UnreadableError: It is too large for a history.
    """
    pieces, size, step = [], 0, _FIRST
    # `read` allocates what it is asked for: step by step, a small file takes little.
    while piece := file.read(step):
        size += len(piece)
        check(size)
        pieces.append(piece)
        step = min(2 * step, _LARGEST)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)
