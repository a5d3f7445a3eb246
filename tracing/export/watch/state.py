"""What do the records of a checkpoint's journal say, and is it the checkpoint of whoever opens it?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from tracing.export.watch.journal import Done, Head, Reached, Record, Split

VERSION: Final = 1


class CheckpointError(ValueError):
    """A checkpoint that cannot be used, in one sentence with what to do about it."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What is watched, and for whom: a checkpoint serves one.

    Attributes:
        namespace: Namespace.
        query: What narrows the runs; "" for all.
        target: Where the spans go, without credentials; "" where they only go into files.
    """

    namespace: str
    query: str
    target: str


def state_of(path: Path, records: Sequence[Record], scope: Scope) -> tuple[Head, dict[str, int], set[int]]:
    """What a journal's records add up to.

    Args:
        path: The journal.
        records: Its records.
        scope: What whoever opens it watches.

    Returns:
        The head as of now, the close times of the runs that are handled, and the batches that others stand for.

    Raises:
        CheckpointError: It is another's, of another version, or damaged.
    """
    if not records or not isinstance(records[0], Head):
        raise damaged(path, "its head is missing")
    head = records[0]
    if head.version != VERSION:
        raise CheckpointError(
            f"{path} has version {head.version}, and this durable-trace knows {VERSION}: use the one that wrote it, or "
            "give another checkpoint folder."
        )
    for name, ours in asdict(scope).items():
        if (theirs := head.scope.get(name, "")) != ours:
            raise CheckpointError(
                f"The checkpoint {path.parent} is for {name} {theirs!a}, not {ours!a}: give another folder for that."
            )
    since, following = head.since, head.next
    done: dict[str, int] = {}
    split: set[int] = set()
    for record in records:
        if isinstance(record, Done):
            done[record.run_id] = record.closed
        elif isinstance(record, Split):
            split.add(record.number)
        if isinstance(record, Reached):
            since = record.since
        else:
            following = max(following, record.next)
    return Head(head.version, head.scope, head.begin, since, following), done, split


def damaged(path: Path, reason: str) -> CheckpointError:
    """What to say of a journal that cannot be read."""
    return CheckpointError(
        f"{path} is damaged ({reason}). Remove it to begin anew, with --since for the time that is to be watched "
        "again: where the backend can be asked, nothing is sent twice."
    )
