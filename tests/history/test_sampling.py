"""Which runs were sampled, and which types are left out? A history's spans are there all the same, and say so."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.history.recording import RUN_ID, Recording, ledger, our_header, payload, step_header, tree
from tests.rendering import render
from tracing import conventions as c
from tracing.config import TracingConfig
from tracing.headers import SpanReference
from tracing.history import to_spans
from tracing.identity import run_trace_id, step_span_id

SAMPLED, UNSAMPLED = (str(SpanReference(0xABC, 0xDEF, sampled)) for sampled in (True, False))


def sampled(recording: Recording, config: TracingConfig | None = None) -> bool:
    """Whether a run is one that live spans were sent of."""
    run = to_spans(recording.read(), config or TracingConfig())[0]
    assert run.attributes.get(c.SAMPLED) in {None, False}
    return c.SAMPLED not in run.attributes


def left_out(activity_id: str) -> dict[str, Any]:
    """The header of an activity whose type the worker excluded, in a run that it traces."""
    reference = SpanReference(run_trace_id(RUN_ID), step_span_id(RUN_ID, "activity", activity_id), sampled=False)
    return our_header(traceparent=str(reference), sampled=True)


@pytest.mark.parametrize(
    ("header", "decision"),
    [
        ({"traceparent": SAMPLED}, True),
        ({"traceparent": UNSAMPLED}, False),
        ({"sampled": True}, True),
        ({"sampled": False}, False),
        ({"session": "chat-17"}, True),
    ],
    ids=str,
)
def test_the_header_of_the_start_carries_the_decision(header: dict[str, Any], *, decision: bool) -> None:
    assert sampled(Recording(header=our_header(**header))) is decision


def test_the_decision_of_a_chain_is_made_once() -> None:
    retried = Recording(
        header=our_header(traceparent=UNSAMPLED),
        first_execution_run_id="the-first",
        continued_execution_run_id="before",
    )
    assert not sampled(retried)


@pytest.mark.parametrize("decision", [True, False])
def test_where_the_start_carries_none_its_first_step_does(*, decision: bool) -> None:
    recording = Recording()
    task = recording.task(ms=2)
    recording.activity(task, header=step_header("1", sampled=decision))
    recording.activity(task, "2", header=step_header("2", sampled=True))

    assert sampled(recording) is decision


def test_the_header_of_a_step_whose_type_was_left_out_says_beside_it_what_goes_for_the_run() -> None:
    recording = Recording()
    recording.activity(recording.task(ms=2), header=left_out("1"))

    assert sampled(recording)


def test_a_child_tells_it_as_well() -> None:
    recording = Recording()
    recording.add(
        "start_child_workflow_execution_initiated",
        workflow_id="child",
        workflow_task_completed_event_id=recording.task(ms=2),
        header=step_header("child", kind="child_workflow", sampled=False),
    )

    assert not sampled(recording)


def test_a_run_of_an_excluded_type_is_sampled_out() -> None:
    recording = Recording(header=our_header(traceparent=SAMPLED))

    assert not sampled(recording, TracingConfig(exclude_workflows=("Res*",)))
    assert not sampled(recording, TracingConfig(include_workflows=("Other",)))


@pytest.mark.parametrize("excluded", ["by the reader", "by the worker"])
def test_an_activity_of_an_excluded_type_has_no_span_and_its_events_are_the_runs(excluded: str) -> None:
    recording = Recording()
    task = recording.task(ms=2)
    header = left_out("1") if excluded == "by the worker" else step_header("1")
    noise = recording.activity(task, header=header, activity_type={"name": "noise"})
    recording.attempt(noise, ms=10)
    recording.complete_activity(noise, payload(), ms=12)
    config = TracingConfig(exclude_activities=("no*",)) if excluded == "by the reader" else TracingConfig()

    assert render(to_spans(recording.read(), config), only={c.EVENT_IDS, c.SAMPLED}) == tree("""
    RunWorkflow:Research SERVER 0.. ms
      temporal.event_ids: '1-7'
    """)


def test_so_has_a_local_one_and_what_it_cost_is_counted() -> None:
    recording = Recording()
    task = recording.task(ms=2)
    marker = {"activity_id": "1", "activity_type": "noise"}
    details = {
        "data": {"payloads": [payload(json.dumps(marker))]},
        "result": {"payloads": [payload(**{c.HEADER: ledger(1, 3, 1)})]},
    }
    recording.add(
        "marker_recorded",
        marker_name="core_local_activity",
        details=details,
        workflow_task_completed_event_id=task,
    )
    config = TracingConfig(exclude_activities=("no*",))

    assert render(to_spans(recording.read(), config), only={c.EVENT_IDS, c.LLM_CALLS}) == tree("""
    RunWorkflow:Research SERVER 0.. ms
      durable.llm.calls: 1
      temporal.event_ids: '1-5'
    """)


def test_what_the_user_adds_is_on_every_span() -> None:
    recording = Recording()
    recording.activity(recording.task(ms=2))
    config = TracingConfig(add_attributes=lambda name, given: {"team": f"{name}/{given[c.NAMESPACE]}"})

    assert [span.attributes["team"] for span in to_spans(recording.read(), config)] == [
        "RunWorkflow:Research/default",
        "StartActivity:call_llm/default",
    ]
