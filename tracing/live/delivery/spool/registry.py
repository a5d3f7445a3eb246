"""Which spool has a tracer provider?"""

from __future__ import annotations

from typing import Final
from weakref import WeakKeyDictionary

from opentelemetry import trace

from tracing.live.delivery.spool.store import Spool

_spools: Final[WeakKeyDictionary[trace.TracerProvider, Spool]] = WeakKeyDictionary()


def spool_of(provider: trace.TracerProvider) -> Spool | None:
    """The spool of a provider, where it has one."""
    return _spools.get(provider) if _spools else None  # asked for with every span, where most processes have none


def set_spool(provider: trace.TracerProvider, spool: Spool) -> None:
    """A provider has a spool from now on."""
    _spools[provider] = spool


def spools() -> list[Spool]:
    """All spools of this process."""
    return list(_spools.values())
