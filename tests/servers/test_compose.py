"""docker-compose.yml offers the same servers with the same files. Where the compose client exists, it is asked too."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from typing import Any

import pytest
import yaml

from agent.servers.cache import project_file
from agent.servers.collector import collector_config_files
from agent.servers.temporal import CLI_VERSION, QUEUE_SETTINGS

COMPOSE_FILE = project_file("docker-compose.yml")
ROOT = COMPOSE_FILE.parent


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(COMPOSE_FILE.read_text())
    return content


def interpolate(text: str, environ: dict[str, str]) -> str:
    """`${NAME:-default}` and `${NAME:+replacement}`, innermost first, as compose reads them."""

    def replace(match: re.Match[str]) -> str:
        value = environ.get(match["name"], "")
        return (match["text"] if value else "") if match["how"] == "+" else value or match["text"]

    while (changed := re.sub(r"\$\{(?P<name>\w+):(?P<how>[-+])(?P<text>[^${}]*)\}", replace, text)) != text:
        text = changed
    return text


LANGFUSE_CLOUD = {"LANGFUSE_PUBLIC_KEY": "pk", "LANGFUSE_SECRET_KEY": "sk"}
LANGFUSE_HERE = dict(
    line.split("=", 1) for line in (ROOT / "collector/langfuse.env").read_text().splitlines() if line[0] != "#"
)


@pytest.mark.parametrize(
    ("shell", "files"),
    [
        ({}, ["base.yaml", "phoenix.yaml", "metrics.yaml"]),
        ({"PHOENIX_API_KEY": "key"}, ["base.yaml", "phoenix.yaml", "phoenix-auth.yaml", "metrics.yaml"]),
        (LANGFUSE_CLOUD, ["base.yaml", "phoenix.yaml", "langfuse.yaml", "metrics.yaml"]),
        (LANGFUSE_HERE, ["base.yaml", "phoenix.yaml", "langfuse.yaml", "metrics.yaml"]),
        ({"LANGFUSE_PUBLIC_KEY": "pk"}, ["base.yaml", "phoenix.yaml", "metrics.yaml"]),
        ({"LANGFUSE_SECRET_KEY": "sk"}, ["base.yaml", "phoenix.yaml", "metrics.yaml"]),
    ],
    ids=["nothing set", "Phoenix's key", "Langfuse Cloud", "langfuse.env", "half a key", "the other half"],
)
def test_the_collector_gets_the_files_that_it_gets_without_containers(
    compose: dict[str, Any], shell: dict[str, str], files: list[str]
) -> None:
    service = compose["services"]["collector"]
    command = shlex.split(interpolate(service["command"], shell))
    assert command == [f"--config=/etc/durable-trace/{name}" for name in files]
    assert "./collector:/etc/durable-trace:ro" in service["volumes"]
    environ = {name: interpolate(value, shell) for name, value in service["environment"].items()}
    assert [file.name for file in collector_config_files(environ)] == files


def test_every_mounted_file_exists(compose: dict[str, Any]) -> None:
    mounted = [
        volume.split(":")[0]
        for service in compose["services"].values()
        for volume in service.get("volumes", [])
        if volume.startswith(".")
    ]
    assert mounted == [
        "./collector",
        "./out/collector/traces",  # made by the engine
        "./dashboards/prometheus.yml",
        "./dashboards/targets.yml",
        "./dashboards/rules",
        "./dashboards/grafana/provisioning",
        "./dashboards/grafana/dashboards",
    ]
    assert [(ROOT / path).exists() for path in mounted if not path.startswith("./out")] == [True] * 6


def test_everything_is_published_on_the_loopback_address_once(compose: dict[str, Any]) -> None:
    published = [port for service in compose["services"].values() for port in service.get("ports", [])]
    assert [port for port in published if not port.startswith("127.0.0.1:")] == []
    host_ports = [port.split(":")[1] for port in published]
    assert len(set(host_ports)) == len(host_ports)


def test_what_each_profile_starts(compose: dict[str, Any]) -> None:
    profiles: dict[str, list[str]] = {}
    for name, service in compose["services"].items():
        profiles.setdefault(",".join(service.get("profiles", ["always"])), []).append(name)
    assert profiles == {
        "always": ["temporal", "collector", "phoenix"],
        "metrics": ["prometheus", "grafana"],
        "langfuse": [
            "langfuse-web",
            "langfuse-worker",
            "langfuse-postgres",
            "langfuse-clickhouse",
            "langfuse-redis",
            "langfuse-minio",
        ],
    }


def test_images_are_pinned_to_the_versions_that_run_without_containers(compose: dict[str, Any]) -> None:
    images = {name: service["image"] for name, service in compose["services"].items()}
    assert [
        image for image in images.values() if not re.search(r"(:[\w.-]*\d+\.\d+[\w.-]*|@sha256:[0-9a-f]{64})$", image)
    ] == []
    manifest = yaml.safe_load(project_file("collector/manifest.yaml").read_text())
    phoenix = re.search(r"^arize-phoenix==(.+)$", project_file("requirements/phoenix.in").read_text(), re.MULTILINE)
    assert phoenix is not None
    assert images["temporal"] == f"temporalio/temporal:{CLI_VERSION}"
    assert images["collector"] == f"otel/opentelemetry-collector-contrib:{manifest['dist']['version']}"
    assert images["phoenix"] == f"arizephoenix/phoenix:version-{phoenix[1]}"


def test_temporal_hands_out_tasks_at_once_as_without_containers(compose: dict[str, Any]) -> None:
    command = compose["services"]["temporal"]["command"]
    assert re.findall(r"--dynamic-config-value (\S+)", command) == list(QUEUE_SETTINGS)


def test_langfuse_starts_with_the_keys_that_the_collector_sends_with(compose: dict[str, Any]) -> None:
    for shell in ({}, LANGFUSE_HERE, LANGFUSE_CLOUD):
        langfuse = compose["services"]["langfuse-web"]["environment"]
        keys = [interpolate(langfuse[f"LANGFUSE_INIT_PROJECT_{kind}_KEY"], shell) for kind in ("PUBLIC", "SECRET")]
        chosen = shell or LANGFUSE_HERE
        assert keys == [chosen["LANGFUSE_PUBLIC_KEY"], chosen["LANGFUSE_SECRET_KEY"]]


def test_prometheus_asks_the_ports_that_the_collector_offers(compose: dict[str, Any]) -> None:
    collector = compose["services"]["collector"]["environment"]
    scraped = yaml.safe_load((ROOT / "dashboards/targets.yml").read_text())
    assert {group["labels"]["job"]: group["targets"] for group in scraped} == {
        "agents": [f"collector:{collector['COLLECTOR_PROMETHEUS_ENDPOINT'].split(':')[1]}"],
        "collector": [f"collector:{collector['COLLECTOR_TELEMETRY_PORT']}"],
    }


def _has_compose() -> bool:
    if shutil.which("docker") is None:
        return False
    return subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not _has_compose(), reason="needs the docker compose client (no engine)")
@pytest.mark.parametrize(
    "options", [[], ["--profile", "metrics"], ["--env-file", "collector/langfuse.env"]], ids=" ".join
)
def test_the_compose_client_accepts_it(options: list[str]) -> None:
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("LANGFUSE_", "PHOENIX_"))}
    command = ["docker", "compose", "--file", str(COMPOSE_FILE), *options, "config", "--quiet"]
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
