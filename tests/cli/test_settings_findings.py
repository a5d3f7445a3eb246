"""What `durable-trace doctor` says of the settings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tracing.cli.findings import Finding
from tracing.cli.settings_findings import settings_findings
from tracing.config import TracingConfig

CONTENT = {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY"}
LEDGER = Finding("ledger", "ok", "on, up to 65,536 bytes an attempt")
NO_CONTENT = Finding("message content", "ok", "off")


def look(environ: dict[str, str]) -> list[Finding]:
    return settings_findings(TracingConfig.from_environment(environ), environ)


def test_the_defaults() -> None:
    assert look({}) == [NO_CONTENT, LEDGER]


@pytest.mark.parametrize(
    ("environ", "found", "mend"),
    [
        (
            CONTENT,
            "on, cut at 32,768 characters; redacted: nothing",
            "DURABLE_TRACE_REDACT=keys,tokens,email,cards hides what looks like that.",
        ),
        (
            {**CONTENT, "DURABLE_TRACE_REDACT": "keys, email", "DURABLE_TRACE_MAX_CONTENT_LENGTH": "100"},
            "on, cut at 100 characters; redacted: keys, email",
            "",
        ),
        (
            {**CONTENT, "DURABLE_TRACE_REDACT": "cards", "DURABLE_TRACE_DECODE_PAYLOADS": "on"},
            (
                "on, cut at 32,768 characters; redacted: cards; what a payload codec encrypts is shown decrypted "
                "(DURABLE_TRACE_DECODE_PAYLOADS)"
            ),
            "",
        ),
        ({"DURABLE_TRACE_REDACT": "keys"}, "off; redacted: keys", ""),
    ],
)
def test_content_and_who_redacts_it(environ: dict[str, str], found: str, mend: str) -> None:
    assert look(environ) == [Finding("message content", "ok", found, mend), LEDGER]


def test_a_redactor_of_ones_own() -> None:
    config = TracingConfig(capture_content=True, redact=lambda _key, text: text)
    found = "on, cut at 32,768 characters; redacted: by a function of yours"
    assert settings_findings(config, {})[0] == Finding("message content", "ok", found)


def test_without_ledgers_histories_do_not_hold_usage() -> None:
    found = "off: histories do not hold usage and cost of model calls"
    assert look({"DURABLE_TRACE_LEDGER": "off"})[1] == Finding("ledger", "off", found, "Unset DURABLE_TRACE_LEDGER.")


def test_what_is_left_out_is_said_where_something_is() -> None:
    environ = {"DURABLE_TRACE_INCLUDE_WORKFLOWS": "Research*,Agent", "DURABLE_TRACE_EXCLUDE_ACTIVITIES": "ping"}
    assert look(environ)[2:] == [Finding("traced", "ok", "only workflows Research*, Agent; no activities ping")]


def test_prices_of_ones_own(tmp_path: Path) -> None:
    file = tmp_path / "prices.json"
    file.write_text(json.dumps({"prices": [{"name": "ours", "model": "llama-*", "input": 0.1}]}))
    found = f"1 of your own in {file}, before the price list"
    assert look({"DURABLE_TRACE_PRICES": str(file)})[2:] == [Finding("prices", "ok", found)]


def test_prices_that_cannot_be_read(tmp_path: Path) -> None:
    file = tmp_path / "none.json"
    assert look({"DURABLE_TRACE_PRICES": str(file)})[2:] == [
        Finding(
            "prices",
            "failed",
            f"{file} cannot be used: the price list alone counts",
            "Mend it or unset DURABLE_TRACE_PRICES; docs/cost.md shows its form.",
        )
    ]


def test_variables_that_are_misspelt() -> None:
    environ = {"DURABLE_TRACE_SPOL": "/spool", "DURABLE_TRACE_XYZZY": "1", "DURABLE_TRACE_CACHE_DIR": "/cache"}
    assert look(environ)[2:] == [
        Finding("DURABLE_TRACE_SPOL", "failed", "is no setting: it has no effect", "Is it DURABLE_TRACE_SPOOL?"),
        Finding("DURABLE_TRACE_XYZZY", "failed", "is no setting: it has no effect", "Unset it."),
    ]
