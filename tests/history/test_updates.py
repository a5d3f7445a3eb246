"""The updates that a run accepted: whole traces from histories written by hand."""

from __future__ import annotations

from typing import Any

from tests.history.recording import BASE_RUN_ID, RUN_ID, Recording, failure, our_header, payload, tree
from tests.rendering import render
from tracing import conventions as c
from tracing import waiting_for_person
from tracing.headers import SpanReference
from tracing.identity import run_trace_id, step_span_id
from tracing.spans.model import Link

TOLD = {c.EVENT_IDS, c.UPDATE_ID, c.UPDATE_NAME, c.ERROR_TYPE, c.UNCLOSED, c.REUSED}
CALLER = SpanReference(0xABC, 0xDEF)


def accepted(recording: Recording, update_id: str = "add-1", **header: Any) -> int:
    """The workflow accepts an update."""
    request = {
        "meta": {"update_id": update_id},
        "input": {"name": "add", "args": {"payloads": [payload('"an item"')]}, **header},
    }
    return recording.add("workflow_execution_update_accepted", accepted_request=request)


def completed(recording: Recording, update: int, outcome: dict[str, Any], *, ms: float | None = None) -> int:
    """Its handler returns or raises."""
    return recording.add("workflow_execution_update_completed", ms=ms, accepted_event_id=update, outcome=outcome)


def test_one_that_completed_in_the_task_that_accepted_it() -> None:
    recording = Recording()
    recording.task(ms=2)
    recording.task(ms=10)
    update = accepted(recording, header=our_header(traceparent=str(CALLER)))
    completed(recording, update, {"success": {"payloads": [payload('"added"')]}})
    _, span = recording.spans(content=True)

    assert render([span]) == tree(f"""
    HandleUpdate:add SERVER 0..3 ms (parent {span.parent_id:016x})
      input.mime_type: 'text/plain'
      input.value: 'an item'
      output.mime_type: 'text/plain'
      output.value: 'added'
      temporal.event_ids: '8-9'
      temporal.update.id: 'add-1'
      temporal.update.name: 'add'
      -> trace 00000000000000000000000000000abc span 0000000000000def
    """)
    assert span.span_id == step_span_id(RUN_ID, "update", "add-1")
    assert span.links == (Link(0xABC, 0xDEF),)


def test_ones_that_take_several_tasks_fail_or_never_end() -> None:
    recording = Recording()
    recording.task(ms=2)
    slow, failing, _endless = (accepted(recording, update_id) for update_id in ("slow", "failing", "endless"))
    recording.task(ms=10)
    completed(recording, failing, {"failure": failure("too much", "Limit")}, ms=12)
    recording.task(ms=20)
    completed(recording, slow, {"success": {}}, ms=22)
    recording.complete(ms=30)

    assert render(recording.spans(), only=TOLD) == tree("""
    RunWorkflow:Research SERVER 0..30 ms
      temporal.event_ids: '1-4,8-10,12-14,16'
      HandleUpdate:add SERVER ERROR 2..12 ms
        error.type: 'Limit'
        temporal.event_ids: '6,11'
        temporal.update.id: 'failing'
        temporal.update.name: 'add'
        * exception 12 ms
      HandleUpdate:add SERVER 2..22 ms
        temporal.event_ids: '5,15'
        temporal.update.id: 'slow'
        temporal.update.name: 'add'
      HandleUpdate:add SERVER 2..30 ms
        durable.unclosed: True
        temporal.event_ids: '7'
        temporal.update.id: 'endless'
        temporal.update.name: 'add'
    """)


def test_one_whose_end_names_no_event_but_the_update() -> None:
    """As servers of 2023 wrote it."""
    recording = Recording()
    recording.task(ms=2)
    for update_id in ("add-1", "add-2"):
        request = {"meta": {"update_id": update_id}, "input": {"name": "add"}}
        recording.add("workflow_execution_update_accepted", protocol_instance_id=update_id, accepted_request=request)
    recording.add("workflow_execution_update_completed", ms=9, meta={"update_id": "add-1"}, outcome={"success": {}})
    recording.add("workflow_execution_update_completed", ms=10, meta={"update_id": "add-3"}, outcome={"success": {}})

    assert render(recording.spans(), only=TOLD) == tree("""
    RunWorkflow:Research SERVER 0.. ms
      durable.unclosed: True
      temporal.event_ids: '1-4,8'
      * WorkflowExecutionUpdateCompleted 10 ms
        temporal.event_ids: '8'
        temporal.update.id: 'add-3'
      HandleUpdate:add SERVER 2..9 ms
        temporal.event_ids: '5,7'
        temporal.update.id: 'add-1'
        temporal.update.name: 'add'
      HandleUpdate:add SERVER 2.. ms
        durable.unclosed: True
        temporal.event_ids: '6'
        temporal.update.id: 'add-2'
        temporal.update.name: 'add'
    """)


def test_what_the_server_noted_before_it_was_accepted_is_an_event_of_the_run() -> None:
    recording = Recording()
    request = {"meta": {"update_id": "add-1"}, "input": {"name": "add"}}
    recording.add("workflow_execution_update_admitted", request=request)
    recording.task(ms=2)
    accepted(recording)

    assert render(recording.spans(), only=TOLD) == tree("""
    RunWorkflow:Research SERVER 0.. ms
      durable.unclosed: True
      temporal.event_ids: '1-5'
      * WorkflowExecutionUpdateAdmitted 1 ms
        temporal.event_ids: '2'
        temporal.update.id: 'add-1'
        temporal.update.name: 'add'
      HandleUpdate:add SERVER 2.. ms
        durable.unclosed: True
        temporal.event_ids: '6'
        temporal.update.id: 'add-1'
        temporal.update.name: 'add'
    """)


def test_one_that_a_reset_brings_again_is_asked_for_where_the_server_noted_it() -> None:
    """As a dev server 1.29.1 writes it: what accepts it then holds no request."""
    recording = Recording(original_execution_run_id=BASE_RUN_ID, first_execution_run_id=BASE_RUN_ID)
    recording.reset()
    for update_id, name in (("add-1", "add"), ("poll-1", "__temporal_workflow_stream_poll")):
        request = {
            "meta": {"update_id": update_id},
            "input": {
                "name": name,
                "args": {"payloads": [payload('"an item"')]},
                "header": our_header(traceparent=str(CALLER)),
            },
        }
        recording.add("workflow_execution_update_admitted", request=request)
    recording.task(ms=10)
    for update_id in ("add-1", "poll-1", "unknown"):
        update = recording.add("workflow_execution_update_accepted", protocol_instance_id=update_id)
    completed(recording, update - 2, {"success": {"payloads": [payload('"added"')]}})
    run, span = recording.spans(content=True)

    assert render([span]) == tree(f"""
    HandleUpdate:add SERVER 0..5 ms (parent {span.parent_id:016x})
      input.mime_type: 'text/plain'
      input.value: 'an item'
      output.mime_type: 'text/plain'
      output.value: 'added'
      temporal.event_ids: '5,10,13'
      temporal.update.id: 'add-1'
      temporal.update.name: 'add'
      -> trace 00000000000000000000000000000abc span 0000000000000def
    """)
    assert span.span_id == step_span_id(RUN_ID, "update", "add-1")
    assert [event.name for event in run.events] == ["WorkflowTaskFailed", "WorkflowExecutionUpdateAccepted"]
    assert run.attributes[c.STREAM_POLLS] == 1


def test_one_that_a_reset_brings_again_answers_a_wait() -> None:
    recording = Recording(original_execution_run_id=BASE_RUN_ID, first_execution_run_id=BASE_RUN_ID)
    recording.reset()
    timer = recording.add(
        "timer_started",
        timer_id="1",
        summary=waiting_for_person(),
        workflow_task_completed_event_id=recording.task(ms=10),
    )
    request = {"meta": {"update_id": "add-1", "identity": "ada"}, "input": {"name": "add"}}
    recording.add("workflow_execution_update_admitted", request=request)
    recording.task(ms=20)
    recording.add("workflow_execution_update_accepted", protocol_instance_id="add-1")
    recording.add("timer_canceled", timer_id="1", started_event_id=timer)
    wait = next(span for span in recording.spans() if span.name == c.TIMER)

    assert (wait.attributes[c.WAIT_ANSWERS], wait.attributes[c.WAIT_ANSWERED_BY]) == (("HandleUpdate:add",), ("ada",))


def test_a_reset_takes_over_what_had_completed() -> None:
    recording = Recording(original_execution_run_id=BASE_RUN_ID, first_execution_run_id=BASE_RUN_ID)
    recording.task(ms=2)
    update = accepted(recording, header=our_header(traceparent=str(CALLER)))
    completed(recording, update, {"success": {}})
    accepted(recording, "add-2")
    recording.reset()
    _, reused, open_ = recording.spans()

    base = Link(run_trace_id(BASE_RUN_ID), step_span_id(BASE_RUN_ID, "update", "add-1"), {c.RUN_ID: BASE_RUN_ID})
    assert (reused.attributes[c.REUSED], reused.links) == (True, (Link(0xABC, 0xDEF), base))
    assert (c.REUSED in open_.attributes, open_.links) == (False, ())
