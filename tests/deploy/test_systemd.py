"""The unit of `deploy/systemd/`: that systemd takes it, and that its times and variables are the worker's."""

from __future__ import annotations

import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path, PurePosixPath

import pytest

from tests.deploy.settings import seconds_after_a_stop, unknown

FOLDER = Path(__file__).parents[2] / "deploy" / "systemd"
UNIT = FOLDER / "research-agent-worker.service"


def unit() -> dict[str, list[str]]:
    """The unit's directives, each with its values in order."""
    found: dict[str, list[str]] = {}
    for line in UNIT.read_text().splitlines():
        if line and not line.startswith(("#", "[")):
            name, _, value = line.partition("=")
            found.setdefault(name, []).append(value)
    return found


def variables() -> dict[str, str]:
    """What the unit and its file of variables set, also what stands there to be filled in."""
    lines = [line.removeprefix("#") for line in (FOLDER / "worker.env").read_text().splitlines()]
    pairs = [line.partition("=") for line in (*lines, *unit()["Environment"])]
    return {name: value for name, equals, value in pairs if equals and " " not in name}


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_has_nothing_against_it(tmp_path: Path) -> None:
    here = tmp_path / UNIT.name
    # Where the virtual environment is installed is the only thing that this machine lacks.
    here.write_text(UNIT.read_text().replace("/opt/research-agent/bin/python", sys.executable))
    verified = subprocess.run(["systemd-analyze", "verify", here], capture_output=True, text=True, check=False)
    assert (verified.returncode, verified.stdout + verified.stderr) == (0, "")


def test_it_has_the_sections_that_a_service_has() -> None:
    sections = [line for line in UNIT.read_text().splitlines() if line.startswith("[")]
    assert sections == ["[Unit]", "[Service]", "[Install]"]


def test_its_variables_are_read_by_someone() -> None:
    assert {"TEMPORAL_API_KEY", "OPENAI_API_KEY", "WORKER_HEALTH_PORT"} <= variables().keys()
    assert unknown({name: value or "key" for name, value in variables().items()}) == set()


def test_it_waits_longer_than_the_worker_takes_to_stop() -> None:
    [limit] = unit()["TimeoutStopSec"]
    assert seconds_after_a_stop(float(variables()["WORKER_GRACEFUL_SHUTDOWN_SECONDS"])) < float(limit)


def test_it_runs_a_module_that_is_there_with_options_that_it_has() -> None:
    [command] = unit()["ExecStart"]
    _, flag, module, *_ = command.split()
    assert flag == "-m"
    assert find_spec(module) is not None


def test_the_spool_is_in_the_folder_that_systemd_makes_for_the_service_alone() -> None:
    [state], [mode] = unit()["StateDirectory"], unit()["StateDirectoryMode"]
    assert PurePosixPath("/var/lib") / state in PurePosixPath(variables()["DURABLE_TRACE_SPOOL"]).parents
    assert mode == "0700"
