"""Which backend a name or an address means."""

from __future__ import annotations

import pytest

from tracing.backends.registry import target_for
from tracing.backends.target import TargetError

ENVIRON = {
    "PHOENIX_COLLECTOR_ENDPOINT": "http://phoenix:6006",
    "LANGFUSE_HOST": "https://langfuse.example",
    "LANGFUSE_PUBLIC_KEY": "pk",
    "LANGFUSE_SECRET_KEY": "sk",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318",
}


@pytest.mark.parametrize(
    ("given", "name", "endpoint"),
    [
        ("phoenix", "Phoenix", "http://phoenix:6006/v1/traces"),
        ("Langfuse", "Langfuse", "https://langfuse.example/api/public/otel/v1/traces"),
        ("otlp", "OTLP", "http://collector:4318/v1/traces"),
        ("http://elsewhere:4318", "OTLP", "http://elsewhere:4318/v1/traces"),
        ("http://phoenix:6006/v1/traces", "Phoenix", "http://phoenix:6006/v1/traces"),
        ("https://LANGFUSE.example", "Langfuse", "https://langfuse.example/api/public/otel/v1/traces"),
    ],
)
def test_names_and_addresses(given: str, name: str, endpoint: str) -> None:
    target = target_for(given, ENVIRON)
    assert (target.name, target.endpoint) == (name, endpoint)
    assert (target.index is None) == (name == "OTLP")


def test_an_address_says_nothing_of_backends_that_the_environment_does_not_name() -> None:
    assert target_for("http://localhost:6006", {}).name == "OTLP"
    assert target_for("https://cloud.langfuse.com", {}).name == "OTLP"


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("jaeger", "'jaeger' is no backend: name otlp, phoenix, langfuse or an address, http://…"),
        ("http://[::1", "'http://[::1' is no address: it must be like http://localhost:4318."),
        ("ftp://host", "'ftp://host/v1/traces' is no OTLP/HTTP endpoint: it must begin with http:// or https://."),
    ],
)
def test_what_is_neither_is_named(given: str, sentence: str) -> None:
    with pytest.raises(TargetError) as caught:
        target_for(given, ENVIRON)
    assert str(caught.value) == sentence
