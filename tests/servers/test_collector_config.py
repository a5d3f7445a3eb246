"""Which configuration files the Collector gets, and that they fit together. e2e/ runs the Collector with them."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from agent.servers.cache import project_file
from agent.servers.collector import collector_config_files
from agent.servers.go_build import COLLECTOR_BUILDER

FOLDER = project_file("collector")
CONFIGS = sorted(file for file in FOLDER.glob("*.yaml") if file.name != "manifest.yaml")


def load(name: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((FOLDER / name).read_text())
    return content


@pytest.mark.parametrize(
    ("environ", "files"),
    [
        ({}, ["base.yaml"]),
        ({"PHOENIX_COLLECTOR_ENDPOINT": "http://127.0.0.1:6006"}, ["base.yaml", "phoenix.yaml"]),
        (
            {"PHOENIX_COLLECTOR_ENDPOINT": "http://127.0.0.1:6006", "PHOENIX_API_KEY": "key"},
            ["base.yaml", "phoenix.yaml", "phoenix-auth.yaml"],
        ),
        ({"PHOENIX_API_KEY": "key"}, ["base.yaml"]),
        ({"LANGFUSE_PUBLIC_KEY": "pk", "LANGFUSE_SECRET_KEY": "sk"}, ["base.yaml", "langfuse.yaml"]),
        ({"LANGFUSE_BASE_URL": "http://127.0.0.1:3000", "LANGFUSE_PUBLIC_KEY": "pk"}, ["base.yaml"]),
        ({"LANGFUSE_PUBLIC_KEY": "pk", "LANGFUSE_SECRET_KEY": ""}, ["base.yaml"]),
        ({"COLLECTOR_PROMETHEUS_ENDPOINT": "127.0.0.1:8889"}, ["base.yaml", "metrics.yaml"]),
    ],
    ids=lambda value: "+".join(value) or "nothing set",
)
def test_each_backend_is_on_only_when_its_address_or_keys_are_set(environ: dict[str, str], files: list[str]) -> None:
    assert [file.name for file in collector_config_files(environ)] == files


@pytest.mark.parametrize("file", CONFIGS, ids=lambda file: file.name)
def test_no_file_loses_the_extensions_of_the_base(file: Any) -> None:
    """A list in a later file replaces the earlier one."""
    base, extensions = load("base.yaml")["service"]["extensions"], load(file.name).get("service", {}).get("extensions")
    assert extensions is None or extensions[: len(base)] == base


def test_two_files_never_name_the_same_pipeline() -> None:
    pipelines = [name for file in CONFIGS for name in load(file.name).get("service", {}).get("pipelines", {})]
    assert sorted(pipelines) == [
        "metrics/prometheus",
        "traces/file",
        "traces/langfuse",
        "traces/phoenix",
        "traces/span_metrics",
    ]


def test_each_pipeline_protects_the_memory() -> None:
    pipelines = [
        pipeline for file in CONFIGS for pipeline in load(file.name).get("service", {}).get("pipelines", {}).values()
    ]
    assert [pipeline["processors"][0] for pipeline in pipelines] == ["memory_limiter"] * 5


def test_each_backend_retries_for_ever_from_a_queue_on_disk() -> None:
    for file, exporter in (("phoenix.yaml", "otlp_http/phoenix"), ("langfuse.yaml", "otlp_http/langfuse")):
        settings = load(file)["exporters"][exporter]
        assert settings["sending_queue"]["storage"] == "file_storage"
        assert settings["retry_on_failure"]["max_elapsed_time"] == "0s"


def test_what_listens_does_so_on_the_loopback_address_unless_told_otherwise() -> None:
    text = "".join(file.read_text() for file in CONFIGS)
    assert re.findall(r"\$\{env:COLLECTOR_(\w+(?:ENDPOINT|HOST))(?::-([^}]*))?\}", text) == [
        ("OTLP_GRPC_ENDPOINT", "127.0.0.1:4317"),
        ("OTLP_HTTP_ENDPOINT", "127.0.0.1:4318"),
        ("HEALTH_ENDPOINT", "127.0.0.1:13133"),
        ("PROMETHEUS_ENDPOINT", ""),
        ("TELEMETRY_HOST", "127.0.0.1"),
    ]


def test_all_parts_of_the_built_collector_have_the_builders_version() -> None:
    manifest = load("manifest.yaml")
    version = f"v{manifest['dist']['version']}"
    assert COLLECTOR_BUILDER.rpartition("@")[2] == version
    kinds = ("receivers", "processors", "exporters", "connectors", "extensions")
    assert {part["gomod"].split()[1] for kind in kinds for part in manifest[kind]} == {version}
