"""Histories in buckets: S3 by a server of its own on loopback, the rest of fsspec's world by its local file system."""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest
import s3fs
from fsspec.implementations.dirfs import DirFileSystem
from fsspec.implementations.local import LocalFileSystem
from fsspec.implementations.memory import MemoryFileSystem
from moto.server import ThreadedMotoServer
from temporalio.api.export.v1 import WorkflowExecution, WorkflowExecutions

from tests.history.recording import BASE_RUN_ID, RUN_ID, Recording
from tracing.history import History, read
from tracing.history.sources import buckets
from tracing.history.sources.files import File
from tracing.history.sources.listing import files

pytestmark = pytest.mark.slow

OBJECT = "temporal-workflow-history/export/orders.a1b2c/2026/11/23/07/00/7f3c0b"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(server: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    for name, value in {
        "AWS_ENDPOINT_URL": server,
        "AWS_ACCESS_KEY_ID": "not-a-key",
        "AWS_SECRET_ACCESS_KEY": "not-a-secret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(tmp_path / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    s3fs.S3FileSystem.clear_instance_cache()
    s3 = fsspec.filesystem("s3")
    if s3.exists("histories"):
        s3.rm("histories", recursive=True)
    s3.mkdir("histories")
    yield s3
    s3fs.S3FileSystem.clear_instance_cache()


def _history(run_id: str = RUN_ID) -> bytes:
    return json.dumps(Recording(run_id=run_id).json()).encode()


def _object(*run_ids: str) -> bytes:
    items = [WorkflowExecution(history=Recording(run_id=run_id).proto()) for run_id in run_ids]
    return WorkflowExecutions(items=items).SerializeToString()


def _shown(*sources: str) -> list[str]:
    return [
        f"{item.source} {item.namespace} {item.run_id}" if isinstance(item, History) else str(item)
        for item in read(*sources)
    ]


def test_objects_below_a_prefix_are_read_one_by_one(bucket: Any) -> None:
    bucket.pipe(f"histories/{OBJECT}", _object(RUN_ID, BASE_RUN_ID))
    bucket.pipe("histories/own/b.json", _history())
    bucket.pipe("histories/own/a/z.json.gz", gzip.compress(_history()))
    bucket.pipe("histories/own/notes.txt", b"not read")
    bucket.pipe("histories/own/empty/", b"")  # as consoles make folders
    bucket.pipe("histories/own/.export/staged/0-a.history.json", b"half a history")
    assert _shown("s3://histories/own") == [
        f"s3://histories/own/a/z.json.gz default {RUN_ID}",
        f"s3://histories/own/b.json default {RUN_ID}",
    ]
    cloud = [
        f"s3://histories/{OBJECT}[1] orders.a1b2c {RUN_ID}",
        f"s3://histories/{OBJECT}[2] orders.a1b2c {BASE_RUN_ID}",
    ]
    assert _shown(f"s3://histories/{OBJECT}") == cloud
    assert _shown("s3://histories/temporal-workflow-history/export/orders.a1b2c/2026/") == cloud
    assert len(_shown("s3://histories")) == 4


def test_files_are_named_so_that_each_can_be_read_elsewhere_and_their_stamp_tells_changes(bucket: Any) -> None:
    bucket.pipe("histories/own/a.json", _history())
    (file,) = files("s3://histories/own")
    assert isinstance(file, File)
    assert _shown(file.name) == [f"s3://histories/own/a.json default {RUN_ID}"]
    before = file.stamp()
    assert before
    assert file.stamp() == before
    bucket.pipe("histories/own/a.json", _history(BASE_RUN_ID))
    assert file.stamp() != before


def test_what_is_not_there_does_not_stop_what_is(bucket: Any) -> None:
    bucket.pipe("histories/a.json", _history())
    bucket.pipe("histories/other/readme.md", b"")
    empty = (
        "No file in this folder ends in .json, .json.gz, .json.zst, .bin, and none is of Temporal Cloud's export "
        "(YYYY/MM/DD/HH/MM/NAME): give one that does."
    )
    assert _shown(
        "s3://histories/none.json", "s3://none/h", "s3://", "s3://histories/other", "s3://histories/a.json"
    ) == [
        "s3://histories/none.json: It does not exist: check bucket and prefix.",
        "s3://none/h: It does not exist: check bucket and prefix.",
        "s3://: It names no bucket: give s3://BUCKET/PREFIX.",
        f"s3://histories/other: {empty}",
        f"s3://histories/a.json default {RUN_ID}",
    ]


@pytest.mark.usefixtures("bucket")
def test_a_server_that_is_not_reached_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    s3fs.S3FileSystem.clear_instance_cache()
    (refused,) = _shown("s3://histories/a.json")
    assert refused.startswith("s3://histories/a.json: It cannot be listed (")
    assert refused.endswith("): check name, credentials and network.")
    assert "127.0.0.1:1" in refused


@pytest.fixture
def google(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A local folder that stands in for the buckets of gs://."""

    folder = DirFileSystem(path=str(tmp_path), fs=LocalFileSystem())
    monkeypatch.setattr(fsspec, "filesystem", lambda scheme, **_: {"gs": folder, "gcs": folder}[scheme])
    return tmp_path


@pytest.mark.parametrize("scheme", ["gs", "gcs", "GS"])
def test_google_cloud_storage(google: Path, scheme: str) -> None:
    (google / "bucket" / OBJECT).parent.mkdir(parents=True)
    (google / "bucket" / OBJECT).write_bytes(_object(RUN_ID))
    shown = [f"{scheme.lower()}://bucket/{OBJECT} orders.a1b2c {RUN_ID}"]
    assert _shown(f"{scheme}://bucket/{OBJECT}") == shown
    assert _shown(f"{scheme}://bucket/temporal-workflow-history") == shown


def test_errors_while_an_object_is_read_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    class Failing(MemoryFileSystem):  # type: ignore[misc]
        store: dict[str, Any] = {}  # noqa: RUF012 - fsspec's own attribute, else shared by all

        def _open(self, path: str, mode: str = "rb", **options: Any) -> Any:
            file = super()._open(path, mode, **options)
            if mode == "rb" and path.endswith("bad.json"):
                monkeypatch.setattr(file, "read", lambda _size: 1 // 0)
            return file

    memory = Failing()
    memory.pipe({"/bucket/bad.json": _history(), "/bucket/good.json": _history()})
    monkeypatch.setitem(buckets.EXTRAS, "memory", "none")
    monkeypatch.setattr(fsspec, "filesystem", lambda _scheme, **_: memory)
    bad, good = read("memory://bucket")
    assert str(bad) == (
        "memory://bucket/bad.json: It cannot be read (integer division or modulo by zero): check its permissions."
    )
    assert isinstance(good, History)


@pytest.mark.parametrize(
    ("scheme", "extra", "missing"),
    [("s3", "s3", "fsspec"), ("s3", "s3", "s3fs"), ("gs", "gcs", "gcsfs"), ("gcs", "gcs", "gcsfs")],
)
def test_without_its_package_one_sentence_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, scheme: str, extra: str, missing: str
) -> None:
    monkeypatch.delitem(sys.modules["fsspec.registry"]._registry, scheme, raising=False)
    monkeypatch.setitem(sys.modules, missing, None)
    (refused,) = read(f"{scheme}://bucket/h.json")
    needed = f"{scheme}:// paths need a package: pip install 'durable-trace[{extra}]', and try again."
    assert str(refused) == f"{scheme}://bucket/h.json: {needed}"
