"""What traces a process: after a fork, and where workflows are sampled out."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from dbos import DBOS, SetWorkflowID
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

from tests.dbos.conftest import unpacked
from tests.dbos_live.conftest import OFF, assert_same, traced
from tests.dbos_live.test_both_readers import answer
from tracing import conventions as c
from tracing.dbos.reader import Reader
from tracing.dbos_live.process import TracedProcess

if TYPE_CHECKING:
    from tests.dbos_live.conftest import Live

pytestmark = pytest.mark.slow


def watched(process: TracedProcess, workflow_id: str) -> bool:
    """Watch a workflow that is over to its end; whether that was seen."""
    execution = process.begin(workflow_id)
    if execution is None:
        return False
    process.ended(workflow_id, execution, recorded=True)
    return process.flush(30)


def test_a_forked_child_reads_the_database_by_itself(tmp_path: Path) -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    process = TracedProcess(unpacked(tmp_path), OFF, provider)
    assert watched(process, "research-1")
    exporter.clear()

    child = os.fork()
    if child == 0:
        seen = watched(process, "fail-1")
        came = [span.name for span in exporter.get_finished_spans()]
        os._exit(0 if seen and came == ["RunWorkflow:fail"] else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert watched(process, "pickled-1")  # the child has taken nothing from its parent
    assert [span.name for span in exporter.get_finished_spans()] == ["RunWorkflow:pickled"]


def test_dbos_that_is_launched_again_is_told_as_what_it_is_then(live: Live) -> None:
    @DBOS.step()
    def ask(prompt: str) -> str:
        return answer(prompt)

    @DBOS.workflow()
    def research(topic: str) -> str:
        return ask(topic)

    live.launch()
    with SetWorkflowID("first"):
        research("tides")
    DBOS.destroy()
    live.launch(version="2.0")
    with SetWorkflowID("second"):
        research("tides")
    for workflow_id, version in (("first", "1.0"), ("second", "2.0")):
        told = [span.attributes.get(c.BUILD_ID) for span in live.spans(workflow_id)]
        assert told.count(version) == len(told) - told.count(None) == 2  # the run and the attempt


def test_dbos_that_is_launched_again_with_a_database_made_anew_is_traced(live: Live) -> None:
    @DBOS.step()
    def ask(prompt: str) -> str:
        return answer(prompt)

    @DBOS.workflow()
    def research(topic: str) -> str:
        return ask(topic)

    file = Path(live.url.removeprefix("sqlite:///"))
    for workflow_id in ("first", "second"):
        live.launch()
        with SetWorkflowID(workflow_id):
            research("tides")
        assert_same(live.spans(workflow_id), live.exported(workflow_id))
        DBOS.destroy()
        for each in file.parent.glob(f"{file.name}*"):
            each.unlink()


def test_of_a_workflow_that_is_sampled_out_no_step_is_read(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    for name in ("steps", "step_numbers", "attempts"):
        monkeypatch.setattr(Reader, name, lambda _, workflow_id, **__: read.append(workflow_id))
    with traced(url, OFF, sampler=ALWAYS_OFF) as live:

        @DBOS.step()
        def ask(prompt: str) -> str:
            return answer(prompt)

        @DBOS.workflow()
        def research(topic: str) -> str:
            return ask(topic)

        live.launch()
        with SetWorkflowID("w"):
            assert research("tides") == "tides!"
        assert live.spans("w") == []
    assert read == []
