"""What a comparison finds is on the run's trace in a real Phoenix: once, replaced, and found by Phoenix's filter."""

from __future__ import annotations

import os
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from agent.servers.phoenix_api import PhoenixReader
from tests.cost.runs import Attempt, Call, RecordedRun, killed_run
from tests.e2e.conftest import hermetic
from tests.tables.fleet import replay
from tracing.cli import run
from tracing.identity import run_span_id, run_trace_id
from tracing.tracefile import write_trace

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tests.e2e.conftest import Eventually
    from tracing.spans.model import Span

pytestmark = pytest.mark.e2e


@dataclass
class Stage:
    """Trace files, the command line, and what Phoenix has."""

    folder: Path
    phoenix: httpx2.Client
    reader: PhoenixReader
    eventually: Eventually

    def write(self, name: str, spans: Sequence[Span]) -> str:
        return str(write_trace(self.folder, name, spans))

    def send(self, file: str, run_id: str) -> None:
        assert run(["send", file, "--to", "phoenix"]) == 0
        self.eventually(lambda: f"{run_span_id(run_id):016x}" in self.reader.span_ids(trace_of(run_id)), expected=True)

    def annotations(self, run_id: str) -> dict[str, dict[str, Any]]:
        """Of a run's trace, by name; each is there once."""
        asked = {"trace_ids": trace_of(run_id), "limit": 100}
        answer = self.phoenix.get("/v1/projects/default/trace_annotations", params=asked).raise_for_status().json()
        by_name = {annotation["name"]: annotation for annotation in answer["data"]}
        assert len(by_name) == len(answer["data"])
        return by_name

    def results(self, run_id: str) -> dict[str, tuple[float | None, str | None]]:
        found = self.annotations(run_id)
        return {name: (each["result"]["score"], each["result"]["label"]) for name, each in found.items()}

    def filtered(self, condition: str) -> set[str]:
        """IDs of the traces of which Phoenix's filter finds spans."""
        query = """query ($condition: String!) { projects { edges { node {
            spans(first: 1000, filterCondition: $condition) { edges { node { trace { traceId } } } } } } } }"""
        answer = self.phoenix.post("/graphql", json={"query": query, "variables": {"condition": condition}}).json()
        assert "errors" not in answer, answer
        projects = answer["data"]["projects"]["edges"]
        return {span["node"]["trace"]["traceId"] for each in projects for span in each["node"]["spans"]["edges"]}


def trace_of(run_id: str) -> str:
    return f"{run_trace_id(run_id):032x}"


@pytest.fixture
def stage(phoenix: str, tmp_path: Path, eventually: Eventually, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    for name in os.environ.keys() - hermetic().keys():
        monkeypatch.delenv(name)
    monkeypatch.setenv("PHOENIX_COLLECTOR_ENDPOINT", phoenix)
    with httpx2.Client(base_url=phoenix, timeout=30) as client, PhoenixReader(phoenix) as reader:
        yield Stage(tmp_path, client, reader, eventually)


@pytest.fixture
def run_id() -> str:
    """A run ID of the test's own: Phoenix keeps the first span of an ID."""
    return f"run-{uuid.uuid4()}"


def rerun(run_id: str, cost: float | None, end: float = 60) -> list[Span]:
    """A run that takes two results from the killed run's, and makes one call, of 100 + 10 tokens."""
    again = RecordedRun(run_id)
    again.step("call_llm", 1, 4, reused=True, activity_id="1").step("search_web", 4, 6, reused=True, activity_id="2")
    return again.step("call_llm", 20, 24, Attempt(20, 24, [Call(20, 23, cost, 100, 10)]), activity_id="3").spans(end)


def test_totals_are_on_the_second_runs_trace_once_however_often_they_are_written(stage: Stage, run_id: str) -> None:
    sides = [stage.write("first", killed_run().spans()), stage.write("second", rerun(run_id, 0.25))]
    stage.send(sides[1], run_id)

    assert run(["compare", *sides, "--scores-to", "phoenix"]) == 0
    written = stage.annotations(run_id)
    assert run(["compare", *sides, "--scores-to", "phoenix"]) == 0
    again = stage.annotations(run_id)

    assert stage.results(run_id) == {
        "durable.saved_usd": (0.0046325, None),
        "durable.counterfactual_usd": (0.0311225, "at least"),
        "durable.retry_waste_usd": (0.0022675, "at least"),
        "durable.cost_difference_usd": (None, "unknown"),
        "durable.tokens_difference": (-7426, None),
        "durable.steps_reused": (2, None),
        "durable.steps_executed": (1, None),
    }
    assert {name: each["id"] for name, each in again.items()} == {name: each["id"] for name, each in written.items()}
    saved = written["durable.saved_usd"]
    assert saved["result"]["explanation"] == (
        f"What the second run did not spend, because it reused results of the first. Run {run_id} against run run-1."
    )
    assert saved["metadata"] == {"first_run_id": "run-1", "second_run_id": run_id}
    assert (saved["annotator_kind"], saved["source"]) == ("CODE", "API")


def test_what_is_known_better_takes_the_place_of_what_was_known(stage: Stage, run_id: str) -> None:
    base = RecordedRun("run-0").step("call_llm", 1, 4, Attempt(1, 4, [Call(1, 3, 0.125, 50, 5)])).spans()
    first = stage.write("first", base)
    stage.send(stage.write("second", rerun(run_id, None)), run_id)
    assert run(["compare", first, str(stage.folder / "second.otlp.jsonl"), "--scores-to", "phoenix"]) == 0
    assert stage.results(run_id)["durable.cost_difference_usd"] == (None, "unknown")

    stage.write("second", rerun(run_id, 0.25, end=90))
    assert run(["compare", first, str(stage.folder / "second.otlp.jsonl"), "--scores-to", "phoenix"]) == 0

    assert stage.results(run_id)["durable.cost_difference_usd"] == (0.125, None)
    assert len(stage.annotations(run_id)) == 7


def test_phoenix_filters_by_them(stage: Stage, run_id: str) -> None:
    sides = [stage.write("first", killed_run().spans()), stage.write("second", rerun(run_id, 0.25))]
    stage.send(sides[1], run_id)
    assert run(["compare", *sides, "--scores-to", "phoenix"]) == 0

    assert trace_of(run_id) in stage.filtered("trace_annotations['durable.saved_usd'].score > 0.004")
    assert trace_of(run_id) not in stage.filtered("trace_annotations['durable.saved_usd'].score > 0.005")
    assert trace_of(run_id) in stage.filtered("trace_annotations['durable.retry_waste_usd'].label == 'at least'")


def test_a_replay_is_scored_on_the_trace_of_the_run_it_is_compared_with(stage: Stage, run_id: str) -> None:
    whole = RecordedRun(run_id).step("call_llm", 1, 4, Attempt(1, 4, [Call(1, 3, 0.125, 50, 5)])).spans()
    first = stage.write("first", whole)
    stage.send(first, run_id)

    assert run(["compare", first, stage.write("replay", replay()), "--scores-to", "phoenix"]) == 0

    results = stage.results(run_id)
    assert results["durable.replay.outcome"] == (None, "reproduced")
    # The replay took five results, and what four of them cost is not in the first trace.
    assert results["durable.saved_usd"] == (0.125, "at least")
    assert stage.annotations(run_id)["durable.replay.outcome"]["metadata"]["replay_id"] == "replay-1"


def test_a_trace_that_phoenix_does_not_have_is_named_below_the_comparison(
    stage: Stage, run_id: str, capsys: pytest.CaptureFixture[str]
) -> None:
    sides = [stage.write("first", killed_run().spans()), stage.write("second", rerun(run_id, 0.25))]

    assert run(["compare", *sides, "--scores-to", "phoenix"]) == 1

    said = capsys.readouterr()
    assert "Saved by reused results: $0.004633" in said.out
    assert said.err == (
        f"durable-trace: Scores were not all written: Phoenix does not have trace {trace_of(run_id)}: send its spans "
        "(`durable-trace send`), or wait until it has stored them.\n"
    )
