"""How are histories found and read in buckets, ``s3://`` and ``gs://``?

Through fsspec's file systems, which take credentials, endpoint and region from where users of these clouds keep them:
the environment (``AWS_PROFILE``, ``AWS_ENDPOINT_URL``, ``GOOGLE_APPLICATION_CREDENTIALS``, …), their files, and
fsspec's own configuration. Other kinds of URL, and chains of them, are refused: a path must not start a request to
anywhere else.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any, Final, TypeVar

from tracing.folders import HIDDEN
from tracing.history.documents import Unreadable
from tracing.history.sources.files import File, is_history, no_history, scheme_of

EXTRAS: Final = {"s3": "s3", "gs": "gcs", "gcs": "gcs"}
"""Schemes of buckets, and the extra that each needs."""

_BLOCK: Final = 8 << 20
"""Bytes of one request."""
_MAX_REASON: Final = 300

T = TypeVar("T")


def bucket_files(url: str) -> Iterator[File | Unreadable]:
    """An object, or the histories below a prefix, in the order of their names, listed folder by folder."""
    scheme = scheme_of(url)
    if scheme not in EXTRAS:
        yield Unreadable(url, "It is no kind of path that is read: give a local path, s3://… or gs://….")
        return
    path = url.partition("://")[2].strip("/")
    if not path:
        yield Unreadable(url, f"It names no bucket: give {scheme}://BUCKET/PREFIX.")
        return
    try:
        files = _file_system(scheme)
    except ImportError:
        yield Unreadable(
            url, f"{scheme}:// paths need a package: pip install 'durable-trace[{EXTRAS[scheme]}]', and try again."
        )
        return
    try:
        if _asked(lambda: files.info(path))["type"] != "directory":
            yield _object(files, scheme, path)
            return
        found = False
        for item in _below(files, scheme, path):
            found = True
            yield item
        if not found:
            yield no_history(url)
    except FileNotFoundError:
        yield Unreadable(url, "It does not exist: check bucket and prefix.")
    except OSError as error:
        yield Unreadable(url, f"It cannot be listed ({error}): check name, credentials and network.")


def _file_system(scheme: str) -> Any:
    import fsspec  # type: ignore[import-untyped] # noqa: PLC0415 - comes with the extras

    # Listings are not kept: a bucket may hold millions of objects.
    return fsspec.filesystem(scheme, use_listings_cache=False)


def _below(files: Any, scheme: str, prefix: str) -> Iterator[File | Unreadable]:
    waiting = [(prefix, True)]
    while waiting:
        path, is_folder = waiting.pop()
        if not is_folder:
            yield _object(files, scheme, path)
            continue
        entries = _asked(lambda path=path: files.ls(path, detail=True))  # type: ignore[misc]
        inside = [(entry["name"].rstrip("/"), entry["type"] == "directory", entry["name"]) for entry in entries]
        waiting += sorted(
            (
                (name, folder)
                for name, folder, shown in inside
                # Consoles make empty objects that end in a slash, to stand for folders.
                if name.strip("/") != path.strip("/")
                and not name.rpartition("/")[2].startswith(HIDDEN)
                and (folder or (not shown.endswith("/") and is_history(name)))
            ),
            reverse=True,
        )


def _object(files: Any, scheme: str, path: str) -> File:
    name = f"{scheme}://{path.lstrip('/')}"

    def opened() -> io.BufferedReader:
        return io.BufferedReader(_Stream(_asked(lambda: files.open(path, "rb", block_size=_BLOCK))))

    def stamp() -> str:
        try:
            info = _asked(lambda: files.info(path))
        except OSError:
            return ""
        mark = next((info[key] for key in ("ETag", "etag", "generation") if info.get(key)), "")
        return f"{info.get('size')} bytes, {mark}" if mark else ""

    return File(name, name, opened, stamp)


class _Stream(io.RawIOBase):
    """Turns whatever a storage library raises while it reads into OSError."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        view = memoryview(buffer).cast("B")
        data = _asked(lambda: self._stream.read(len(view)))
        view[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._stream.close()
        super().close()


def _asked(question: Callable[[], T]) -> T:
    """What a storage library answers.

    Raises:
        OSError: It failed, with one of the many kinds of errors that these libraries have.
    """
    try:
        return question()
    except FileNotFoundError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise OSError(reason[:_MAX_REASON].rstrip(".")) from error
