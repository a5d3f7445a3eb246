"""Which files does a path or URL name, wherever it leads?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tracing.history.documents import Unreadable
from tracing.history.sources.buckets import bucket_files
from tracing.history.sources.files import File, local_files, local_path, scheme_of


def files(source: str | Path) -> Iterator[File | Unreadable]:
    """The files that a path or URL names: itself, or the histories below it, listed while they are read.

    The ``name`` of each is a source for ``read``.
    """
    if source == "":  # of an unset variable; pathlib would take it for the current folder
        return iter([Unreadable("", "The path is empty: check what it was made from.")])
    scheme = "" if isinstance(source, Path) else scheme_of(source)
    if scheme == "file":
        source = local_path(str(source))
    elif scheme or "://" in str(source):
        return bucket_files(str(source))
    return local_files(Path(source))
