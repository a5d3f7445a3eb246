"""The real Temporal dev server, asked with its own command line."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from agent.servers.temporal import TemporalServer, start_temporal, temporal_cli

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.e2e


def temporal(address: str, *arguments: str) -> Any:
    """The answer of `temporal ARGUMENTS` for the server at this address."""
    command = [str(temporal_cli().path), *arguments, "--address", address, "--output", "json", "--disable-config-file"]
    return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)


def test_a_server_is_ready_when_it_is_given(temporal_server: str) -> None:
    assert temporal(temporal_server, "operator", "cluster", "health") == {"status": "SERVING"}
    described = temporal(temporal_server, "operator", "namespace", "describe", "--namespace", "default")
    assert described["namespaceInfo"]["name"] == "default"


def test_a_server_started_again_in_a_folder_has_its_histories(tmp_path: Path) -> None:
    environ = {**os.environ, "TEMPORAL_ADDRESS": ""}
    with start_temporal(tmp_path, environ=environ) as server:
        started = ["--workflow-id", "research-1", "--type", "ResearchAgentWorkflow", "--task-queue", "nobody"]
        temporal(server.address, "workflow", "start", *started)
    with start_temporal(tmp_path, environ=environ) as server:
        history = temporal(server.address, "workflow", "show", "--workflow-id", "research-1")
    assert [event["eventType"] for event in history["events"]] == [
        "EVENT_TYPE_WORKFLOW_EXECUTION_STARTED",
        "EVENT_TYPE_WORKFLOW_TASK_SCHEDULED",
    ]


def test_a_killed_server_started_again_keeps_its_address_and_histories(tmp_path: Path) -> None:
    with start_temporal(tmp_path, environ={**os.environ, "TEMPORAL_ADDRESS": ""}) as server:
        started = ["--workflow-id", "research-1", "--type", "ResearchAgentWorkflow", "--task-queue", "nobody"]
        temporal(server.address, "workflow", "start", *started)
        assert server.process
        server.process.kill()
        server.start()
        assert len(temporal(server.address, "workflow", "show", "--workflow-id", "research-1")["events"]) == 2


def test_a_server_of_somebody_else_cannot_be_started_again() -> None:
    with pytest.raises(RuntimeError, match=r"at temporal\.example:7233 was not started here"):
        TemporalServer("temporal.example:7233").start()
