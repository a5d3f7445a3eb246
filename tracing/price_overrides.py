"""Which prices has the user set himself: negotiated, of his own machines, of fine-tuned models?

A JSON file, named by `TracingConfig.prices`; docs/cost.md has an example. The first entry that fits a call's provider,
model and time is its price. A file that cannot be read is named in a warning, once, and has no prices.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec

from tracing.config import logger

MILLION: Final = 1_000_000
_HASH_CHARACTERS: Final = 12

UsdPerMillion = Annotated[Decimal, msgspec.Meta(description="USD per million tokens")]
Name = Annotated[str, msgspec.Meta(min_length=1)]


class _Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"valid_from": "from"}):
    name: Name
    model: Name
    input: UsdPerMillion
    provider: Name = "*"
    output: UsdPerMillion | None = None
    cached_input: UsdPerMillion | None = None
    cache_write: UsdPerMillion | None = None
    reasoning: UsdPerMillion | None = None
    valid_from: date | None = None


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    prices: list[_Entry]


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of one call: cached and written ones are part of the input, reasoning is part of the output."""

    input: int
    output: int = 0
    cached: int = 0
    written: int = 0
    reasoning: int = 0


@dataclass(frozen=True, slots=True)
class OverridePrice:
    """Price of one call by an override.

    Attributes:
        input_cost: USD of the input.
        output_cost: USD of the output.
        source: The override: file, name of the entry, hash of the file.
    """

    input_cost: Decimal
    output_cost: Decimal
    source: str


@dataclass(frozen=True, slots=True)
class Overrides:
    """The prices of one file.

    Attributes:
        entries: Its entries, in their order.
        file: Its name, without folders.
        digest: The first characters of its SHA-256.
    """

    entries: tuple[_Entry, ...]
    file: str
    digest: str

    def price(self, provider: str, models: tuple[str, ...], moment: datetime, tokens: Tokens) -> OverridePrice | None:
        """Price of a call; None where no entry fits.

        Args:
            provider: Provider, by the GenAI conventions.
            models: The model's names: as it answered, then as it was asked for.
            moment: When the call began.
            tokens: Its tokens.
        """
        for model in models:
            for entry in self.entries:
                if not _fits(entry, provider, model, moment):
                    continue
                output_cost = _output_cost(entry, tokens)
                if output_cost is None:
                    return None
                source = f"override:{self.file}#{entry.name}@sha256:{self.digest}"
                return OverridePrice(_input_cost(entry, tokens), output_cost, source)
        return None


_NONE: Final = Overrides((), "", "")


@lru_cache(maxsize=8)
def read_overrides(path: str) -> Overrides:
    """The prices of a file, read once in a process; none where it cannot be used, which a warning says."""
    if not path:
        return _NONE
    try:
        data = Path(path).expanduser().read_bytes()
        entries = msgspec.json.decode(data, type=_File).prices
        for entry in entries:
            _check(entry)
    except (OSError, ValueError, msgspec.MsgspecError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        logger.warning("The prices of %s are not used (%s): calls are priced by genai-prices.", path, reason)
        return _NONE
    return Overrides(tuple(entries), Path(path).name, hashlib.sha256(data).hexdigest()[:_HASH_CHARACTERS])


def _check(entry: _Entry) -> None:
    rates: Mapping[str, Any] = msgspec.structs.asdict(entry)
    for name, rate in rates.items():
        if isinstance(rate, Decimal) and not (rate.is_finite() and rate >= 0):
            raise ValueError(f"{name} of {entry.name} is {rate}")


def _fits(entry: _Entry, provider: str, model: str, moment: datetime) -> bool:
    if not fnmatchcase(provider, entry.provider) or not fnmatchcase(model, entry.model):
        return False
    return entry.valid_from is None or moment.astimezone(UTC).date() >= entry.valid_from


def _input_cost(entry: _Entry, tokens: Tokens) -> Decimal:
    cached = entry.input if entry.cached_input is None else entry.cached_input
    written = entry.input if entry.cache_write is None else entry.cache_write
    plain = tokens.input - tokens.cached - tokens.written
    return (plain * entry.input + tokens.cached * cached + tokens.written * written) / MILLION


def _output_cost(entry: _Entry, tokens: Tokens) -> Decimal | None:
    if entry.output is None:
        # Embeddings have no output; what an answer costs is unknown.
        return None if tokens.output else Decimal(0)
    reasoning = entry.output if entry.reasoning is None else entry.reasoning
    return ((tokens.output - tokens.reasoning) * entry.output + tokens.reasoning * reasoning) / MILLION
