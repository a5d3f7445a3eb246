"""A trace's root, for a target that lacks the recorded one."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tracing import conventions as c
from tracing.identity import run_span_id
from tracing.runs import Attributes
from tracing.spans.model import Link, Span, SpanKind
from tracing.tracefile.reroot import parents_to_come, reroot

TRACE = 0xA1
CLIENT = 0xC1
REQUEST = 0xF1  # the web request that the client served
RUN = run_span_id("run-1")

COMMON: Attributes = {
    c.WORKFLOW_ID: "research-1",
    c.RUN_ID: "run-1",
    c.NAMESPACE: "default",
    c.WORKFLOW_TYPE: "Research",
    c.SESSION_ID: "session-1",
}
CONTENT: Attributes = {
    c.INPUT_VALUE: '"tides"',
    c.INPUT_MIME: "application/json",
    c.OUTPUT_VALUE: '"report"',
    c.OUTPUT_MIME: "application/json",
}
RESOURCE = {"service.name": "worker"}


def run_span(parent: int | None = CLIENT, more: Attributes | None = None) -> Span:
    return Span(
        trace_id=TRACE,
        span_id=RUN,
        parent_id=parent,
        name="RunWorkflow:Research",
        kind=SpanKind.SERVER,
        start=5_000_000,
        end=9_000_000,
        attributes={**COMMON, **CONTENT, c.RUN_STATUS: "completed", **(more or {})},
        resource=RESOURCE,
    )


STARTED = run_span(more={c.CLIENT_START_TIME: 4_900, c.CLIENT_START_PARENT: f"{REQUEST:016x}"})
STEP = Span(TRACE, 0xB2, RUN, "StartActivity:search", SpanKind.CLIENT, 6_000_000, 8_000_000, COMMON)
START_WORKFLOW = Span(
    trace_id=TRACE,
    span_id=CLIENT,
    parent_id=None,
    name="StartWorkflow:Research",
    kind=SpanKind.CLIENT,
    start=4_900_000,
    end=5_000_000,
    attributes={**COMMON, **CONTENT, c.REBUILT: True},
    links=(Link(TRACE, REQUEST),),
    resource=RESOURCE,
)


def test_a_root_stays() -> None:
    trace = [run_span(parent=None), STEP]
    assert reroot(trace) == trace


def test_the_clients_span_is_rebuilt_where_it_is_missing() -> None:
    assert reroot([STEP, STARTED]) == [STEP, START_WORKFLOW, STARTED]


@pytest.mark.parametrize(
    ("call", "name"),
    [
        ("signal_with_start", "SignalWithStartWorkflow:Research"),
        ("update_with_start", "StartUpdateWithStartWorkflow:Research"),
    ],
)
def test_the_clients_span_is_named_as_its_call_was(call: str, name: str) -> None:
    run = replace(STARTED, attributes={**STARTED.attributes, c.CLIENT_START_CALL: call})
    assert reroot([run]) == [replace(START_WORKFLOW, name=name), run]


def test_a_rebuilt_span_is_under_its_parent_where_the_target_has_that() -> None:
    assert reroot([STARTED], known={REQUEST}) == [replace(START_WORKFLOW, parent_id=REQUEST, links=()), STARTED]


def test_a_span_is_rebuilt_once() -> None:
    assert reroot([STARTED, STARTED]) == [START_WORKFLOW, STARTED, STARTED]


def test_nothing_changes_where_the_parent_is_in_the_trace_or_at_the_target() -> None:
    client = Span(TRACE, CLIENT, REQUEST, "StartWorkflow:Research", SpanKind.CLIENT, 4_900_000, 4_950_000, {})
    assert reroot([STARTED, client]) == [STARTED, client]
    assert reroot([STARTED, STEP], known={CLIENT}) == [STARTED, STEP]


def test_the_parent_of_another_trace_is_not_this_ones() -> None:
    client = Span(0xA2, CLIENT, None, "StartWorkflow:Research", SpanKind.CLIENT, 4_900_000, 4_950_000, {})
    assert reroot([STARTED, client]) == [START_WORKFLOW, STARTED, client]


def test_somebody_elses_parent_becomes_a_link() -> None:
    link = Link(0xA0, 0xB0)
    run = replace(run_span(parent=REQUEST), links=(link,))
    assert reroot([run, STEP]) == [replace(run, parent_id=None, links=(link, Link(TRACE, REQUEST))), STEP]


def test_the_run_of_a_child_keeps_the_step_that_started_it() -> None:
    child = replace(run_span(parent=STEP.span_id), span_id=run_span_id("run-2"))
    child = replace(child, attributes={**child.attributes, c.RUN_ID: "run-2"})
    open_step = replace(STEP, end=None)
    assert reroot([child, open_step]) == [child, open_step]


def test_parents_of_runs_that_no_client_started_come_with_other_runs() -> None:
    child = replace(run_span(parent=STEP.span_id), span_id=run_span_id("run-2"))
    child = replace(child, attributes={**child.attributes, c.RUN_ID: "run-2"})
    assert parents_to_come([STARTED, STEP, child, replace(child, end=None, parent_id=0xEE)]) == {STEP.span_id}
    assert reroot([child], parents_to_come([child])) == [child]


def test_of_an_open_run_nothing_is_made_yet() -> None:
    running = replace(STARTED, end=None)
    assert reroot([running, STEP]) == [running, STEP]


def test_only_the_spans_of_runs_are_roots() -> None:
    inner = replace(STEP, parent_id=0xDEAD)
    assert reroot([inner]) == [inner]


def test_a_clock_that_runs_late_gives_no_negative_duration() -> None:
    late = replace(STARTED, attributes={**STARTED.attributes, c.CLIENT_START_TIME: 5_100})
    assert reroot([late]) == [replace(START_WORKFLOW, start=5_100_000, end=5_100_000), late]


def test_what_the_run_says_of_its_start_need_not_be_sound() -> None:
    no_parent = replace(STARTED, attributes={**STARTED.attributes, c.CLIENT_START_PARENT: "not a span id!!!"})
    assert reroot([no_parent]) == [replace(START_WORKFLOW, links=()), no_parent]
    no_time = replace(STARTED, attributes={**STARTED.attributes, c.CLIENT_START_TIME: "soon"})
    assert reroot([no_time]) == [replace(no_time, parent_id=None, links=(Link(TRACE, CLIENT),))]
