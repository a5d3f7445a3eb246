"""What do the events of the run itself and of its workflow tasks say?"""

from __future__ import annotations

from tracing.history.attributes.messages import Attributes, Header, Memo, Named, SearchAttributes, WorkerVersion
from tracing.history.enums import Enum
from tracing.history.failures import FailureMessage
from tracing.history.values import Payloads, PayloadsMap


class WorkflowExecutionStarted(Attributes, frozen=True):
    """The run was started."""

    workflow_type: Named | None = None
    task_queue: Named | None = None
    input: Payloads | None = None
    header: Header | None = None
    search_attributes: SearchAttributes | None = None
    workflow_id: str = ""
    original_execution_run_id: str = ""
    first_execution_run_id: str = ""
    continued_execution_run_id: str = ""
    cron_schedule: str = ""
    attempt: int = 0


class WorkflowExecutionCompleted(Attributes, frozen=True):
    """The run returned."""

    result: Payloads | None = None


class WorkflowExecutionFailed(Attributes, frozen=True):
    """The run failed."""

    failure: FailureMessage | None = None


class WorkflowExecutionTimedOut(Attributes, frozen=True):
    """The run took too long."""


class WorkflowExecutionCanceled(Attributes, frozen=True):
    """The run was cancelled."""


class WorkflowExecutionTerminated(Attributes, frozen=True):
    """The run was terminated."""

    reason: str = ""


class WorkflowExecutionContinuedAsNew(Attributes, frozen=True):
    """The run goes on as another run."""

    input: Payloads | None = None


class WorkflowExecutionSignaled(Attributes, frozen=True):
    """The run got a signal."""

    signal_name: str = ""
    input: Payloads | None = None
    header: Header | None = None
    identity: str = ""


class UpsertWorkflowSearchAttributes(Attributes, frozen=True):
    """The run set search attributes."""

    search_attributes: SearchAttributes | None = None


class WorkflowPropertiesModified(Attributes, frozen=True):
    """The run changed its memo."""

    upserted_memo: Memo | None = None


class MarkerRecorded(Attributes, frozen=True):
    """The SDK noted something: a local activity, a version, a side effect."""

    marker_name: str = ""
    details: PayloadsMap = PayloadsMap()
    failure: FailureMessage | None = None
    workflow_task_completed_event_id: int = 0


class WorkflowTaskCompleted(Attributes, frozen=True):
    """A workflow task was done."""

    started_event_id: int = 0
    identity: str = ""
    worker_version: WorkerVersion | None = None
    binary_checksum: str = ""

    @property
    def build_id(self) -> str:
        """Build ID of the worker, or ""; servers before worker versions, and the test server, call it a checksum."""
        return self.worker_version.build_id if self.worker_version is not None else self.binary_checksum


class WorkflowTaskFailed(Attributes, frozen=True):
    """A workflow task failed, or the run was reset here."""

    cause: Enum = 0
    failure: FailureMessage | None = None
    base_run_id: str = ""
    new_run_id: str = ""


class WorkflowTaskTimedOut(Attributes, frozen=True):
    """A workflow task took too long."""

    timeout_type: Enum = 0
