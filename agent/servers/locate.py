"""Where does a server's program come from?

The order is the same for each server: an address in the environment (then nothing is started), a program on PATH or in
the cache, the SDK's own download, a build from source into the cache.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from agent.servers.cache import Cache


class SourceError(RuntimeError):
    """One way of getting a program failed; the message says why."""


class ServerNotFoundError(RuntimeError):
    """No way of getting a server worked; the message says what was tried and how to mend it."""


@dataclass(frozen=True)
class Address:
    """A server that runs already.

    Attributes:
        value: The address as the environment gives it.
        variable: The environment variable that gave it.
    """

    value: str
    variable: str

    def __str__(self) -> str:
        return f"{self.value} ({self.variable})"


@dataclass(frozen=True)
class Program:
    """A server's program.

    Attributes:
        path: The executable file.
        source: Where it came from, in words.
    """

    path: Path
    source: str

    def __str__(self) -> str:
        return f"{self.path} ({self.source})"


@dataclass(frozen=True)
class Source:
    """One way of getting a program.

    Attributes:
        name: The way, in words.
        find: Returns the program, or ``None`` where this way has none. Raises :class:`SourceError` where it failed.
        slow: Whether it downloads or builds, which only an explicit wish may start.
    """

    name: str
    find: Callable[[], Path | None]
    slow: bool = False


def address(variables: Iterable[str], environ: Mapping[str, str]) -> Address | None:
    """The first of these environment variables that is set and not empty."""
    return next((Address(environ[name], name) for name in variables if environ.get(name)), None)


def on_path(names: Iterable[str], environ: Mapping[str, str]) -> Source:
    """The first of these programs that PATH has."""

    def find() -> Path | None:
        found = (shutil.which(name, path=environ.get("PATH", "")) for name in names)
        return next((Path(path) for path in found if path), None)

    return Source("PATH", find)


def in_cache(names: Sequence[str], cache: Cache) -> Source:
    """The first of these programs that the cache has."""
    return Source("cache", lambda: next((path for name in names if (path := cache.program(name))), None))


def locate(server: str, sources: Iterable[Source], ways_to_mend: Sequence[str], *, quick: bool = False) -> Program:
    """The program from the first source that has one.

    Args:
        server: The server's name, for messages.
        sources: Ways to get it, in order.
        ways_to_mend: What the user can do when all of them fail, one sentence each.
        quick: Leave out the slow ways.

    Raises:
        ServerNotFoundError: None of them worked.
    """
    tried = []
    for source in sources:
        if quick and source.slow:
            tried.append(f"{source.name}: not tried yet")
            continue
        try:
            path = source.find()
        except SourceError as error:
            tried.append(f"{source.name}: {error}")
            continue
        if path is not None:
            return Program(path, source.name)
        tried.append(f"{source.name}: not there")
    raise ServerNotFoundError(
        "\n".join(
            [
                f"No {server} was found. Tried:",
                *(f"  - {line}" for line in tried),
                "Any one of these mends it:",
                *(f"  {number}. {way}" for number, way in enumerate(ways_to_mend, 1)),
            ]
        )
    )
