"""`durable-trace demo`, run for real: what it claims, what it writes, and that it leaves no process behind."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest
from temporalio.client import WorkflowHistory

from tests.e2e.conftest import hermetic
from tracing import conventions as c
from tracing.tracefile import read_trace

if TYPE_CHECKING:
    from tracing.spans.model import Span

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
MARK = "DEMO_OF_THE_TEST"

SAID = """\
Starting Temporal …
Starting the OpenTelemetry Collector …
Starting the local model and search servers …
Starting worker-1 …
Waiting until 2 model calls are in the history of RUN …
worker-1 is killed (SIGKILL)
Starting worker-2 …
Waiting for the run to finish (Temporal notices a lost attempt by its missing heartbeats) …
Stopping worker-2, which sends its last spans …
Exporting the history …
Stopping the Collector, which writes what it has …
Replaying the history …
Stopping all servers …
"""

CLAIMS = """\
✓ each model call whose completion was in the history was made exactly once
✓ the model server counted one request for each attempt, none besides
✓ every live span is in the export, with the same IDs, parent, name, start and attributes
✓ tokens and calls of the account are those that the model server gave
✓ the replay took every result from history
✓ the replay made no model call
"""

STEPS = [
    ("activity:1", "call_llm", "reused"),
    ("activity:2", "search_web", "reused"),
    ("activity:3", "search_web", "reused"),
    ("activity:4", "search_web", "reused"),
    ("activity:5", "call_llm", "reused"),
    ("activity:6", "call_llm", "reused"),
    ("activity:7", "call_llm", "reused"),
    ("activity:8", "call_llm", "reused"),
    ("activity:9", "generate_report", "reused"),
]

SUMS = ("llm_calls", "input_tokens", "output_tokens", "cost_usd", "unknown_cost_calls")


@dataclass(frozen=True)
class Demo:
    """A demo that has run."""

    folder: Path
    mark: str
    code: int
    out: str
    err: str

    @property
    def name(self) -> str:
        """What its files are called."""
        [history] = self.folder.glob("*.history.json")
        return history.name.removesuffix(".history.json")

    @property
    def history(self) -> Path:
        return self.folder / f"{self.name}.history.json"

    @property
    def trace(self) -> Path:
        return self.folder / f"{self.name}.otlp.jsonl"

    @property
    def replay(self) -> Path:
        return self.folder / f"{self.name}-replay.otlp.jsonl"

    @property
    def comparison(self) -> Any:
        return json.loads((self.folder / "compare.json").read_text())


def start(folder: Path, mark: str) -> subprocess.Popen[str]:
    """A demo whose processes all carry a mark in their environment."""
    return subprocess.Popen(
        [sys.executable, "-m", "tracing.cli", "demo", "-o", str(folder), "--no-phoenix"],
        env=hermetic(**{MARK: mark}),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    folder, mark = tmp_path_factory.mktemp("demo") / "out", uuid.uuid4().hex
    process = start(folder, mark)
    out, err = process.communicate(timeout=240)
    return Demo(folder, mark, process.returncode, out, err)


def processes_of(mark: str) -> list[str]:
    """Command lines of the processes that carry a mark."""
    return [" ".join(process.cmdline()) for process in psutil.process_iter() if _is_marked(process, mark)]


def _is_marked(process: psutil.Process, mark: str) -> bool:
    try:
        return process.environ().get(MARK) == mark and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False  # it has just ended, or is somebody else's


def durable_trace(*arguments: str, **settings: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "tracing.cli", *arguments],
        env=hermetic(**settings),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def usage(span: Span, key: str) -> int:
    value = span.attributes[key]
    assert isinstance(value, int)
    return value


def test_it_says_what_it_waits_for_and_all_that_it_claims_holds(demo: Demo) -> None:
    assert demo.code == 0
    begun = "".join(line for line in demo.err.splitlines(keepends=True) if " after " not in line and " s\n" not in line)
    assert re.sub(r"research-\w+", "RUN", begun) == SAID
    assert "failed" not in demo.err
    # Lines that the screen has folded are joined again.
    words = re.sub(r"\s*\n {2,}(?=\w)", " ", demo.out)
    assert "".join(f"{' '.join(line.split())}\n" for line in words.splitlines() if line[:1] in {"✓", "✗"}) == CLAIMS


def test_it_leaves_these_files_and_no_process(demo: Demo) -> None:
    files = {path.name: oct(path.stat().st_mode & 0o777) for path in demo.folder.iterdir() if path.is_file()}
    public = oct(0o666 & ~_umask())
    assert files == {
        "compare.json": public,
        "report.html": public,
        f"{demo.name}.otlp.jsonl": public,
        f"{demo.name}-replay.otlp.jsonl": public,
        f"{demo.name}.history.json": "0o600",  # raw: private
    }
    assert processes_of(demo.mark) == []


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_the_comparison_says_what_the_trace_says(demo: Demo) -> None:
    spans = list(read_trace(demo.trace))
    calls = [span for span in spans if span.attributes.get(c.OPERATION) == "chat"]
    fresh, cached, output = (
        sum(usage(call, c.USAGE_INPUT) - usage(call, c.USAGE_CACHE_READ) for call in calls),
        sum(usage(call, c.USAGE_CACHE_READ) for call in calls),
        sum(usage(call, c.USAGE_OUTPUT) for call in calls),
    )
    run_id = spans[0].attributes[c.RUN_ID]
    first, replay = demo.comparison["runs"]

    assert {key: first[key] for key in ("run_id", *SUMS)} == {
        "run_id": run_id,
        "llm_calls": 5,
        "input_tokens": fresh + cached,
        "output_tokens": output,
        # A million tokens of gpt-4o: 2.50 USD in, 1.25 of them cached, 10 out.
        "cost_usd": pytest.approx((fresh * 2.5 + cached * 1.25 + output * 10) / 1e6),
        "unknown_cost_calls": 0,
    }
    assert len(calls) == 5
    assert {key: replay[key] for key in ("run_id", *SUMS)} == {
        "run_id": run_id,
        "llm_calls": 0,
        "input_tokens": 0,
        "output_tokens": 0,
        "cost_usd": 0.0,
        "unknown_cost_calls": 0,
    }


def test_the_comparisons_totals_are_the_sums_of_its_steps(demo: Demo) -> None:
    comparison = demo.comparison
    steps = comparison["steps"]

    assert [(step["key"], step["type"], step["state"]) for step in steps] == STEPS
    for run, side in zip(comparison["runs"], ("first", "second"), strict=True):
        for key in SUMS:
            assert run[key] == pytest.approx(sum(step[side][key] for step in steps)), (side, key)

    spent = {step["key"]: step["first"]["cost_usd"] for step in steps}
    [crash] = comparison["recovery_points"]
    assert {"activity:1", "activity:5"} <= set(crash["completed"])
    assert comparison["saved_usd"] == pytest.approx(sum(spent.values()))
    again = sum(spent[key] for key in crash["completed"])
    assert comparison["counterfactual_usd"] == pytest.approx(sum(spent.values()) + again)
    # What a lost attempt spent nobody knows; it may have been lost before it asked, or there was none.
    assert comparison["retry_waste_usd"] == (None if comparison["waste"] else 0.0)


def test_its_history_replays_and_its_files_are_read_by_the_other_commands(demo: Demo) -> None:
    workflow_id = demo.name.rpartition("_")[0]
    sdk_history = WorkflowHistory.from_json(workflow_id, json.loads(demo.history.read_text()))
    assert sdk_history.workflow_id == workflow_id
    assert sdk_history.events[-1].HasField("workflow_execution_completed_event_attributes")

    code, out, err = durable_trace(
        "replay", str(demo.history), "--workflow", "agent.research.workflow:ResearchAgentWorkflow", "--json"
    )
    [replayed] = json.loads(out)["replays"]
    assert (code, err) == (0, "")
    assert (replayed["outcome"], replayed["reused_steps"], replayed["llm_calls"]) == ("reproduced", 9, 0)

    code, out, err = durable_trace("cost", str(demo.trace))
    assert (code, err) == (0, "")
    assert f"{demo.comparison['runs'][0]['input_tokens']:,}" in out

    code, out, err = durable_trace("compare", str(demo.trace), str(demo.replay), "--json")
    assert (code, err) == (0, "")
    compared, written = json.loads(out), demo.comparison
    # The demo knows the model server's own count, too.
    assert _without_requests(compared) == _without_requests(written)


def test_a_changed_agent_no_longer_fits_its_history(demo: Demo, tmp_path: Path) -> None:
    code = (ROOT / "agent" / "research" / "workflow.py").read_text()
    changed = code.replace("            generate_report, ReportInput(", '            "write_report", ReportInput(')
    assert changed != code
    (tmp_path / "changed_agent.py").write_text(changed)

    status, out, err = durable_trace(
        "replay", str(demo.history), "--workflow", "changed_agent", "--json", PYTHONPATH=f"{ROOT}{os.pathsep}{tmp_path}"
    )

    [replayed] = json.loads(out)["replays"]
    assert (status, replayed["outcome"], replayed["reused_steps"], replayed["llm_calls"]) == (1, "diverged", 8, 0)
    divergence = replayed["divergence"]
    assert divergence["expected"] == "activity 'generate_report' (ID 9)"
    assert divergence["actual"] == "activity 'write_report' (ID 9)"
    assert (Path(divergence["file"]).name, divergence["function"]) == ("changed_agent.py", "ResearchAgentWorkflow.run")
    assert "report = await workflow.execute_activity(" in changed.splitlines()[divergence["line"] - 1]
    assert f"diverged at event {divergence['event_id']}" in err


def _without_requests(comparison: Any) -> Any:
    counted = {"requests", "requests_unrecorded"}
    waste = [{key: value for key, value in each.items() if key not in counted} for each in comparison["waste"]]
    return {**comparison, "waste": waste}


def test_ctrl_c_ends_it_with_130_and_no_process_is_left(tmp_path: Path) -> None:
    mark = uuid.uuid4().hex
    process = start(tmp_path / "out", mark)
    assert process.stderr
    try:
        while not (line := process.stderr.readline()).startswith("Waiting until"):
            assert line, "it ended before it waited"
        running = "\n".join(processes_of(mark))
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
    finally:
        process.kill()
        process.communicate()

    for started in ("temporal", "collector", "agent.local.model_server", "agent.local.search_server", "worker-1"):
        assert started in running
    assert process.returncode == 130
    assert err.splitlines()[-1] == "Interrupted."
    assert processes_of(mark) == []
