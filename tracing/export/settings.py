"""What is done with each history, and which of it do the bytes of its files depend on?"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, fields, replace
from hashlib import blake2b
from importlib.metadata import PackageNotFoundError, entry_points, version
from pathlib import Path
from typing import Any, Final

from temporalio.client import Client

from tracing.backends.registry import target_for
from tracing.backends.target import Target
from tracing.config import TracingConfig
from tracing.decoding import Decoding
from tracing.history.server.reader import CONCURRENCY
from tracing.recognisers.registry import ENTRY_POINTS
from tracing.tracefile.compression import Compression
from tracing.version import VERSION

Connect = Callable[[], Coroutine[Any, Any, Client]]
"""Connects to Temporal. Worker processes call it as well: it can be pickled, as functions of a module can."""

_ADDRESS: Final = re.compile(r" at 0x[0-9a-fA-F]+")
_LIVE_ONLY: Final = {"idle_release_seconds", "spool", "spool_max_bytes"}


@dataclass(frozen=True, slots=True)
class ExportSettings:
    """What is done with each history. It is sent to worker processes: what is in it can be pickled.

    Attributes:
        folder: Output folder.
        config: Settings of the conversion.
        compression: How files are compressed.
        with_history: Whether histories are written beside the traces.
        namespace: Namespace of histories in files, instead of what they say.
        workflow_id: Workflow ID of the one history in files that is exported.
        run_id: Its real run ID.
        to: Name or address of where spans are sent; None for nowhere.
        repair: Whether only what is missing there is sent.
        have: Trace files and folders of them that say what is there, instead of the target; none where it is asked.
        connect: How a server is reached; None where only files are exported.
        database: URL of the DBOS database; None where none is exported.
        serializer: ``module:object`` of a serialiser of the user's, for ledgers in that database; "" for none.
        decoding: By what payloads are decoded that a codec encoded, or that stand in external storage.
        concurrency: Most histories that are fetched from it at once, by all processes together.
        rate: Most requests per second to it, as above; no limit where None.
    """

    folder: Path
    config: TracingConfig
    compression: Compression | None = None
    with_history: bool = False
    namespace: str | None = None
    workflow_id: str | None = None
    run_id: str | None = None
    to: str | None = None
    repair: bool = False
    have: tuple[Path, ...] = ()
    connect: Connect | None = None
    database: str | None = field(default=None, repr=False)
    serializer: str = ""
    decoding: Decoding = field(default_factory=Decoding)
    concurrency: int = CONCURRENCY
    rate: float | None = None

    @property
    def held(self) -> int:
        """Most histories that are fetched, or wait to be converted: as many again as are fetched at once.

        While a long one is converted, others arrive, and the server shall not stand idle for them.
        """
        return 2 * self.concurrency

    def shared(self, processes: int) -> ExportSettings:
        """The settings of one of several processes: its part of what the server is asked."""
        # The process that lists runs asks, too.
        rate = self.rate / (processes + 1) if self.rate is not None else None
        return replace(self, concurrency=max(1, self.concurrency // processes), rate=rate)

    def target(self) -> Target | None:
        """Where spans are sent.

        Raises:
            TargetError: It is no target, or the environment's settings for it cannot be used.
        """
        return target_for(self.to, os.environ) if self.to is not None else None

    def fingerprint(self) -> str:
        """A hash of all that the bytes of the files depend on, but for the histories."""
        parts = [
            VERSION,
            _version("genai-prices"),
            *(
                f"{setting.name}={_identity(getattr(self.config, setting.name))}"
                for setting in fields(self.config)
                if setting.name not in _LIVE_ONLY
            ),
            f"price list={_content(self.config.prices)}",
            *sorted(f"{entry.name}={entry.value} {entry.dist and entry.dist.version}" for entry in _added()),
            f"{self.compression} {self.with_history} {self.namespace} {self.workflow_id} {self.run_id} {self.decoding}",
            *([f"serializer={self.serializer}"] if self.serializer else []),
        ]
        return blake2b("\n".join(parts).encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def _added() -> Any:
    return entry_points(group=ENTRY_POINTS)


def _identity(value: object) -> str:
    """A value as text that is the same in the next process; a function's address would not be."""
    module = getattr(value, "__module__", "") if callable(value) else ""
    return f"{module} {_ADDRESS.sub('', repr(value))}"


def _content(path: str) -> str:
    if not path:
        return ""
    try:
        return blake2b(Path(path).read_bytes()).hexdigest()
    except OSError:
        return ""  # as good as no prices


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
