"""Which build ID a worker tells the server."""

from __future__ import annotations

from typing import Any

import pytest
from temporalio.common import WorkerDeploymentVersion
from temporalio.worker import WorkerDeploymentConfig
from temporalio.worker._worker import load_default_build_id

from tracing.live.attempts import build_id
from tracing.live.attempts.build_id import worker_build_id

DEPLOYMENT = WorkerDeploymentConfig(
    version=WorkerDeploymentVersion(deployment_name="agents", build_id="2.1"), use_worker_versioning=True
)


@pytest.mark.parametrize(
    ("config", "expected"), [({"deployment_config": DEPLOYMENT}, "2.1"), ({"build_id": "7"}, "7")], ids=repr
)
def test_the_one_that_its_user_set(config: Any, expected: str) -> None:
    assert worker_build_id(config) == expected


def test_else_the_hash_that_the_sdk_makes() -> None:
    assert worker_build_id({}) == load_default_build_id()


def test_none_where_the_sdk_cannot(monkeypatch: pytest.MonkeyPatch, tracing_log: list[str]) -> None:
    monkeypatch.setattr(build_id, "load_default_build_id", lambda: 1 / 0)
    assert worker_build_id({}) == ""
    assert "the build ID" in tracing_log[0]
