"""What Python in the documents finds there already: names that a reader has, and what is checked of those it makes.

A function for each document that needs any. It gives the names, the document's blocks run one after the other with
them, and what follows the `yield` looks at what they made.
"""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import uuid
from contextlib import AsyncExitStack, asynccontextmanager
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

import duckdb
from temporalio.client import Client
from temporalio.testing import ActivityEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from tests.documents.blocks import ROOT, of
from tracing import TracingConfig, TracingPlugin
from tracing.history import History, read, to_spans
from tracing.recognisers import Completed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager

    from tests.documents.reader import Reader

Names = dict[str, Any]


async def _client(reader: Reader) -> Client:
    return await Client.connect(reader.environ["TEMPORAL_ADDRESS"], plugins=[TracingPlugin()])


def _agent() -> type:
    """The agent of docs/live.md."""
    module: Any = import_module("my_agent")  # in the reader's folder
    found: type = module.Agent
    return found


@asynccontextmanager
async def _an_agent(reader: Reader) -> AsyncIterator[Names]:
    names: Names = {"Agent": _agent(), "client": await _client(reader)}
    yield names
    await names["handle"].terminate()


@asynccontextmanager
async def _agents(reader: Reader) -> AsyncIterator[Names]:
    """A worker for each agent that the page's Python imports."""
    text = "".join(block.text for block in of("python", "docs/agents.md"))
    async with AsyncExitStack() as stack:
        for package in sorted(set(re.findall(r"from (agent\.\w+)\.\w+ import", text))):
            await stack.enter_async_context(_working(f"{package}.worker", reader))
        yield {}


@asynccontextmanager
async def _working(module: str, reader: Reader) -> AsyncIterator[None]:
    """A worker as the reader starts it, once it polls."""
    command = [sys.executable, "-m", module]
    worker = await asyncio.create_subprocess_exec(*command, env=reader.environ, cwd=ROOT, stdout=subprocess.PIPE)
    assert worker.stdout is not None
    try:
        assert b"polls" in await worker.stdout.readline()
        yield
    finally:
        worker.terminate()
        await worker.wait()


@asynccontextmanager
async def _readme(_reader: Reader) -> AsyncIterator[Names]:
    names: Names = {"Agent": _agent()}
    yield names
    await names["handle"].terminate()
    answer = await ActivityEnvironment().run(names["answer"], "Is green tea healthy?")
    assert "green tea" in answer


@asynccontextmanager
async def _live(reader: Reader) -> AsyncIterator[Names]:
    """The names of the page's first block, which is the reader's module."""
    client = await _client(reader)
    yield {**vars(sys.modules[_agent().__module__]), "client": client, "TracingConfig": TracingConfig}
    await client.get_workflow_handle("agent-2").terminate()


@asynccontextmanager
async def _company(reader: Reader) -> AsyncIterator[Names]:
    names: Names = {}
    yield names
    client = await _client(reader)
    # The sandbox would import the workflow again, and a document is no module.
    runner = UnsandboxedWorkflowRunner()
    async with Worker(client, task_queue="plans", workflows=[names["Planner"]], workflow_runner=runner):
        plan = await client.execute_workflow(
            names["Planner"].run, "cats", id=f"plan-{uuid.uuid4()}", task_queue="plans"
        )
    assert plan == "a plan for cats"
    asked = Completed(activity_type="bots.ask", result={"tokens": {"in": 3, "out": 2}})
    [call] = names["recognise"](asked)
    assert (call.tokens.input, call.tokens.output) == (3, 2)


@asynccontextmanager
async def _model_calls(_reader: Reader) -> AsyncIterator[Names]:
    """Clients with answers of the shapes that these two give."""

    async def create(**_asked: Any) -> Any:
        usage = SimpleNamespace(input_tokens=9, output_tokens=4)
        return SimpleNamespace(model="claude-sonnet-4-5", stop_reason="end_turn", content=[], usage=usage)

    async def generate_content_stream(**_asked: Any) -> AsyncIterator[Any]:
        async def chunks() -> AsyncIterator[Any]:
            usage = SimpleNamespace(prompt_token_count=9, candidates_token_count=4)
            yield SimpleNamespace(text="It scatters.", model_version="gemini-2.5-flash", usage_metadata=usage)

        return chunks()

    anthropic = SimpleNamespace(messages=SimpleNamespace(create=create))
    models = SimpleNamespace(generate_content_stream=generate_content_stream)
    yield {"anthropic": anthropic, "gemini": SimpleNamespace(aio=SimpleNamespace(models=models))}


@asynccontextmanager
async def _export_server(reader: Reader) -> AsyncIterator[Names]:
    names: Names = {"client": await _client(reader)}
    yield names
    assert {span.name for span in names["spans"]} >= {"RunWorkflow:Agent", "chat gpt-4o"}


@asynccontextmanager
async def _decoding(_reader: Reader) -> AsyncIterator[Names]:
    names: Names = {}
    yield names
    assert names["spans"][0].name.startswith("RunWorkflow:")


@asynccontextmanager
async def _privacy(_reader: Reader) -> AsyncIterator[Names]:
    names: Names = {}
    yield names
    assert names["without_customers"]("input.value", "C-123456 asks") == "[customer] asks"


@asynccontextmanager
async def _repair(_reader: Reader) -> AsyncIterator[Names]:
    [history] = read("run.history.json")
    assert isinstance(history, History)
    names: Names = {"spans": to_spans(history)}
    Path("live").mkdir()  # noqa: ASYNC240 - nothing else runs
    yield names
    assert names["result"].sent == len(names["missing"]) == len(names["spans"])


@asynccontextmanager
async def _replay(_reader: Reader) -> AsyncIterator[Names]:
    from shop.workflows import Shop  # type: ignore[import-not-found]  # noqa: PLC0415 - in the reader's folder
    from temporalio.contrib.pydantic import pydantic_data_converter  # noqa: PLC0415 - only here

    yield {"Shop": Shop, "converter": pydantic_data_converter}


@asynccontextmanager
async def _parquet(_reader: Reader) -> AsyncIterator[Names]:
    names: Names = {}
    yield names
    database: duckdb.DuckDBPyConnection = names["db"]
    for block in of("sql", "docs/parquet.md"):
        database.execute(block.text)


GIVEN: Final[dict[str, Callable[[Reader], AbstractAsyncContextManager[Names]]]] = {
    "README.md": _readme,
    "docs/agents.md": _agents,
    "docs/backends.md": _an_agent,
    "docs/company.md": _company,
    "docs/decoding.md": _decoding,
    "docs/export-server.md": _export_server,
    "docs/live.md": _live,
    "docs/model-calls.md": _model_calls,
    "docs/parquet.md": _parquet,
    "docs/privacy.md": _privacy,
    "docs/repair.md": _repair,
    "docs/replay.md": _replay,
}

WHERE: Final = {"docs/parquet.md": "tables"}
"""Below the document's folder, where its Python runs."""
