"""Which build ID does a worker tell the server? History has it on the tasks and attempts that the worker did."""

from __future__ import annotations

import temporalio.worker
from temporalio.worker._worker import load_default_build_id  # it has no public name

from tracing.live.failopen import fail_open


def worker_build_id(config: temporalio.worker.WorkerConfig) -> str:
    """The build ID of a worker: as its user set it, else the SDK's hash of the loaded code; "" where unknown."""
    deployment = config.get("deployment_config")
    if deployment is not None:
        return deployment.version.build_id
    given = config.get("build_id")
    if given:
        return given
    with fail_open("the build ID"):
        # Computed once in a process, and the worker asks for it in any case.
        given = load_default_build_id()
    return given or ""
