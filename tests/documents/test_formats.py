"""Every code block of the documents is run or checked by a test: here those that are no programs, by their formats."""

from __future__ import annotations

import json
import re
import sys
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from temporalio.envconfig import ClientConfigProfile

from dashboards.expressions import grown
from tests.documents.blocks import BLOCKS, DOCUMENTS, ROOT, RUN_ELSEWHERE, Block, of, prose
from tracing import TracingConfig
from tracing.export import Export, ExportSettings, file_items
from tracing.price_overrides import read_overrides
from tracing.recognisers.registry import ENTRY_POINTS

NOT_RUN = {
    ("README.md", "make"): "`make demo` is run by tests/e2e/test_demo.py; `make test` is this",
    (
        "docs/dbos.md",
        "postgresql",
    ): "needs a PostgreSQL of DBOS: tests/e2e/test_dbos.py runs one where it can",
    (
        "docs/export-files.md",
        "cloud",
    ): "needs Google Cloud Storage: tests/history/sources/test_buckets.py has a stand-in",
    ("docs/failures.md", "make"): "what it makes, tests/e2e/test_failures.py makes, too",
    ("docs/metrics.md", "docker"): "needs Docker: tests/e2e/test_dashboards.py runs the same servers without",
    ("docs/running.md", "cloud"): "needs an account of Temporal Cloud; the profile is loaded below",
    ("docs/running.md", "cluster"): "needs a Kubernetes cluster: tests/deploy/ holds the manifests against its schemas",
    ("docs/running.md", "docker"): "needs Docker",
    ("docs/running.md", "root"): "installs a service for the whole machine: tests/deploy/ has systemd verify the unit",
}
"""Shell blocks that no test runs, by document and the mark of their fence, and why."""

SHOWN = {
    ("docs/agents.md", "RunWorkflow:DeepResearchWorkflow SERVER"): "tests/e2e/test_deep_research.py",
    ("docs/agents.md", "RunWorkflow:WholeGraphWorkflow SERVER"): "tests/e2e/test_graph.py",
    ("docs/agents.md", "RunWorkflow:AgentTeamWorkflow SERVER"): "tests/e2e/test_openai_agents.py",
    ("docs/decoding.md", "A payload cannot be decoded"): "tests/e2e/test_documents.py",
    ("docs/live.md", "RunWorkflow:Agent SERVER"): "tests/e2e/test_guide.py",
    ("docs/live.md", "RunWorkflow:Gate SERVER"): "tests/e2e/test_guide.py",
    ("docs/metrics.md", "sum(max_over_time("): "tests/documents/test_formats.py",
    ("docs/repair.md", "checkpoint/"): "tests/documents/test_formats.py",
    ("docs/replay.md", "✗ diverged"): "tests/e2e/test_documents.py",
    ("docs/replay.md", "tried to connect"): "tests/e2e/test_documents.py",
    ("docs/replay.md", "PASSED"): "tests/e2e/test_documents.py",
}
"""What documents show that is printed or written, and the test that compares it."""

RUN = {"python", "bash", "sql", "json", "toml", "yaml"}
PICTURES = {"mermaid"}


def test_blocks_are_of_languages_that_are_run() -> None:
    assert {block.language for block in BLOCKS} <= {*RUN, *PICTURES, "text"}
    indented = [
        f"{document.name}: {line}"
        for document in DOCUMENTS
        for before, line in zip(prose(document).splitlines(), prose(document).splitlines()[1:], strict=False)
        if re.match(r" {4}\S", line) and not before.strip()
    ]
    assert indented == []


def test_what_is_not_run_is_listed_with_the_reason() -> None:
    assert {(block.document, block.mark) for block in BLOCKS if block.mark} == set(NOT_RUN)


def test_what_is_shown_is_compared() -> None:
    shown = [block for block in BLOCKS if block.language == "text"]
    assert len(shown) == len(SHOWN)
    for (document, part), test in SHOWN.items():
        assert [block for block in shown if block.document == document and part in block.text], part
        assert part in (ROOT / test).read_text() or Path(document).name in (ROOT / test).read_text(), test


def test_what_another_test_runs_is_run_there() -> None:
    for (document, part), test in RUN_ELSEWHERE.items():
        one("python", document, part)
        assert part in (ROOT / test).read_text(), test


def one(language: str, document: str, part: str) -> Block:
    [found] = [block for block in of(language, document) if part in block.text]
    return found


@pytest.mark.parametrize("block", of("toml"), ids=str)
def test_toml_is_taken_by_what_reads_it(block: Block, tmp_path: Path) -> None:
    content = tomllib.loads(block.text)
    if "profile" in content:
        for name in ("client.pem", "client.key"):
            (tmp_path / name).write_text("its content is the server's business")
        here = block.text.replace("/etc/research-agent/", f"{tmp_path}/")
        profile = ClientConfigProfile.load("cloud", config_source=here, disable_env=True)
        connect = profile.to_client_connect_config()
        assert profile.namespace
        assert str(connect["target_host"]).endswith(":7233")
        assert connect["tls"]
    elif "tool" in content:
        assert list(content["tool"]["pytest"]["ini_options"]) == ["replay_workflows"]
        assert "replay_workflows" in (ROOT / "tracing" / "pytest_plugin.py").read_text()
    else:
        assert list(content["project"]["entry-points"]) == [ENTRY_POINTS]


def test_profiles_are_what_the_command_line_writes() -> None:
    commands = one("bash", "docs/running.md", "temporal config set").text
    written = dict(re.findall(r"--prop (\S+) --value (\S+)", commands))
    [profile] = tomllib.loads(one("toml", "docs/running.md", "api_key").text)["profile"].values()
    assert {**profile, "api_key": '"$(cat'} == written


def test_prices_of_a_users_own(tmp_path: Path) -> None:
    block = one("json", "docs/cost.md", '"prices"')
    file = tmp_path / "prices.json"
    file.write_text(block.text)
    prices = read_overrides(str(file))
    assert [entry.name for entry in prices.entries] == [price["name"] for price in json.loads(block.text)["prices"]]


def test_the_comparison_is_the_one_that_is_computed_elsewhere() -> None:
    one("json", "docs/cost.md", "saved_usd")
    assert "saved_usd" in (ROOT / "tests" / "cost" / "test_compare.py").read_text()


def test_the_manifests_line_has_the_fields_that_are_written(tmp_path: Path) -> None:
    shown = json.loads(one("json", "docs/export.md", '"source"').text)
    recorded = ROOT / "tests" / "data" / "live" / "first-run.json"
    with Export(file_items([str(recorded)]), ExportSettings(folder=tmp_path, config=TracingConfig()), jobs=1) as export:
        assert [record.state for records in export.run() for record in records] == ["exported"]
    written = json.loads((tmp_path / "manifest.jsonl").read_text().splitlines()[-1])
    assert _shape(shown) == _shape(written)


def _shape(content: Any) -> Any:
    """Keys, and the types of their values."""
    if isinstance(content, dict):
        return {key: _shape(value) for key, value in content.items()}
    if isinstance(content, list):
        return [_shape(value) for value in content[:1]]
    return type(content).__name__


def test_the_workflow_for_ci_runs_the_commands_of_its_page() -> None:
    content = yaml.safe_load(one("yaml", "docs/replay.md", "jobs:").text)
    [job] = content["jobs"].values()
    *_, install, replay = [step["run"] for step in job["steps"] if "run" in step]
    assert install.startswith("pip install durable-trace")
    options = set(re.findall(r"--[a-z-]+", replay)) - {"--junitxml"}
    assert options <= set(re.findall(r'"(--replay-[a-z-]+)"', (ROOT / "tracing" / "pytest_plugin.py").read_text()))


def test_the_checkpoints_files_are_those_that_are_written() -> None:
    shown = one_shown("docs/repair.md", "checkpoint/").splitlines()[1:]
    written = "".join(file.read_text() for file in (ROOT / "tracing" / "export" / "watch").glob("*.py"))
    for line in shown:
        name = line.split()[0]
        assert f'"{name}"' in written or Path(name).suffix in written, name


def test_the_sum_that_is_shown_is_the_dashboards() -> None:
    shown = one_shown("docs/metrics.md", "sum(max_over_time(").strip()
    assert shown == grown("x", window="1h")


def one_shown(document: str, part: str) -> str:
    [found] = [
        block for block in BLOCKS if block.language == "text" and block.document == document and part in block.text
    ]
    return found.text


async def test_the_drivers_context_manager_gives_a_driver_for_its_bucket(monkeypatch: pytest.MonkeyPatch) -> None:
    """With stand-ins for aioboto3 and the SDK's client for it, which are installed where S3 is used."""
    block = one("python", "docs/decoding.md", "import aioboto3")

    class Client:
        async def __aenter__(self) -> str:
            return "a client"

        async def __aexit__(self, *_: object) -> None:
            """Nothing to close."""

    class Session:
        def client(self, service: str) -> Client:
            assert service == "s3"
            return Client()

    aioboto3, sdk = ModuleType("aioboto3"), ModuleType("temporalio.contrib.aws.s3driver.aioboto3")
    vars(aioboto3)["Session"] = Session
    vars(sdk)["new_aioboto3_client"] = lambda client: client
    monkeypatch.setitem(sys.modules, "aioboto3", aioboto3)
    monkeypatch.setitem(sys.modules, sdk.__name__, sdk)
    names: dict[str, Any] = {}
    exec(compile(block.text, str(block), "exec"), names)
    async with names["driver"]() as driver:
        assert driver.name()
        assert vars(driver)["_bucket"] == "payloads-of-agents"
