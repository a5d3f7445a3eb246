"""What a worker's command line and variables say."""

from __future__ import annotations

from datetime import timedelta

import pytest
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.worker import WorkerDeploymentConfig

from agent.running.options import RunOptions, read_options


def read(*arguments: str, **environ: str) -> RunOptions:
    return read_options("Run a worker.", arguments, environ)


def test_nothing_need_be_said() -> None:
    assert read() == RunOptions(
        worker={
            "identity": None,
            "max_cached_workflows": 1000,
            "graceful_shutdown_timeout": timedelta(seconds=10),
            "sticky_queue_schedule_to_start_timeout": timedelta(seconds=3),
            "deployment_config": None,
        },
        health_host="127.0.0.1",
        health_port=None,
    )


def test_variables_say_what_the_command_line_does_not() -> None:
    variables = {
        "WORKER_HEALTH_HOST": "0.0.0.0",
        "WORKER_HEALTH_PORT": "8081",
        "WORKER_GRACEFUL_SHUTDOWN_SECONDS": "60",
    }

    by_variable = read(**variables)
    by_argument = read("--health-port", "0", "--graceful-shutdown-timeout", "1.5", **variables)

    assert (by_variable.health_host, by_variable.health_port) == ("0.0.0.0", 8081)
    assert by_variable.worker["graceful_shutdown_timeout"] == timedelta(seconds=60)
    assert (by_argument.health_host, by_argument.health_port) == ("0.0.0.0", 0)
    assert by_argument.worker["graceful_shutdown_timeout"] == timedelta(seconds=1.5)


@pytest.mark.parametrize(
    ("arguments", "environ"),
    [
        (("--deployment-name", "research", "--build-id", "v2"), {}),
        ((), {"TEMPORAL_DEPLOYMENT_NAME": "research", "TEMPORAL_WORKER_BUILD_ID": "v2"}),
    ],
)
def test_a_worker_of_a_deployment_keeps_runs_on_the_version_that_began_them(
    arguments: tuple[str, ...], environ: dict[str, str]
) -> None:
    assert read(*arguments, **environ).worker["deployment_config"] == WorkerDeploymentConfig(
        version=WorkerDeploymentVersion(deployment_name="research", build_id="v2"),
        use_worker_versioning=True,
        default_versioning_behavior=VersioningBehavior.PINNED,
    )


@pytest.mark.parametrize(
    ("arguments", "environ", "says"),
    [
        (("--build-id", "v2"), {}, "worker versioning needs both --deployment-name and --build-id"),
        ((), {"TEMPORAL_DEPLOYMENT_NAME": "research"}, "worker versioning needs both --deployment-name and --build-id"),
        (("--health-port", "70000"), {}, "argument --health-port: 70000 is no port: 0 to 65535"),
        ((), {"WORKER_HEALTH_PORT": "http"}, "argument --health-port: http is no port: 0 to 65535"),
        (
            (),
            {"WORKER_GRACEFUL_SHUTDOWN_SECONDS": "-1"},
            "argument --graceful-shutdown-timeout: -1 is no time in seconds",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(
    arguments: tuple[str, ...], environ: dict[str, str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as raised:
        read(*arguments, **environ)
    assert raised.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1].endswith(says)
