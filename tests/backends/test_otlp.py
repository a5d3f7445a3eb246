"""The OTLP endpoint that the environment names."""

from __future__ import annotations

import pytest
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

from tracing.backends.otlp import otlp_target
from tracing.backends.target import Settings, Target, TargetError


def test_without_a_word_it_is_a_collector_on_this_machine() -> None:
    assert otlp_target({}) == Target(
        name="OTLP",
        endpoint="http://localhost:4318/v1/traces",
        settings=Settings(
            timeout=10.0, credentials="OTEL_EXPORTER_OTLP_HEADERS", address="OTEL_EXPORTER_OTLP_ENDPOINT"
        ),
    )


ALL = {
    "OTEL_EXPORTER_OTLP_ENDPOINT": "https://collector:4318/base/",
    "OTEL_EXPORTER_OTLP_HEADERS": "api-key=a%20b,X-Team=research",
    "OTEL_EXPORTER_OTLP_TIMEOUT": "2.5",
    "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
    "OTEL_EXPORTER_OTLP_CERTIFICATE": "ca.pem",
    "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE": "client.pem",
    "OTEL_EXPORTER_OTLP_CLIENT_KEY": "client.key",
}


def test_each_variable_is_honoured() -> None:
    assert otlp_target(ALL) == Target(
        name="OTLP",
        endpoint="https://collector:4318/base/v1/traces",
        settings=Settings(
            headers={"api-key": "a b", "x-team": "research"},
            timeout=2.5,
            certificate="ca.pem",
            client_certificate="client.pem",
            client_key="client.key",
            credentials="OTEL_EXPORTER_OTLP_HEADERS",
            address="OTEL_EXPORTER_OTLP_ENDPOINT",
        ),
        compression="gzip",
    )


def test_a_variable_for_traces_wins() -> None:
    of_traces = {
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://traces:9999/custom",
        "OTEL_EXPORTER_OTLP_TRACES_HEADERS": "api-key=t",
        "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT": "7",
        "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION": "none",
        "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE": "traces.pem",
    }
    target = otlp_target({**ALL, **of_traces})
    assert target.endpoint == "http://traces:9999/custom"
    assert target.settings.headers == {"api-key": "t"}
    assert (target.settings.timeout, target.settings.certificate, target.compression) == (7.0, "traces.pem", None)


@pytest.mark.parametrize(
    "environ",
    [
        {},
        ALL,
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://a:1"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://a:1/", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://b:2/"},
    ],
)
def test_the_endpoint_is_the_one_that_the_sdks_exporter_takes(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (*ALL, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        if not name.endswith(("CERTIFICATE", "KEY")):  # it opens these files
            monkeypatch.setenv(name, value)
    exporter = OTLPSpanExporter()
    assert otlp_target(environ).endpoint == exporter._endpoint
    exporter.shutdown()  # type: ignore[no-untyped-call]  # the SDK's method has no types


@pytest.mark.parametrize(
    ("given", "endpoint"),
    [
        ("http://host:4318", "http://host:4318/v1/traces"),
        ("http://host:4318/", "http://host:4318/v1/traces"),
        ("http://host:4318/v1/traces", "http://host:4318/v1/traces"),
        ("https://host/otlp", "https://host/otlp/v1/traces"),
    ],
)
def test_an_address_that_is_given_wins_over_the_environments(given: str, endpoint: str) -> None:
    environ = {**ALL, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://traces:9999", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}
    assert otlp_target(environ, given).endpoint == endpoint


@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        (
            {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
            (
                "OTEL_EXPORTER_OTLP_PROTOCOL is grpc, and traces are sent by HTTP only: name the HTTP endpoint, "
                "for a Collector usually http://localhost:4318."
            ),
        ),
        (
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4318"},
            "'collector:4318/v1/traces' is no OTLP/HTTP endpoint: it must begin with http:// or https://.",
        ),
        ({"OTEL_EXPORTER_OTLP_TIMEOUT": "soon"}, "OTEL_EXPORTER_OTLP_TIMEOUT is 'soon': give a number of seconds."),
        ({"OTEL_EXPORTER_OTLP_TIMEOUT": "inf"}, "OTEL_EXPORTER_OTLP_TIMEOUT is 'inf': give a number of seconds."),
    ],
)
def test_settings_that_cannot_be_used_are_named(environ: dict[str, str], sentence: str) -> None:
    with pytest.raises(TargetError) as caught:
        otlp_target(environ)
    assert str(caught.value) == sentence
