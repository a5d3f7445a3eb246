"""Histories that real programs recorded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from temporalio.api.history.v1 import History as HistoryProto
from temporalio.client import WorkflowHistory

from tests.history.recording import tree
from tests.rendering import render
from tracing import conventions as c
from tracing.config import TracingConfig
from tracing.history import History, Unreadable, read, to_spans
from tracing.spans.model import Span
from tracing.tracefile import write_history

pytestmark = pytest.mark.slow

DATA = Path(__file__).parents[1] / "data"
REFUSED = {
    "sdk-go/sampleHistory.json": (
        "It does not name its run, as histories of old servers do not: export it with --run-id (in Python: run_id=)."
    ),
    "ui/python_local_activity.json": (
        "Its first event is 5 (MarkerRecorded), but event 1 (WorkflowExecutionStarted) says whose history it is: "
        "export it again, whole."
    ),
}
ALL = sorted(path.relative_to(DATA).as_posix() for path in DATA.rglob("*.*") if path.suffix in {".json", ".bin"})
FILES = [name for name in ALL if name not in REFUSED]
UNKNOWN_TYPE = {"sdk-go/workflow_with_bad_unknown_event.json", "sdk-go/workflow_with_unknown_event.json"}
"""Event 23 is of a type "UnknownEvent", of which the SDK's parser keeps nothing."""
PLAIN_PAYLOADS = {"sdk-python/test_replayer_command_reordering_backward_compatibility.json"}
"""The SDK's parser reads a plain text in the place of a payload's data as if it were base64."""
CONTENT = TracingConfig(capture_content=True)


def _one(source: Path | WorkflowHistory | tuple[WorkflowHistory, str], **names: str) -> History:
    (history,) = read(source, **names)
    assert isinstance(history, History), history
    return history


def _known(spans: list[Span]) -> list[Span]:
    """The spans without what is told of the file itself: `from_json` passes unknown fields over, and what was damaged
    or there twice in the source is not in what is written of it.
    """
    for span in spans:
        span.attributes.pop(c.UNKNOWN_FIELDS, None)
        span.attributes.pop(c.DEFECTS, None)
    return spans


def _ids(text: str) -> set[int]:
    ranges = (part.partition("-") for part in text.split(","))
    return {number for first, _, last in ranges for number in range(int(first), int(last or first) + 1)}


def test_files_that_are_refused_say_why() -> None:
    found = list(read(DATA))
    assert {str(item) for item in found if isinstance(item, Unreadable)} == {
        f"{DATA / file}: {reason}" for file, reason in REFUSED.items()
    }
    assert [item.source for item in found if isinstance(item, History)] == [str(DATA / file) for file in FILES]
    assert len(FILES) == 103


@pytest.mark.parametrize("file", FILES)
def test_every_event_is_found_on_some_span(file: str) -> None:
    history = _one(DATA / file)
    spans = to_spans(history, CONTENT)

    assert set().union(*(_ids(str(span.attributes[c.EVENT_IDS])) for span in spans)) == {e.id for e in history.events}
    assert len({span.span_id for span in spans}) == len(spans)
    run = spans[0]
    parents = {span.span_id for span in spans}
    for span in spans:
        assert (span.trace_id, span.parent_id in parents or span is run) == (run.trace_id, True)
        assert span.end is None or span.end >= span.start
        assert span.end is not None or c.UNCLOSED in span.attributes
        assert c.UNCLOSED not in span.attributes or span.end in {None, run.end}


@pytest.mark.parametrize("file", FILES)
def test_what_is_written_of_it_is_read_by_the_sdk_and_gives_the_same_spans(file: str, tmp_path: Path) -> None:
    (history,) = read(DATA / file, raw=True)
    assert isinstance(history, History)
    plain = _one(DATA / file)
    assert (history.defects, to_spans(history, CONTENT)) == (plain.defects, to_spans(plain, CONTENT))

    written = write_history(tmp_path, "run", history)
    if file not in UNKNOWN_TYPE:  # what such an event says is written as the SDK takes it
        assert _known(to_spans(_one(written), CONTENT)) == _known(to_spans(history, CONTENT))

    sdk = WorkflowHistory.from_json(history.workflow_id, written.read_text())
    assert [event.event_id for event in sdk.events] == [event.id for event in history.events]
    spans = to_spans(_one((sdk, history.run_id), namespace=history.namespace), CONTENT)
    shown = repr(_known(spans))
    if file in UNKNOWN_TYPE:
        assert json.loads(written.read_text())["events"][22]["eventType"] == "UnknownEvent"
        assert shown.count("Unspecified") == 1
        return  # `from_json` reads its numbers and enums as what it takes it for
    assert shown == repr(_known(to_spans(history, CONTENT)))


# The SDK reads no lists of histories and no pages of the HTTP API.
@pytest.mark.parametrize(
    "file",
    [name for name in FILES if not name.startswith(("features/", "ui/")) and name not in UNKNOWN_TYPE | PLAIN_PAYLOADS],
)
def test_json_and_protobuf_give_the_same_spans(file: str) -> None:
    path = DATA / file
    if path.suffix == ".bin":
        sdk = WorkflowHistory("wf", HistoryProto.FromString(path.read_bytes()).events)
    else:
        sdk = WorkflowHistory.from_json("wf", path.read_text())
    expected = _known(to_spans(_one(path, workflow_id="wf"), CONTENT))
    assert _known(to_spans(_one(sdk), CONTENT)) == expected


def test_a_reset_run() -> None:
    history = _one(DATA / "live/reset-run.json")
    assert history.run_id == "cca9a6ec-e9b6-49a1-a26f-cd655dafa13f"

    shown = {c.EVENT_IDS, c.REUSED, c.ATTEMPTS, c.ACTIVITY_ID, c.TIMER_ID, c.RUN_STATUS, c.RESET_BASE_RUN_ID, c.CAUSE}
    assert render(to_spans(history), only=shown) == tree("""
    RunWorkflow:Agent SERVER 0..3667.326714 ms
      temporal.event_ids: '1-4,8-10,12-13,16-21,25-27,30-32,34-37'
      temporal.run.status: 'completed'
      * MarkerRecorded 2284.642 ms
        temporal.event_ids: '12'
      * UpsertWorkflowSearchAttributes 2285.094221 ms
        temporal.event_ids: '13'
      * WorkflowTaskFailed 3417.811805 ms
        temporal.cause: 'RESET_WORKFLOW'
        temporal.event_ids: '18'
        temporal.reset.base_run_id: '90ae37eb-6fef-4f90-a7e4-0d3870615428'
      -> trace 12034cece5b163f13599bc1594db7d02 span 41b80d38da85e709
      -> trace 35f096a5fdfd4f794a360f85a6289b4b span c89cf313641497db
      StartActivity:llm CLIENT 3.537..2117.763947 ms
        durable.reused: True
        temporal.attempts: 3
        temporal.event_ids: '5-7'
        temporalActivityID: '1'
        -> trace 35f096a5fdfd4f794a360f85a6289b4b span cedfb8267efe0b13
      StartActivity:la CLIENT 2119.962..2120.830858 ms
        durable.reused: True
        temporal.event_ids: '11'
        temporalActivityID: '2'
        -> trace 35f096a5fdfd4f794a360f85a6289b4b span 1ba2a2755b223a9e
      Timer INTERNAL 2119.962..3121.577143 ms
        durable.reused: True
        temporal.event_ids: '14-15'
        temporal.timer.id: '1'
        -> trace 35f096a5fdfd4f794a360f85a6289b4b span fa23ebd8f1e9d119
      StartActivity:llm CLIENT 3420.575..3532.644142 ms
        temporal.attempts: 1
        temporal.event_ids: '22-24'
        temporalActivityID: '3'
        RunActivity:llm SERVER 3428.701..3532.644142 ms
          temporal.event_ids: '23-24'
          temporalActivityID: '3'
      StartChildWorkflow:Child CLIENT 3534.626..3661.465597 ms
        temporal.event_ids: '28-29,33'
    """)


def test_signals_before_the_first_workflow_task() -> None:
    history = _one(DATA / "sdk-python/test_replayer_event_tracing_double_sig_at_start.json")

    assert render(to_spans(history), only={c.EVENT_IDS, c.UPDATE_NAME}) == tree("""
    RunWorkflow:SignalsActivitiesTimersUpdatesTracingWorkflow SERVER 0..1023.770945 ms
      temporal.event_ids: '1-2,5-6,9-11,16-18,20-23'
      HandleSignal:dosig SERVER 104.67..104.67 ms
        temporal.event_ids: '3'
      HandleSignal:dosig SERVER 104.67..104.67 ms
        temporal.event_ids: '4'
      StartActivity:say_hello CLIENT 104.67..190.289316 ms
        temporal.event_ids: '8,14-15'
        RunActivity:say_hello SERVER 186.29..190.289316 ms
          temporal.event_ids: '14-15'
      Timer INTERNAL 104.67..1002.815296 ms
        temporal.event_ids: '7,19'
      HandleUpdate:doupdate SERVER 186.962..191.503357 ms
        temporal.event_ids: '12-13'
        temporal.update.name: 'doupdate'
    """)


def test_a_terminated_run_with_open_steps() -> None:
    history = _one(DATA / "ui/raw-events.descending.terminated.json")

    assert render(to_spans(history), only={c.EVENT_IDS, c.RUN_STATUS, c.UNCLOSED}) == tree("""
    RunWorkflow:workflow.reset.base SERVER ERROR 0..2090.403504 ms
      temporal.event_ids: '1-6,13-15,18-20,22-24,27-30'
      temporal.run.status: 'terminated'
      * MarkerRecorded 41.936836 ms
        temporal.event_ids: '5'
      * UpsertWorkflowSearchAttributes 42.403586 ms
        temporal.event_ids: '6'
      * exception 2090.403504 ms
      StartActivity:activity.reset.base CLIENT 32.176..1094.130628 ms
        temporal.event_ids: '7,16-17'
        RunActivity:activity.reset.base SERVER 87.786..1094.130628 ms
          temporal.event_ids: '16-17'
      StartActivity:activity.reset.base CLIENT 32.176..2090.403504 ms
        durable.unclosed: True
        temporal.event_ids: '8'
      StartActivity:activity.reset.base CLIENT 32.176..2090.403504 ms
        durable.unclosed: True
        temporal.event_ids: '9'
      Timer INTERNAL 32.176..2043.715004 ms
        temporal.event_ids: '10,21'
      Timer INTERNAL 32.176..2090.403504 ms
        durable.unclosed: True
        temporal.event_ids: '11'
      HandleSignal:signalBeforeReset SERVER 130.841..130.841 ms
        temporal.event_ids: '12'
      SignalExternalWorkflow:signalToTrigger CLIENT 2050.438..2068.102045 ms
        temporal.event_ids: '25-26'
    """)
