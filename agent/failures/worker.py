"""Who does the work of a run that something will happen to?

    FAILURES_TASK_QUEUE=… FAILURES_BUILD=first python -m agent.failures.worker

runs one build of the research agent.
"""

from __future__ import annotations

import dataclasses
import os
from typing import TYPE_CHECKING, Final

from temporalio.common import VersioningBehavior
from temporalio.worker import Worker

from agent.failures.archive import look_up
from agent.failures.builds import BUILDS
from agent.research.activities import call_llm, generate_report, search_web
from agent.running.worker import worker_main
from tracing import exit_process

if TYPE_CHECKING:
    from typing import Unpack

    from temporalio.client import Client

    from agent.running.options import WorkerOptions

TASK_QUEUE: Final = "FAILURES_TASK_QUEUE"
BUILD: Final = "FAILURES_BUILD"
UPGRADES: Final = "FAILURES_UPGRADES"
"""Set where runs move to the current version of the deployment, and are not pinned to the one that began them."""


def build_worker(client: Client, **options: Unpack[WorkerOptions]) -> Worker:
    """Build the worker that the variables ask for."""
    deployment = options.get("deployment_config")
    if deployment is not None and os.environ.get(UPGRADES):
        behaviour = VersioningBehavior.AUTO_UPGRADE
        options["deployment_config"] = dataclasses.replace(deployment, default_versioning_behavior=behaviour)
    return Worker(
        client,
        task_queue=os.environ[TASK_QUEUE],
        workflows=[BUILDS[os.environ[BUILD]]],
        activities=[search_web, call_llm, generate_report, look_up],
        **options,
    )


main = worker_main(build_worker, description="Run a worker of one build of the research agent.")

if __name__ == "__main__":
    exit_process(main())
