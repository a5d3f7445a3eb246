"""The manifests of `deploy/kubernetes/`, by what tests ask of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parents[2] / "deploy" / "kubernetes"

Manifest = dict[str, Any]


def manifests() -> dict[str, Manifest]:
    """The resources by kind and name."""
    files = [path for path in FOLDER.glob("*.yaml") if path.name != "kustomization.yaml"]
    found = [each for path in sorted(files) for each in yaml.safe_load_all(path.read_text())]
    return {f"{each['kind']}/{each['metadata']['name']}": each for each in found}


def pod(name: str) -> dict[str, Any]:
    spec = manifests()[f"Deployment/{name}"]["spec"]["template"]["spec"]
    assert isinstance(spec, dict)
    return spec


def container(name: str) -> dict[str, Any]:
    [found] = pod(name)["containers"]
    assert isinstance(found, dict)
    return found


def worker_settings() -> dict[str, str]:
    """The variables that the worker's ConfigMap gives it."""
    data = manifests()["ConfigMap/worker-settings"]["data"]
    assert isinstance(data, dict)
    return data
