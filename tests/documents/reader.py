"""What a reader of the documents has: servers, and a folder for each document with the files that it names.

The folders' runs are those of the agent in docs/live.md, on a real Temporal server. What a document takes for granted
beside them (a codec, a shop) is in `_OF_DOCUMENTS`.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import os
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import s3fs  # type: ignore[import-untyped]
from google.protobuf.json_format import MessageToDict
from moto.server import ThreadedMotoServer
from temporalio.api.export.v1 import WorkflowExecution, WorkflowExecutions
from temporalio.api.history.v1 import History
from temporalio.client import Client, WorkflowHistory
from temporalio.worker import Worker

from agent.servers.endpoints import free_port
from agent.servers.temporal import start_temporal, temporal_cli
from tests.agent.conftest import server_process
from tests.decoding.codecs import encoded_events
from tests.documents.blocks import ROOT, of
from tests.documents.stand_in import backends
from tests.e2e.conftest import hermetic
from tests.history.recording import Recording
from tracing import TracingConfig
from tracing.cli import OK, run
from tracing.testing import capture

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_MODULES = ("my_agent", "shop")
"""Modules of a reader's own; an installed package has the first one's name, too."""
RUNS = ("agent-1", "agent-2")
RECORDED_SHOP = ROOT / "tests" / "replay" / "recorded" / "shop.history.json"
SHOP = ROOT / "tests" / "replay" / "shop.py"
CLOUD_EXPORT = "temporal-workflow-history/export/orders.a1b2c/2026/11/23/07/00/7f3c0b"


@dataclass(frozen=True)
class Reader:
    """Where a reader works.

    Attributes:
        folder: Holds a folder for each document.
        environ: The variables of the reader's shell.
        elsewhere: Addresses and paths of the documents, and where they are here.
    """

    folder: Path
    environ: dict[str, str]
    elsewhere: dict[str, str]

    def at(self, document: str) -> Path:
        """The folder for a document."""
        folder = self.folder / Path(document).name
        if not folder.exists():
            shutil.copytree(self.folder / "base", folder, symlinks=True)
            if document in _OF_DOCUMENTS:
                _OF_DOCUMENTS[document](folder)
        return folder

    @contextmanager
    def working(self, folder: Path) -> Iterator[None]:
        """Let this process be as the reader's shell is: in the folder, with its variables and the modules there."""
        own = {name: sys.modules.pop(name) for name in _modules_of(_MODULES)}
        try:
            with (
                contextlib.chdir(folder),
                patch.dict(os.environ, self.environ, clear=True),
                patch.object(sys, "path", [str(folder), *sys.path]),
            ):
                yield
        finally:
            for name in _modules_of(_MODULES):
                del sys.modules[name]
            sys.modules.update(own)

    def here(self, text: str) -> str:
        """A block's text with the addresses of this reader's servers."""
        for there, here in self.elsewhere.items():
            text = text.replace(there, here)
        return text

    def as_json(self) -> str:
        """For `Reader(**json.loads(…))` in another process."""
        return json.dumps(asdict(self), default=str)


@contextmanager
def reader(folder: Path) -> Iterator[Reader]:
    """Start a reader's servers, and lay out the folders."""
    base = folder / "base"
    (folder / "bin").mkdir(parents=True)
    base.mkdir()
    with ExitStack() as stack:
        temporal = stack.enter_context(start_temporal(folder / "temporal", environ=hermetic()))
        model = stack.enter_context(server_process("agent.local.model_server"))
        search = stack.enter_context(server_process("agent.local.search_server"))
        backend = stack.enter_context(backends())
        s3 = stack.enter_context(_s3())
        _programs(folder / "bin")
        environ = hermetic(
            PATH=os.pathsep.join([str(folder / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]]),
            PYTHONPATH=os.pathsep.join([".", str(ROOT)]),
            HOME=str(folder / "home"),
            XDG_CONFIG_HOME="",
            TEMPORAL_ADDRESS=temporal.address,
            TEMPORAL_CONFIG_FILE=str(folder / "home" / "temporal.toml"),
            OPENAI_BASE_URL=model.url,
            OPENAI_API_KEY="none",
            SEARCH_BASE_URL=search.url,
            OTEL_TRACES_EXPORTER="none",
            PIP_NO_INDEX="1",  # what a document installs is installed
            PIP_DISABLE_PIP_VERSION_CHECK="1",
            PHOENIX_COLLECTOR_ENDPOINT=backend,
            LANGFUSE_BASE_URL=backend,
            LANGFUSE_PUBLIC_KEY="pk-lf-0",
            LANGFUSE_SECRET_KEY="sk-lf-0",
            **s3,
        )
        (folder / "home").mkdir()
        Path(environ["TEMPORAL_CONFIG_FILE"]).write_text(f'[profile.cloud]\naddress = "{temporal.address}"\n')
        elsewhere = {
            "localhost:7233": temporal.address,
            "https://codec.example.com": backend,
            "/var/lib/": f"{folder}/var/lib/",
            "8081": str(free_port()),
            # What is long in a reader's life is short here.
            "export --watch": "export --watch --settle 0 --interval 0.1",
        }
        made = Reader(folder, environ, elsewhere)
        with made.working(base):
            asyncio.run(_two_runs(temporal.address, base))
            _files(base)
        yield made


def _programs(folder: Path) -> None:
    """`temporal`, whose server takes a free port; stand-ins for `duckdb`, and for `curl` where there is none."""
    cli = temporal_cli(hermetic()).path
    server = f'"{cli}" "$@" --headless --port {free_port()}'
    _program(folder / "temporal", f'#!/bin/sh\n[ "$1 $2" = "server start-dev" ] && exec {server}\nexec "{cli}" "$@"\n')
    asked = "import sys, duckdb; duckdb.execute(open(sys.argv[2]).read())"
    _program(folder / "duckdb", f'#!/bin/sh\nexec "{sys.executable}" -c \'{asked}\' "$@"\n')
    if shutil.which("curl") is None:
        fetched = "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[2]).read().decode())"
        _program(folder / "curl", f'#!/bin/sh\nexec "{sys.executable}" -c \'{fetched}\' "$@"\n')


def _program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


async def _two_runs(address: str, folder: Path) -> None:
    """Two runs of the guide's agent."""
    [agent] = [block for block in of("python", "docs/live.md") if "class Agent" in block.text]
    (folder / "my_agent.py").write_text(agent.text.replace("localhost:7233", address))
    module: Any = import_module("my_agent")
    with capture(TracingConfig()) as traces, ThreadPoolExecutor() as threads:
        client = await Client.connect(address, plugins=[traces.plugin])
        async with Worker(
            client, task_queue="agents", workflows=[module.Agent], activities=[module.answer], activity_executor=threads
        ):
            for workflow_id in RUNS:
                handle = await client.start_workflow(module.Agent.run, "cats", id=workflow_id, task_queue="agents")
                await handle.signal(module.Agent.approve)
                await handle.result()


def _modules_of(packages: tuple[str, ...]) -> list[str]:
    return [name for name in sys.modules if name.partition(".")[0] in packages]


@contextmanager
def _s3() -> Iterator[dict[str, str]]:
    """The variables for a stand-in for S3, which has what the documents read there."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    variables = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "not-a-key",
        "AWS_SECRET_ACCESS_KEY": "not-a-secret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    exported = WorkflowExecutions(items=[WorkflowExecution(history=Recording().proto())])
    with patch.dict(os.environ, variables):
        s3fs.S3FileSystem.clear_instance_cache()
        bucket = s3fs.S3FileSystem()
        bucket.mkdir("my-bucket")
        bucket.pipe(f"my-bucket/{CLOUD_EXPORT}", exported.SerializeToString())
        bucket.pipe("my-bucket/histories/order-17.json", json.dumps(Recording().json()).encode())
        s3fs.S3FileSystem.clear_instance_cache()
    try:
        yield variables
    finally:
        server.stop()


def _files(folder: Path) -> None:
    """What the documents have made before: histories, trace files, tables, a replay."""
    for workflow_id in RUNS:
        assert run(["export", "--workflow-id", workflow_id, "--with-history", "-o", "exported"]) == OK
    for name, ending in (("histories", ".history.json"), ("traces", ".otlp.jsonl")):
        (folder / name).mkdir()
        for file in (folder / "exported").glob(f"*{ending}"):
            shutil.copy(file, folder / name)
    [history] = (folder / "histories").glob("agent-1_*")
    [trace] = (folder / "traces").glob("agent-1_*")
    shutil.copy(history, folder / "run.history.json")
    shutil.copy(history, folder / "history.json")
    shutil.copy(trace, folder / "run.otlp.jsonl")
    assert run(["replay", "run.history.json", "--workflow", "my_agent:Agent", "-o", "replays"]) == OK
    [replay] = (folder / "replays").glob("*.otlp.jsonl")
    shutil.copy(replay, folder / "replay.otlp.jsonl")
    assert run(["tables", "traces/", "-o", "tables"]) == OK
    shutil.rmtree(folder / "exported")
    # A system database of DBOS, in which research-2 is a fork of research-1.
    recorded = ROOT / "tests" / "data" / "dbos" / "recorded.sqlite.gz"
    (folder / "agent.sqlite").write_bytes(gzip.decompress(recorded.read_bytes()))
    shutil.copytree(folder / "traces", folder.parent / "var" / "lib" / "otel" / "traces")


def _of_dbos(folder: Path) -> None:
    """Nothing exported yet."""
    shutil.rmtree(folder / "traces")


def _of_replay(folder: Path) -> None:
    """A shop that books where it reserved; the first order's history is older than that."""
    history = RECORDED_SHOP.read_text()
    shutil.rmtree(folder / "histories")
    (folder / "histories").mkdir()
    for number, recorded in enumerate((history, history.replace('"reserve"', '"book"')), start=1):
        order = recorded.replace("shop-1", f"order-{number}").replace("01a226c9", f"01a{number + 1}26c9")
        (folder / "histories" / f"order-{number}_01a{number + 1}.history.json").write_text(order)
    (folder / "shop").mkdir()
    (folder / "shop" / "workflows.py").write_text(SHOP.read_text().replace('"reserve"', '"book"'))


def _of_decoding(folder: Path) -> None:
    """Histories that a codec encoded, and the codec; nothing is in external storage."""
    (folder / "shop").mkdir()
    for module, text in {
        "codecs": "from tests.decoding.codecs import Turning\n\ncodec = Turning()\n",
        "temporal": "from dataclasses import replace\n\nfrom temporalio.converter import DataConverter\n\n"
        "from shop.codecs import codec\n\ndata_converter = replace(DataConverter.default, payload_codec=codec)\n",
        "storage": "from tests.decoding.codecs import Shelf\n\ndriver = Shelf()\n",
        "lost": "from tests.decoding.codecs import Failing\n\ncodec = Failing()\n",
    }.items():
        (folder / "shop" / f"{module}.py").write_text(text)
    (folder / "runs").mkdir()
    recorded = WorkflowHistory.from_json("order-7", RECORDED_SHOP.read_text())
    history = MessageToDict(History(events=encoded_events(recorded.events)))
    encoded = json.dumps({"workflowId": "order-7", "runId": recorded.run_id, "namespace": "default", **history})
    (folder / "runs" / "order-7.json").write_text(encoded)
    (folder / "run.json").write_text(encoded)


def _of_running(folder: Path) -> None:
    """A key for Temporal Cloud."""
    (folder / "api-key.txt").write_text("the key\n")
    (folder / "deploy").symlink_to(ROOT / "deploy")


_OF_DOCUMENTS: dict[str, Callable[[Path], None]] = {
    "docs/dbos.md": _of_dbos,
    "docs/decoding.md": _of_decoding,
    "docs/replay.md": _of_replay,
    "docs/running.md": _of_running,
}
