"""Where are spans and scores sent, and how is it asked what it has?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from tracing.scores import Score


class SpanIndex(Protocol):
    """What a backend, or a folder, has of a trace."""

    def span_ids(self, trace_id: int) -> set[int]:
        """IDs of the finished spans that it has of a trace; none where it does not know the trace.

        Raises:
            TargetError: When it cannot be asked.
        """


class ScoreKeeper(Protocol):
    """What takes scores of traces that a backend has."""

    def write(self, trace_id: int, scores: Sequence[Score]) -> int:
        """Write scores of a trace, in place of those with the same IDs; returns how many were written.

        Raises:
            TargetError: When not all could be written. Those that were are not written twice by another call.
        """


class TargetError(Exception):
    """A target that cannot be used, in one sentence with what to do about it.

    Attributes:
        wait: Seconds for which it asks to be left alone.
    """

    def __init__(self, sentence: str, *, wait: float = 0.0) -> None:
        super().__init__(sentence)
        self.wait = wait


@dataclass(frozen=True)
class Settings:
    """How requests to a backend are made.

    Attributes:
        headers: Sent with each request; secrets are in here.
        timeout: Longest wait for a connection, and for each part of an answer, in seconds.
        certificate: File of the authorities to trust; None for those of the system.
        client_certificate: File of the client's certificate, for mutual TLS.
        client_key: File of its key, where the certificate's file does not hold it.
        credentials: What the user sets to change the headers, for messages.
        address: What the user sets to change the address, for messages.
    """

    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    timeout: float = 30.0
    certificate: str | None = None
    client_certificate: str | None = None
    client_key: str | None = None
    credentials: str = "the headers"
    address: str = "the endpoint"


@dataclass(frozen=True)
class Target:
    """A place that takes spans by OTLP/HTTP.

    Attributes:
        name: Its name, for people.
        endpoint: Address that spans are posted to.
        settings: How requests are made.
        compression: "gzip" or None.
        index: What it has already; None where it cannot be asked.
        trace_url: Address at which a trace can be looked at, from its ID; None where there is none. It
            may ask the backend for its project.
        scores: What takes scores of its traces; None where it takes none.
    """

    name: str
    endpoint: str
    settings: Settings = field(default_factory=Settings)
    compression: Literal["gzip"] | None = None
    index: SpanIndex | None = None
    trace_url: Callable[[int], str | None] | None = None
    scores: ScoreKeeper | None = None
