"""Every method by which Temporal's SDK can be intercepted, and the span that it makes, or why it makes none.

Read this to know what is in a trace. A new version of the SDK with a new method fails it, until the table says what
becomes of it. Spans of the client and of Nexus handlers are made where the method is called; those of workflows from
what the workflow asks the server for, those of activities around their attempts.
"""

from __future__ import annotations

import inspect
import re
from typing import Any, Final

import pytest
import temporalio.client
from temporalio.client import (
    OutboundInterceptor,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleSpec,
    UpdateWithStartStartWorkflowInput,
    UpdateWithStartUpdateWorkflowInput,
)
from temporalio.worker import (
    ActivityInboundInterceptor,
    ActivityOutboundInterceptor,
    NexusOperationInboundInterceptor,
    WorkflowInboundInterceptor,
    WorkflowOutboundInterceptor,
)

from tests.live.client.clients import Client, given
from tracing import conventions

Spans = tuple[str, ...]
"""Names, with T for a type, S, Q, U for the name of a signal, query, update, S/O for a Nexus service and operation."""

READS: Final = "it only reads: whoever polls would flood the trace that they poll in"
NOT_OF_A_RUN: Final = "it sets versions of a task queue, and is about no run"
LEDGER: Final = "it ends the attempt's span, RunActivity:T, and takes its ledger along"
SET_UP: Final = "it chains interceptors"
FACTS: Final = "it tells facts, and does nothing"

CLIENT: Final[dict[str, Spans | str]] = {
    # runs
    "start_workflow": ("StartWorkflow:T", "SignalWithStartWorkflow:T"),
    "start_update_with_start_workflow": ("StartUpdateWithStartWorkflow:T",),
    "signal_workflow": ("SignalWorkflow:S",),
    "query_workflow": ("QueryWorkflow:Q",),
    "start_workflow_update": ("StartWorkflowUpdate:U",),
    "cancel_workflow": ("CancelWorkflow",),
    "terminate_workflow": ("TerminateWorkflow",),
    "describe_workflow": READS,
    "fetch_workflow_history_events": READS,
    "list_workflows": READS,
    "count_workflows": READS,
    # standalone activities
    "start_activity": ("StartActivity:T",),
    "cancel_activity": ("CancelActivity",),
    "terminate_activity": ("TerminateActivity",),
    "pause_activity": ("PauseActivity",),
    "unpause_activity": ("UnpauseActivity",),
    "update_activity_options": ("UpdateActivityOptions",),
    "describe_activity": READS,
    "list_activities": READS,
    "count_activities": READS,
    # activities that a client completes
    "complete_async_activity": LEDGER,
    "fail_async_activity": LEDGER,
    "report_cancellation_async_activity": "it ends the attempt's span, RunActivity:T",
    "heartbeat_async_activity": "heartbeats are many",
    # schedules
    "create_schedule": ("CreateSchedule",),
    "update_schedule": ("UpdateSchedule",),
    "delete_schedule": ("DeleteSchedule",),
    "pause_schedule": ("PauseSchedule",),
    "unpause_schedule": ("UnpauseSchedule",),
    "trigger_schedule": ("TriggerSchedule",),
    "backfill_schedule": ("BackfillSchedule",),
    "describe_schedule": READS,
    "list_schedules": READS,
    # Nexus operations without a workflow
    "start_nexus_operation": ("StartNexusOperation:S/O",),
    "cancel_nexus_operation": ("CancelNexusOperation",),
    "terminate_nexus_operation": ("TerminateNexusOperation",),
    "get_nexus_operation_result": READS,
    "describe_nexus_operation": READS,
    "list_nexus_operations": READS,
    "count_nexus_operations": READS,
    # workers
    "update_worker_build_id_compatibility": NOT_OF_A_RUN,
    "get_worker_build_id_compatibility": READS,
    "get_worker_task_reachability": READS,
}

WORKFLOW_INBOUND: Final[dict[str, Spans | str]] = {
    "init": SET_UP,
    "execute_workflow": ("RunWorkflow:T",),
    "handle_signal": ("HandleSignal:S",),
    "handle_query": ("HandleQuery:Q",),
    "handle_update_validator": "it is part of HandleUpdate:U, as which a refused update is shown too",
    "handle_update_handler": ("HandleUpdate:U",),
}

WORKFLOW_OUTBOUND: Final[dict[str, Spans | str]] = {
    "info": FACTS,
    "continue_as_new": "it ends RunWorkflow:T; the next run is a trace of its own with a link to it",
    "start_activity": ("StartActivity:T",),
    "start_local_activity": ("StartActivity:T",),
    "start_child_workflow": ("StartChildWorkflow:T",),
    "signal_child_workflow": ("SignalChildWorkflow:S",),
    "signal_external_workflow": ("SignalExternalWorkflow:S",),
    "start_nexus_operation": ("StartNexusOperation:S/O",),
    # Operations that Temporal's own service offers to workflows.
    "start_system_nexus_operation": ("StartNexusOperation:S/O",),
    "start_signal_with_start_workflow": ("StartNexusOperation:S/O",),
}

WORKFLOW_COMMANDS: Final[dict[str, Spans]] = {
    # What a workflow asks for past all interceptors.
    "workflow.sleep, workflow.wait_condition": ("Timer",),
    "ExternalWorkflowHandle.cancel": ("RequestCancelExternalWorkflow",),
}

ACTIVITY_INBOUND: Final[dict[str, Spans | str]] = {
    "init": SET_UP,
    "execute_activity": ("RunActivity:T",),
}

ACTIVITY_OUTBOUND: Final[dict[str, Spans | str]] = {
    "info": FACTS,
    "heartbeat": "heartbeats are many: RunActivity:T counts them",
}

NEXUS_INBOUND: Final[dict[str, Spans | str]] = {
    "execute_nexus_operation_start": ("RunStartNexusOperationHandler:S/O",),
    "execute_nexus_operation_cancel": ("RunCancelNexusOperationHandler:S/O",),
}

TABLES: Final[list[tuple[type, dict[str, Spans | str]]]] = [
    (OutboundInterceptor, CLIENT),
    (WorkflowInboundInterceptor, WORKFLOW_INBOUND),
    (WorkflowOutboundInterceptor, WORKFLOW_OUTBOUND),
    (ActivityInboundInterceptor, ACTIVITY_INBOUND),
    (ActivityOutboundInterceptor, ACTIVITY_OUTBOUND),
    (NexusOperationInboundInterceptor, NEXUS_INBOUND),
]


@pytest.mark.parametrize(("interceptor", "table"), TABLES, ids=lambda value: getattr(value, "__name__", ""))
def test_every_method_of_the_sdk_is_in_the_table(interceptor: type, table: dict[str, Spans | str]) -> None:
    methods = {name for name, _ in inspect.getmembers(interceptor, inspect.isfunction) if not name.startswith("_")}
    assert methods == table.keys()


LETTERS: Final = {
    "workflow_type": "T",
    "activity_type": "T",
    "signal_name": "S",
    "query_name": "Q",
    "update_name": "U",
    "service": "S",
    "operation": "O",
}


def made_names() -> set[str]:
    """Every span name that `tracing.conventions` can make, with the letters of the tables."""
    names = set()
    for function in vars(conventions).values():
        if inspect.isfunction(function) and function.__module__ == "tracing.conventions.names":
            parameters = list(inspect.signature(function).parameters)
            if parameters and all(parameter in LETTERS for parameter in parameters):
                names.add(function(*(LETTERS[parameter] for parameter in parameters)))
    constants = {value for value in vars(conventions).values() if isinstance(value, str)}
    return names | {value for value in constants if re.fullmatch(r"([A-Z][a-z]+)+", value)}


def test_every_span_of_the_tables_is_one_that_conventions_can_make() -> None:
    tables = [*(table for _, table in TABLES), WORKFLOW_COMMANDS]
    spans = {name for table in tables for names in table.values() if isinstance(names, tuple) for name in names}
    assert spans - made_names() == set()


FIELDS: Final[dict[str, Any]] = {
    "id": "id",
    "workflow": "T",
    "activity_type": "T",
    "signal": "S",
    "query": "Q",
    "update": "U",
    "service": "S",
    "operation": "O",
    "headers": {},
    "id_or_token": b"token",
    "updater": lambda _: None,
    "schedule": Schedule(ScheduleActionStartWorkflow("T", id="id", task_queue="q"), spec=ScheduleSpec()),
    "start_workflow_input": given(UpdateWithStartStartWorkflowInput, workflow="T", id="id", headers={}),
    "update_workflow_input": given(UpdateWithStartUpdateWorkflowInput, update="U", headers={}),
}


def inputs_of(method: str) -> list[Any]:
    """Inputs of a client's method: one for each span that it may make."""
    kind = getattr(
        temporalio.client, str(inspect.signature(getattr(OutboundInterceptor, method)).parameters["input"].annotation)
    )
    fields = {name: value for name, value in FIELDS.items() if name in kind.__dataclass_fields__}
    inputs = [given(kind, **fields)]
    if "start_signal" in kind.__dataclass_fields__:
        inputs.append(given(kind, **fields, start_signal="S"))
    return inputs


async def called(client: Client, method: str) -> None:
    for each in inputs_of(method):
        answer = getattr(client.outbound, method)(each)
        if inspect.isawaitable(answer):
            await answer
        assert client.server.calls[-1] == (method, each)


@pytest.mark.parametrize("method", CLIENT)
async def test_the_clients_methods_make_these_spans_under_a_span(method: str) -> None:
    client = Client()
    with client.request():
        await called(client, method)
    *ours, _ = client.spans()
    expected = CLIENT[method]
    assert tuple(span.name for span in ours) == (expected if isinstance(expected, tuple) else ())


@pytest.mark.parametrize("method", CLIENT)
async def test_and_none_without(method: str) -> None:
    client = Client()
    await called(client, method)
    assert client.spans() == []
