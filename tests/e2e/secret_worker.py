"""The agent with its secrets as a process of its own, set up by its environment alone.

python -m tests.e2e.secret_worker ADDRESS WORKFLOW_ID FOLDER [--encrypt] [--named]

It runs the agent, whose payloads a codec encodes (``--encrypt``), with a secret in the name of a span (``--named``). It
leaves in the folder what it has logged and counted, and its spool as it was before anything was exported (let
``OTEL_BSP_SCHEDULE_DELAY`` be long). Then it ends, and exports.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import sys
from pathlib import Path

from opentelemetry import trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.client import Client, WorkflowFailureError, WorkflowUpdateFailedError
from temporalio.common import SearchAttributePair, TypedSearchAttributes
from temporalio.converter import DataConverter
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import Worker

from agent.local.model_server import model_server
from tests.e2e.secret_workflows import (
    ACTIVITIES,
    ENCRYPTED,
    TOPIC,
    WORKFLOWS,
    Scribe,
    Secretive,
    Tenants,
    planted,
)
from tracing import TracingPlugin, configure, exit_process

SPOOL, LOG, METRICS = "spool", "durable_trace.log", "metrics.json"


async def prepare(client: Client) -> None:
    """Give the namespace the search attribute."""
    try:
        await client.operator_service.add_search_attributes(
            AddSearchAttributesRequest(
                namespace=client.namespace,
                search_attributes={TOPIC.name: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD},
            )
        )
    except RPCError as error:
        if error.status != RPCStatusCode.ALREADY_EXISTS:
            raise


async def run(client: Client, workflow_id: str, *, named: bool) -> None:
    """Run the agent, and ask it all that one can ask a run."""
    handle = await client.start_workflow(
        Secretive.run,
        args=[planted("workflow-input"), named],
        id=workflow_id,
        task_queue=workflow_id,
        memo={"note": planted("memo")},
        search_attributes=TypedSearchAttributes([SearchAttributePair(TOPIC, planted("attribute"))]),
        static_summary=planted("static-summary"),
        static_details=planted("static-details"),
    )
    await handle.query(Secretive.ask, planted("question"))
    await handle.execute_update(Secretive.change, planted("update-input"))
    try:
        await handle.execute_update(Secretive.change, f"refused {planted('refused-update')}")
    except WorkflowUpdateFailedError:
        await handle.signal(Secretive.tell, planted("signal"))
    try:
        await handle.result()
    except WorkflowFailureError:
        await client.execute_workflow(
            Scribe.run, planted("scribe-input"), id=f"{workflow_id}-scribe", task_queue=workflow_id
        )


async def main(address: str, workflow_id: str, folder: Path, options: list[str]) -> None:
    """Run the agent, and leave what it left."""
    log = logging.getLogger("durable_trace")
    log.setLevel(logging.DEBUG)
    log.addHandler(logging.FileHandler(folder / LOG))
    configure()
    reader = InMemoryMetricReader()
    plugin = TracingPlugin(meter_provider=MeterProvider(metric_readers=[reader], shutdown_on_exit=False))
    async with model_server() as server:
        os.environ["OPENAI_BASE_URL"] = server.url.replace("://", "://ada:canary-openai-url@")
        client = await Client.connect(
            address,
            plugins=[plugin],
            interceptors=[Tenants()],
            data_converter=ENCRYPTED if "--encrypt" in options else DataConverter.default,
        )
        await prepare(client)
        async with Worker(client, task_queue=workflow_id, workflows=WORKFLOWS, activities=ACTIVITIES):
            # A web request of the application's: calls of the client are spans of their own inside.
            with trace.get_tracer("web").start_as_current_span("request"):
                await run(client, workflow_id, named="--named" in options)
    if os.environ.get("DURABLE_TRACE_SPOOL"):
        shutil.copytree(os.environ["DURABLE_TRACE_SPOOL"], folder / SPOOL)
    data = reader.get_metrics_data()
    (folder / METRICS).write_text(data.to_json() if data else "")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), sys.argv[4:]))
    exit_process(0)
