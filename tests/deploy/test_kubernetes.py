"""The manifests of `deploy/kubernetes/`: what Kubernetes would refuse, and what only a reader could notice."""

from __future__ import annotations

import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

import kubernetes_validate  # type: ignore[import-untyped]
import pytest
import yaml
from kubernetes_validate.utils import all_versions  # type: ignore[import-untyped]

from agent.running.health import LOOP_SECONDS
from agent.servers.collector import collector_config_files
from tests.deploy.manifests import FOLDER, container, manifests, pod, worker_settings
from tests.deploy.settings import seconds_after_a_stop, unknown
from tracing.config import TracingConfig

ROOT = Path(__file__).parents[2]
VERSIONS = (all_versions()[0], kubernetes_validate.latest_version())


def amount(text: str) -> int:
    """An amount of bytes as Kubernetes writes it."""
    units = {"Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30}
    return int(text[:-2]) * units[text[-2:]]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", manifests())
def test_a_manifest_is_one_that_kubernetes_accepts(name: str, version: str) -> None:
    kubernetes_validate.validate(manifests()[name], version, strict=True)


def test_a_misspelt_field_would_be_noticed() -> None:
    wrong = manifests()["Deployment/worker"]
    wrong["spec"]["template"]["spec"]["terminationGracePeriod"] = 90
    with pytest.raises(kubernetes_validate.ValidationError, match="terminationGracePeriod"):
        kubernetes_validate.validate(wrong, VERSIONS[-1], strict=True)


def test_kustomize_takes_all_of_them_and_the_collectors_own_files() -> None:
    kustomization = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())
    files = {path.name for path in FOLDER.iterdir()} - {"kustomization.yaml"}
    assert set(kustomization["resources"]) == {*files, "../../collector"}
    [generator] = yaml.safe_load((ROOT / "collector" / "kustomization.yaml").read_text())["configMapGenerator"]
    [config] = [volume["configMap"]["name"] for volume in pod("collector")["volumes"] if "configMap" in volume]
    assert generator["name"] == config
    mounted = [f"--config=/etc/durable-trace/{file}" for file in generator["files"]]
    assert container("collector")["args"] == mounted
    assert all((ROOT / "collector" / file).is_file() for file in generator["files"])
    named = {image["name"] for image in kustomization["images"]}
    assert named == {container("worker")["image"]}


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")
def test_kubectl_builds_what_is_applied() -> None:
    built = subprocess.run(["kubectl", "kustomize", FOLDER], capture_output=True, text=True, check=True).stdout
    resources = list(yaml.safe_load_all(built))
    for resource in resources:
        kubernetes_validate.validate(resource, VERSIONS[-1], strict=True)
    assert {each["metadata"].get("namespace") for each in resources if each["kind"] != "Namespace"} == {
        manifests()["Namespace/research-agent"]["metadata"]["name"]
    }
    [collector] = [each for each in resources if "base.yaml" in each.get("data", {})]
    files = {path.name: path.read_text() for path in collector_config_files({"PHOENIX_COLLECTOR_ENDPOINT": "set"})}
    assert collector["data"] == {name: files[name] for name in collector["data"]}


def test_the_workers_variables_are_read_by_someone() -> None:
    assert unknown(worker_settings()) == set()
    own = {each["name"]: "" for each in container("worker")["env"]}
    used = "".join(container("worker")["args"])
    assert [name for name in own if f"$({name})" not in used] == []


def test_the_collectors_variables_are_in_its_configuration() -> None:
    files = [arg.rpartition("/")[2] for arg in container("collector")["args"]]
    read = set(re.findall(r"\$\{env:([A-Z_]+)", "".join((ROOT / "collector" / file).read_text() for file in files)))
    assert {each["name"] for each in container("collector")["env"]} <= read


def test_a_pods_grace_covers_the_workers_own() -> None:
    worker = seconds_after_a_stop(float(worker_settings()["WORKER_GRACEFUL_SHUTDOWN_SECONDS"]))
    assert worker < pod("worker")["terminationGracePeriodSeconds"]


def test_a_worker_that_is_blocked_is_restarted_later_than_its_probe_gives_up() -> None:
    probes = [container("worker")[f"{kind}Probe"] for kind in ("startup", "liveness", "readiness")]
    assert [probe["timeoutSeconds"] > LOOP_SECONDS for probe in probes] == [True] * 3


def test_probes_and_the_service_name_ports_that_are_there() -> None:
    for name in ("worker", "collector"):
        ports = {port["name"]: port["containerPort"] for port in container(name)["ports"]}
        probes = [probe for key, probe in container(name).items() if key.endswith("Probe")]
        assert {probe["httpGet"]["port"] for probe in probes} == {"health"}
        service = manifests().get(f"Service/{name}", {"spec": {"ports": []}})
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= set(ports)
    [health] = [port["containerPort"] for port in container("worker")["ports"]]
    assert str(health) == worker_settings()["WORKER_HEALTH_PORT"]


def test_selectors_select_the_pods_that_they_mean() -> None:
    found = manifests()
    for name in ("worker", "collector"):
        labels = found[f"Deployment/{name}"]["spec"]["template"]["metadata"]["labels"]
        assert found[f"Deployment/{name}"]["spec"]["selector"]["matchLabels"] == labels
    collector = found["Deployment/collector"]["spec"]["template"]["metadata"]["labels"]
    worker = found["Deployment/worker"]["spec"]["template"]["metadata"]["labels"]
    assert found["Service/collector"]["spec"]["selector"] == collector
    assert found["NetworkPolicy/collector"]["spec"]["podSelector"]["matchLabels"] == collector
    [ingress] = found["NetworkPolicy/collector"]["spec"]["ingress"]
    assert [each["podSelector"]["matchLabels"] for each in ingress["from"]] == [worker]
    assert found["PodDisruptionBudget/worker"]["spec"]["selector"]["matchLabels"] == worker
    assert worker_settings()["OTEL_EXPORTER_OTLP_ENDPOINT"] == "http://collector:4318"
    assert {port["name"]: port["port"] for port in found["Service/collector"]["spec"]["ports"]}["otlp-http"] == 4318


@pytest.mark.parametrize("name", ["worker", "collector"])
def test_a_pod_is_as_restricted_as_its_namespace_asks(name: str) -> None:
    labels = manifests()["Namespace/research-agent"]["metadata"]["labels"]
    assert labels == {"pod-security.kubernetes.io/enforce": "restricted"}
    assert pod(name)["securityContext"]["runAsNonRoot"] is True
    assert pod(name)["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container(name)["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    mounted = {mount["name"] for mount in container(name)["volumeMounts"]}
    assert mounted == {volume["name"] for volume in pod(name)["volumes"]}


def test_the_spool_has_room_and_is_no_mount_itself() -> None:
    settings = worker_settings()
    # A mount's own folder may be written by others, which a spool refuses.
    spool = Path(settings["DURABLE_TRACE_SPOOL"])
    [state] = [each for each in container("worker")["volumeMounts"] if Path(each["mountPath"]) in spool.parents]
    [volume] = [each for each in pod("worker")["volumes"] if each["name"] == state["name"]]
    assert int(settings["DURABLE_TRACE_SPOOL_MAX_BYTES"]) == TracingConfig().spool_max_bytes
    assert TracingConfig().spool_max_bytes < amount(volume["emptyDir"]["sizeLimit"])


def test_the_collector_refuses_spans_before_its_memory_is_gone() -> None:
    [limit] = [each["value"] for each in container("collector")["env"] if each["name"] == "COLLECTOR_MEMORY_LIMIT_MIB"]
    assert amount(f"{limit}Mi") < amount(container("collector")["resources"]["limits"]["memory"])


def test_images_run_modules_that_are_there() -> None:
    python, flag, module = container("worker")["command"]
    assert (python, flag) == ("python", "-m")
    assert find_spec(module) is not None
    image = (ROOT / "deploy" / "Dockerfile").read_text()
    assert f'CMD ["python", "-m", "{module}"]' in image
    user = pod("worker")["securityContext"]["runAsUser"]
    assert f"USER {user}:{user}" in image


def test_the_image_has_what_its_build_needs_and_nothing_else() -> None:
    ignored = (ROOT / "deploy" / "Dockerfile.dockerignore").read_text().splitlines()
    assert ignored[0] == "*"
    needed = [line.removeprefix("!") for line in ignored[1:]]
    assert [path for path in needed if not (ROOT / path).exists()] == []
    build = (ROOT / "pyproject.toml").read_text()
    forced = re.search(r"force-include\]\n(.*?)\n\n", build, re.DOTALL)
    assert forced is not None
    packages = re.search(r"^packages = \[(.*)\]$", build.partition("targets.wheel]")[2], re.MULTILINE)
    assert packages is not None
    of_the_wheel = re.findall(r'^"([^"]+)" =', forced[1], re.MULTILINE) + re.findall(r'"([^"]+)"', packages[1])
    assert set(of_the_wheel) <= set(needed)
