"""What do the settings say: of content, ledgers, what is traced, prices? And is a variable misspelt?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from difflib import get_close_matches
from typing import Final

from tracing.cli.findings import Finding
from tracing.config import TracingConfig
from tracing.price_overrides import read_overrides
from tracing.redaction import NAMES, Redactors

_PREFIX: Final = "DURABLE_TRACE_"
_OF_THE_DEMO: Final = "DURABLE_TRACE_CACHE_DIR"
"""Where the demo keeps its servers: no setting of the tracing."""


def settings_findings(config: TracingConfig, environ: Mapping[str, str]) -> list[Finding]:
    """Look at the settings, as the environment has them."""
    return [_content(config), _ledger(config), *_chosen(config), *_prices(config), *_misspelt(environ)]


def _content(config: TracingConfig) -> Finding:
    redacted = f"redacted: {_redactors(config)}"
    if not config.capture_content:
        return Finding("message content", "ok", f"off; {redacted}" if config.redact is not None else "off")
    found = f"on, cut at {config.max_content_length:,} characters; {redacted}"
    if config.decode_payloads:
        found += "; what a payload codec encrypts is shown decrypted (DURABLE_TRACE_DECODE_PAYLOADS)"
    mend = "" if config.redact is not None else f"DURABLE_TRACE_REDACT={','.join(NAMES)} hides what looks like that."
    return Finding("message content", "ok", found, mend)


def _redactors(config: TracingConfig) -> str:
    if config.redact is None:
        return "nothing"
    return ", ".join(config.redact.names) if isinstance(config.redact, Redactors) else "by a function of yours"


def _ledger(config: TracingConfig) -> Finding:
    if config.ledger:
        return Finding("ledger", "ok", f"on, up to {config.max_ledger_bytes:,} bytes an attempt")
    return Finding(
        "ledger", "off", "off: histories do not hold usage and cost of model calls", "Unset DURABLE_TRACE_LEDGER."
    )


def _chosen(config: TracingConfig) -> list[Finding]:
    """What is left out, where something is."""
    rules = {
        "only workflows": config.include_workflows,
        "no workflows": config.exclude_workflows,
        "only activities": config.include_activities,
        "no activities": config.exclude_activities,
    }
    said = [f"{rule} {', '.join(patterns)}" for rule, patterns in rules.items() if patterns]
    return [Finding("traced", "ok", "; ".join(said))] if said else []


def _prices(config: TracingConfig) -> list[Finding]:
    if not config.prices:
        return []
    prices = read_overrides(config.prices)
    if not prices.file:
        mend = "Mend it or unset DURABLE_TRACE_PRICES; docs/cost.md shows its form."
        return [Finding("prices", "failed", f"{config.prices} cannot be used: the price list alone counts", mend)]
    return [Finding("prices", "ok", f"{len(prices.entries)} of your own in {config.prices}, before the price list")]


def _misspelt(environ: Mapping[str, str]) -> list[Finding]:
    known = [name for setting in fields(TracingConfig) if (name := setting.metadata.get("variable"))]
    unknown = sorted(name for name in environ if name.startswith(_PREFIX) and name not in {*known, _OF_THE_DEMO})
    return [Finding(name, "failed", "is no setting: it has no effect", _meant(name, known)) for name in unknown]


def _meant(name: str, known: list[str]) -> str:
    # What all names begin with makes no two of them alike.
    ours = [each.removeprefix(_PREFIX) for each in known if each.startswith(_PREFIX)]
    close = get_close_matches(name.removeprefix(_PREFIX), ours, 1)
    return f"Is it {_PREFIX}{close[0]}?" if close else "Unset it."
