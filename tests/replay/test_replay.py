from __future__ import annotations

import gzip
import json
from dataclasses import replace as changed
from typing import TYPE_CHECKING

import msgspec
import pytest
from temporalio.api.history.v1 import History as HistoryMessage
from temporalio.client import WorkflowHistory

from tests.cost.writing import compared, written
from tests.rendering import render
from tests.replay.histories import research
from tests.replay.traced_workflows import ResearchWithTools
from tests.replay.workflows import (
    Other,
    Research,
    ResearchByIdentity,
    ResearchThatRaises,
    ResearchThatStopsEarly,
    ResearchThatTranslates,
)
from tracing import TracingPlugin
from tracing import conventions as c
from tracing.config import TracingConfig
from tracing.cost import account, compare
from tracing.history import History, read, to_spans
from tracing.identity import replay_span_id, replay_trace_id
from tracing.replay import Divergence, Replay, ReplayedStep, replay, replay_account, replay_spans

if TYPE_CHECKING:
    from pathlib import Path

    from tracing.spans.model import Span


async def test_code_whose_module_declares_tools_and_model_calls_needs_no_plugin() -> None:
    result = await replay(research(), [ResearchWithTools])

    assert (result.outcome, result.message) == ("reproduced", "")


async def test_code_that_still_fits() -> None:
    result = await replay(research(), [Research], replay_id="replay-1")

    assert (result.outcome, result.message, result.event_id) == ("reproduced", "", None)
    assert (result.replay_id, result.namespace, result.workflow_id, result.run_id, result.workflow_type) == (
        "replay-1",
        "default",
        "research-1",
        "run-1",
        "Research",
    )
    assert [(step.id, step.type, step.nth) for step in result.reused_steps] == [
        ("1", "plan", 1),
        ("2", "sum_up", 1),
    ]
    times = [time for step in result.steps for time in (step.issued, step.resolved) if time is not None]
    assert times == sorted(times)
    assert result.started <= times[0]


async def test_code_that_asks_for_another_activity() -> None:
    result = await replay(research(), [ResearchThatTranslates])

    assert result.outcome == "diverged"
    assert result.message == (
        "[TMPRL1100] Nondeterminism error: Activity type of scheduled event 'sum_up' does not match activity type of "
        "activity command 'translate'"
    )
    assert [step.type for step in result.reused_steps] == ["plan"]
    assert [step.type for step in result.steps] == ["plan", "translate"]
    # In the sandbox, as all of these: the lines are those of the user's file.
    assert [str(step.source).rpartition(" ")[2] for step in result.steps] == ["ResearchThatTranslates.run"] * 2


async def test_code_that_ends_too_early_names_the_event() -> None:
    result = await replay(research(), [ResearchThatStopsEarly])

    assert (result.outcome, result.event_id) == ("diverged", 11)
    assert "HistoryEvent(id: 11, ActivityTaskScheduled)" in result.message


async def test_code_that_raises() -> None:
    result = await replay(research(), [ResearchThatRaises])

    assert (result.outcome, result.message) == ("failed", "no answer to plan")


async def test_code_without_the_workflow() -> None:
    result = await replay(research(), [Other])

    assert result.outcome == "failed"
    assert result.message == "Workflow class Research is not registered on this worker, available workflows: Other"


async def test_the_code_sees_the_real_workflow_id_and_namespace() -> None:
    recorded = research(activity_ids=("production/research-1", "2"))

    result = await replay(recorded, [ResearchByIdentity], namespace="production")

    assert (result.outcome, [step.id for step in result.reused_steps]) == (
        "reproduced",
        ["production/research-1", "2"],
    )


async def test_ten_replays_with_the_plugin_send_nothing_and_are_all_alike() -> None:
    outcomes = [await replay(research(), [Research], plugins=[TracingPlugin()]) for _ in range(10)]

    assert {(result.outcome, len(result.reused_steps)) for result in outcomes} == {("reproduced", 2)}


async def test_a_history_that_goes_on_is_replayed_as_far_as_it_goes() -> None:
    result = await replay(WorkflowHistory("research-1", research().events[:7]), [Research])

    assert (result.outcome, [step.type for step in result.reused_steps]) == ("reproduced", ["plan"])


@pytest.mark.parametrize("shape", ["events", "list", "page", "binary", "gzip"])
async def test_history_files(shape: str, tmp_path: Path) -> None:
    recorded = research()
    events = json.loads(recorded.to_json())["events"]
    ours = {"workflowId": "research-1", "runId": "run-1", "namespace": "production", "events": events}
    data = {
        "events": json.dumps(ours).encode(),
        "list": json.dumps(events).encode(),
        "page": json.dumps({"history": {"events": events}, "nextPageToken": ""}).encode(),
        "binary": HistoryMessage(events=recorded.events).SerializeToString(),
        "gzip": gzip.compress(json.dumps(ours).encode()),
    }[shape]
    file = tmp_path / "run.history.json"
    file.write_bytes(data)

    result = await replay(file, [Research])

    assert (result.outcome, result.run_id) == ("reproduced", "run-1")
    assert result.namespace == ("production" if shape in {"events", "gzip"} else "default")


async def test_bytes_and_a_real_run_id_given_with_them() -> None:
    result = await replay(research().to_json().encode(), [Research], run_id="reset-run")

    assert (result.outcome, result.run_id) == ("reproduced", "reset-run")


@pytest.mark.parametrize(
    ("kept", "reason"),
    [
        (slice(0, 1), "holds only the start of a run: there is nothing to replay yet"),
        (slice(1, None), "Its first event is 2"),
        (slice(0, 0), "No event"),
    ],
)
async def test_a_history_that_would_hang_the_sdk_is_refused(kept: slice, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        await replay(WorkflowHistory("research-1", research().events[kept]), [Research])


async def test_a_history_with_a_gap_is_refused() -> None:
    events = list(research().events)

    with pytest.raises(ValueError, match=r"cannot be replayed: Event 5 is missing\. Export the whole history again"):
        await replay(WorkflowHistory("research-1", events[:4] + events[5:]), [Research])


async def test_a_history_with_decoded_payloads_is_refused() -> None:
    document = json.loads(research().to_json())
    document["events"][0]["workflowExecutionStartedEventAttributes"]["input"] = "why?"

    with pytest.raises(ValueError, match="cannot be replayed: Plain values stand in the place of payloads"):
        await replay(json.dumps(document).encode(), [Research])


async def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="does not exist"):
        await replay(tmp_path / "missing.json", [Research])
    with pytest.raises(ValueError, match="is a folder: a replay takes one history"):
        await replay(tmp_path, [Research])


def test_the_trace_of_a_replay() -> None:
    run_spans = _run_spans()
    names = {f"trace {run_spans[0].trace_id:032x} span {span.span_id:016x}": span.name for span in run_spans}

    assert (
        render(replay_spans(_replayed(), run_spans), only={c.REUSED, c.REPLAY_ID, c.REPLAY_OUTCOME}, names=names)
        == """\
ReplayWorkflow:Research INTERNAL 0..8 ms
  durable.replay.id: 'replay-1'
  durable.replay.outcome: 'reproduced'
  -> RunWorkflow:Research
  StartActivity:plan CLIENT 1..2 ms
    durable.reused: True
    -> StartActivity:plan
  StartActivity:sum_up CLIENT 3..4 ms
    durable.reused: True
    -> StartActivity:sum_up"""
    )


def test_a_replay_has_a_trace_of_its_own_with_the_runs_session() -> None:
    run_spans = [
        msgspec.structs.replace(span, attributes=span.attributes | {c.SESSION_ID: "s-1"}) for span in _run_spans()
    ]

    spans = replay_spans(_replayed(), run_spans)

    assert {span.trace_id for span in spans} == {replay_trace_id("run-1", "replay-1")}
    assert len({span.span_id for span in [*spans, *run_spans]}) == len(spans) + len(run_spans)
    assert [span.parent_id for span in spans] == [None, *[replay_span_id("run-1", "replay-1")] * 2]
    assert [span.links[0].span_id for span in spans] == [
        span.span_id for span in run_spans if span.name.startswith(("RunWorkflow", "StartActivity"))
    ]
    assert {span.attributes[c.SESSION_ID] for span in spans} == {"s-1"}


def test_the_message_of_a_divergence_obeys_the_content_switch() -> None:
    diverged = changed(
        _replayed(), outcome="diverged", message="sum_up is not translate", divergence=Divergence(event_id=11)
    )

    shown = replay_spans(diverged, _run_spans(), TracingConfig(capture_content=True))[0]
    hidden = replay_spans(diverged, _run_spans(), TracingConfig())[0]

    assert (shown.status_message, hidden.status_message) == ("sum_up is not translate", "")
    assert hidden.attributes[c.ERROR_TYPE] == "NondeterminismError"
    assert hidden.attributes[c.REPLAY_EVENT_ID] == 11


def test_a_replay_costs_nothing() -> None:
    replayed = replay_account(_replayed(), _run_spans())

    assert (
        written(replayed)
        == """\
activity:1 plan: nothing, 0 calls, 0+0 tokens, 0 USD, waste 0 USD (reused)
activity:2 sum_up: nothing, 0 calls, 0+0 tokens, 0 USD, waste 0 USD (reused)
= 0 calls, 0+0 tokens, 0 USD, waste 0 USD, 0 unknown attempts"""
    )
    assert (replayed.run_id, replayed.replay_id, replayed.status) == ("run-1", "replay-1", "reproduced")
    assert compared(compare(account(_run_spans()), replayed)) == "activity:1 plan reused\nactivity:2 sum_up reused"


def test_steps_that_a_diverged_replay_did_not_reach_are_gone() -> None:
    diverged = changed(_replayed(), outcome="diverged", steps=_replayed().steps[:1])

    assert compared(compare(account(_run_spans()), replay_account(diverged, _run_spans()))) == (
        "activity:1 plan reused\nactivity:2 sum_up gone"
    )


def _run_spans() -> list[Span]:
    [history] = read(research())
    assert isinstance(history, History)
    return to_spans(history, TracingConfig())


def _replayed() -> Replay:
    start, ms = 1_795_000_100_000_000_000, 1_000_000
    return Replay(
        replay_id="replay-1",
        namespace="default",
        workflow_id="research-1",
        run_id="run-1",
        workflow_type="Research",
        outcome="reproduced",
        message="",
        started=start,
        duration=8 * ms,
        steps=(
            ReplayedStep("activity", "plan", "1", 1, start + ms, start + 2 * ms),
            ReplayedStep("activity", "sum_up", "2", 1, start + 3 * ms, start + 4 * ms),
        ),
    )
