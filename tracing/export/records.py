"""What is known of each history that was exported, and how is that a line of the manifest?"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from tracing.export.items import DATABASES, SERVER, FileItem, Item, RunItem

MAX_DEFECTS: Final = 1_000
"""Most defects of one history that its line names; how many more there are is said."""


class WrittenFile(msgspec.Struct, frozen=True):
    """A file in the output folder.

    Attributes:
        name: Its name.
        size: Its size in bytes.
        sha256: Its SHA-256, in hexadecimal digits.
    """

    name: str
    size: int
    sha256: str


class Sent(msgspec.Struct, frozen=True):
    """What became of a trace that was sent.

    Attributes:
        target: Where to: the address, without secrets.
        repair: Whether only what was missing there was sent.
        sent: Spans that the target took.
        known: Spans that it had already, where it was asked.
        sampled_out: Spans that were sampled out and stay here.
        lost: Spans that it refused, or that did not reach it.
        problems: Why; each says what to do about it.
    """

    target: str
    repair: bool
    sent: int = 0
    known: int = 0
    sampled_out: int = 0
    lost: int = 0
    problems: tuple[str, ...] = ()


class Timings(msgspec.Struct, frozen=True):
    """How long it took, in seconds. Two exports of the same histories differ in nothing else.

    Attributes:
        read: Reading and decoding the source up to this history.
        convert: Making spans of it.
        write: Writing the files.
        send: Sending.
    """

    read: float = 0.0
    convert: float = 0.0
    write: float = 0.0
    send: float = 0.0


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one history: a line of the manifest.

    Attributes:
        source: Path of the file, ``temporal://namespace/workflow ID/run ID``, or the database's URL, ``#`` and workflow
            ID.
        part: Which history of the source, from 1.
        parts: How many the source has.
        state: "exported", "duplicate" (another source gave the same run) or "refused".
        namespace: Namespace.
        workflow_id: Workflow ID.
        run_id: The real run ID.
        files: What was written.
        spans: How many spans the trace has.
        open: Whether the run is still open: its files tell it as it was at its last event.
        defects: What is wrong with the history, a sentence each.
        undecoded: How many stored values nobody was to decode: results of steps, on DBOS all but portable JSON.
        refused: Why it was refused, and how to mend it; "" where it was not.
        duplicate_of: The source that gave the same run; "" where it is no duplicate.
        sent: What became of the spans at a backend; None where they were not sent.
        stamp: What tells that the source has changed; "" where nothing does.
        settings: Hash of the settings that the bytes of the files depend on.
        timings: How long it took.
    """

    source: str
    part: int = 1
    parts: int = 1
    state: Literal["exported", "duplicate", "refused"]
    namespace: str = ""
    workflow_id: str = ""
    run_id: str = ""
    files: tuple[WrittenFile, ...] = ()
    spans: int = 0
    open: bool = False
    defects: tuple[str, ...] = ()
    undecoded: int = 0
    refused: str = ""
    duplicate_of: str = ""
    sent: Sent | None = None
    stamp: str = ""
    settings: str = ""
    timings: Timings | None = None

    @property
    def name(self) -> str:
        """What people call it."""
        if self.workflow_id:
            return self.workflow_id
        return self._in_source

    @property
    def where(self) -> str:
        """Where what is wrong with it can be looked for: a run of a server or database by its ID, else its file."""
        return self.name if self.source.startswith((SERVER, *DATABASES)) else self._in_source

    @property
    def _in_source(self) -> str:
        return f"{self.source}[{self.part}]" if self.parts > 1 else self.source


_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(Record)


def encode_line(record: Record) -> bytes:
    """A record as a line; two records with the same values have the same bytes."""
    return _ENCODER.encode(record) + b"\n"


def decode_line(line: bytes) -> Record | None:
    """The record of a line; None where it is none, such as the last line of a process that was killed."""
    try:
        return _DECODER.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def refusal(item: Item, reason: str) -> Record:
    """The record of an item that could not be exported at all."""
    if isinstance(item, FileItem):
        return Record(source=item.source, state="refused", refused=reason)
    namespace, run_id = (item.namespace, item.run_id) if isinstance(item, RunItem) else ("", item.workflow_id)
    return Record(
        source=item.source,
        state="refused",
        namespace=namespace,
        workflow_id=item.workflow_id,
        run_id=run_id,
        refused=reason,
    )


def capped(defects: tuple[str, ...]) -> tuple[str, ...]:
    """Defects, as many as a line names."""
    more = len(defects) - MAX_DEFECTS
    return (*defects[:MAX_DEFECTS], f"{more} more defects are not named here.") if more > 0 else defects


def without_details(record: Record) -> Record:
    """A record with no more than it takes to tell whether it still holds."""
    return msgspec.structs.replace(record, defects=(), sent=None)


def given_way(record: Record, source: str, namespace: str) -> Record:
    """The record of a history whose run another source has given.

    Args:
        record: As it would be without that.
        source: The other source.
        namespace: Namespace of the run there.
    """
    lost = Record(
        source=record.source,
        part=record.part,
        parts=record.parts,
        state="duplicate",
        namespace=record.namespace,
        workflow_id=record.workflow_id,
        run_id=record.run_id,
    )
    if record.namespace == namespace:
        return msgspec.structs.replace(lost, duplicate_of=source)
    return msgspec.structs.replace(
        lost,
        state="refused",
        refused=f"Its files would be named like those of {source}, which is this run in another namespace "
        f"({namespace}): export one of them into another folder.",
    )
