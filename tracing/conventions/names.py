"""What are spans called?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final


def start_workflow(workflow_type: str) -> str:
    """Name of the client's span that starts a run."""
    return f"StartWorkflow:{workflow_type}"


def signal_with_start_workflow(workflow_type: str) -> str:
    """Name of the client's span that starts a run with a signal."""
    return f"SignalWithStartWorkflow:{workflow_type}"


def start_update_with_start_workflow(workflow_type: str) -> str:
    """Name of the client's span that updates a run and starts it where there is none."""
    return f"StartUpdateWithStartWorkflow:{workflow_type}"


CLIENT_STARTS: Final[Mapping[object, Callable[[str], str]]] = {
    "start": start_workflow,
    "signal_with_start": signal_with_start_workflow,
    "update_with_start": start_update_with_start_workflow,
}
"""Names of the client's span by the call that started a run, as `durable.client_start.call` has it."""


def signal_workflow(signal_name: str) -> str:
    """Name of the client's span that sends a signal."""
    return f"SignalWorkflow:{signal_name}"


def query_workflow(query_name: str) -> str:
    """Name of the client's span that asks a query."""
    return f"QueryWorkflow:{query_name}"


def start_workflow_update(update_name: str) -> str:
    """Name of the client's span that sends an update."""
    return f"StartWorkflowUpdate:{update_name}"


def run_start_nexus_operation_handler(service: str, operation: str) -> str:
    """Name of the span of a handler that starts a Nexus operation."""
    return f"RunStartNexusOperationHandler:{service}/{operation}"


def run_cancel_nexus_operation_handler(service: str, operation: str) -> str:
    """Name of the span of a handler that cancels a Nexus operation."""
    return f"RunCancelNexusOperationHandler:{service}/{operation}"


def run_workflow(workflow_type: str) -> str:
    """Name of the span of a run."""
    return f"RunWorkflow:{workflow_type}"


def start_activity(activity_type: str) -> str:
    """Name of an activity's step span, issued until closed."""
    return f"StartActivity:{activity_type}"


def run_activity(activity_type: str) -> str:
    """Name of the span of one attempt."""
    return f"RunActivity:{activity_type}"


def replay_workflow(workflow_type: str) -> str:
    """Name of the span of a replay."""
    return f"ReplayWorkflow:{workflow_type}"


def handle_signal(signal_name: str) -> str:
    """Name of the span of a signal received."""
    return f"HandleSignal:{signal_name}"


def start_child_workflow(workflow_type: str) -> str:
    """Name of a child's step span, asked for until closed."""
    return f"StartChildWorkflow:{workflow_type}"


def signal_child_workflow(signal_name: str) -> str:
    """Name of the span of a signal sent to a child."""
    return f"SignalChildWorkflow:{signal_name}"


def signal_external_workflow(signal_name: str) -> str:
    """Name of the span of a signal sent to another workflow."""
    return f"SignalExternalWorkflow:{signal_name}"


def start_nexus_operation(service: str, operation: str) -> str:
    """Name of a Nexus operation's step span, asked for until closed."""
    return f"StartNexusOperation:{service}/{operation}"


def handle_update(update_name: str) -> str:
    """Name of the span of an update, accepted until completed."""
    return f"HandleUpdate:{update_name}"


def handle_query(query_name: str) -> str:
    """Name of the span of a query answered."""
    return f"HandleQuery:{query_name}"


def invoke_agent(agent: str) -> str:
    """Name of the span of an agent at work."""
    return f"invoke_agent {agent}"


def execute_tool(tool: str) -> str:
    """Name of the span of a tool's call."""
    return f"execute_tool {tool}"


def handoff(agent: str) -> str:
    """Name of the span of a handoff to an agent."""
    return f"handoff {agent}"


def guardrail(name: str) -> str:
    """Name of the span of a guardrail's check."""
    return f"guardrail {name}"


REQUEST_CANCEL_EXTERNAL: Final = "RequestCancelExternalWorkflow"
"""Name of the span of a cancellation asked of another workflow."""

CANCEL_WORKFLOW: Final = "CancelWorkflow"
TERMINATE_WORKFLOW: Final = "TerminateWorkflow"
CANCEL_ACTIVITY: Final = "CancelActivity"
TERMINATE_ACTIVITY: Final = "TerminateActivity"
PAUSE_ACTIVITY: Final = "PauseActivity"
UNPAUSE_ACTIVITY: Final = "UnpauseActivity"
UPDATE_ACTIVITY_OPTIONS: Final = "UpdateActivityOptions"
CANCEL_NEXUS_OPERATION: Final = "CancelNexusOperation"
TERMINATE_NEXUS_OPERATION: Final = "TerminateNexusOperation"
CREATE_SCHEDULE: Final = "CreateSchedule"
UPDATE_SCHEDULE: Final = "UpdateSchedule"
DELETE_SCHEDULE: Final = "DeleteSchedule"
PAUSE_SCHEDULE: Final = "PauseSchedule"
UNPAUSE_SCHEDULE: Final = "UnpauseSchedule"
TRIGGER_SCHEDULE: Final = "TriggerSchedule"
BACKFILL_SCHEDULE: Final = "BackfillSchedule"
"""Names of a client's spans for calls that Temporal's own integration has no span for: the call's name."""

TIMER: Final = "Timer"
"""Name of a timer's span."""

WORKFLOW_TASK_TIMED_OUT: Final = "WorkflowTaskTimedOut"
"""Name of the event on a run's span that says that a workflow task timed out, as Temporal calls it."""
