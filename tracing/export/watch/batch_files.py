"""What is in the file of a batch that no backend has acknowledged yet?

A line of JSON that says whose it is and what the body must be, then the body: the very bytes that are posted, whenever
they are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from zlib import crc32

import msgspec

from tracing.export.watch.journal import DamagedError
from tracing.tracefile.atomic import atomic_writer
from tracing.tracefile.batches import Batch, Encoding

_PRIVATE: Final = 0o600
_NAME: Final = re.compile(r"(\d{10,19})\.batch")


class _Head(msgspec.Struct):
    workflow_id: str
    run_id: str
    spans: int
    size: int
    crc: int
    encoding: Encoding | None = None


@dataclass(frozen=True, slots=True)
class KeptBatch:
    """A batch as it was kept.

    Attributes:
        workflow_id: Workflow ID of the run whose spans it holds.
        run_id: That run.
        batch: The batch.
    """

    workflow_id: str
    run_id: str
    batch: Batch


def batch_path(folder: Path, number: int) -> Path:
    """The file of a batch."""
    return folder / f"{number:010d}.batch"


def batch_numbers(folder: Path) -> list[int]:
    """Numbers of the batches whose files are in a folder, in order."""
    return sorted(int(found[1]) for path in folder.iterdir() if (found := _NAME.fullmatch(path.name)))


def write_batch(path: Path, kept: KeptBatch) -> int:
    """Write a batch, private to the user; it is on the disk when this returns.

    Returns:
        The file's size in bytes.

    Raises:
        OSError: It cannot be written; then nothing of it stays.
    """
    batch = kept.batch
    head = _Head(kept.workflow_id, kept.run_id, batch.spans, len(batch.body), crc32(batch.body), batch.encoding)
    content = msgspec.json.encode(head) + b"\n" + batch.body
    with atomic_writer(path, mode=_PRIVATE) as file:
        file.write(content)
    return len(content)


def read_batch(path: Path) -> KeptBatch:
    """Read a batch.

    Raises:
        DamagedError: It is not as it was written.
        OSError: It cannot be read.
    """
    line, _, body = path.read_bytes().partition(b"\n")
    try:
        head = msgspec.json.decode(line, type=_Head)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise DamagedError("its first line is damaged") from None
    if (head.size, head.crc) != (len(body), crc32(body)):
        raise DamagedError("its body is damaged")
    return KeptBatch(head.workflow_id, head.run_id, Batch(body, head.spans, head.encoding))
