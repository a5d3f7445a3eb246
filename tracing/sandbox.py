"""What may workflow code import without the SDK's sandbox loading it anew for every run?"""

from __future__ import annotations

import dataclasses
from typing import Final

from temporalio.worker import WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

_PASSED_THROUGH: Final = ("tracing", "opentelemetry", "msgspec")


def passing_through(runner: WorkflowRunner) -> WorkflowRunner:
    """Let the code of a sandboxed runner import this package; other runners stay as they are."""
    if not isinstance(runner, SandboxedWorkflowRunner):
        return runner
    return dataclasses.replace(runner, restrictions=runner.restrictions.with_passthrough_modules(*_PASSED_THROUGH))
