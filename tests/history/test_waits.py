"""Waits for a person: how each ended and who answered, the same to both readers."""

from __future__ import annotations

from typing import Any

import pytest

from tests.history.both_readers import BothReaders
from tests.history.recording import our_header
from tests.live.workflows.steps.commands import (
    accept,
    answer_update,
    cancel,
    cancel_timer,
    complete,
    continue_as_new,
    reject_update,
    schedule,
    schedule_local,
    signal_child,
    start_child,
    timer,
    with_summary,
)
from tests.live.workflows.steps.jobs import (
    cancel_requested,
    canceled_activity,
    child_started,
    completed,
    fired,
    signal,
    signal_sent,
    update,
)
from tests.live.workflows.steps.payloads import text
from tests.live.workflows.steps.worker import OFF, ON
from tracing import waiting_for_person
from tracing.config import TracingConfig
from tracing.headers import TraceHeader
from tracing.history import to_spans
from tracing.spans.model import Span
from tracing.spans.wait import MAX_ANSWERS

APPROVAL = waiting_for_person("approval of the report")
CHILD = {"workflow_execution": {"workflow_id": "child-1", "run_id": "child-run"}, "workflow_type": {"name": "Search"}}
BOTH_SWITCHES = pytest.mark.parametrize("config", [ON, OFF], ids=["content", "no content"])


def signaled(both: BothReaders, name: str, *, by: str, user: str | None = None) -> Any:
    """A signal comes in; returns the job that tells the worker."""
    event = both.recording.add(
        "workflow_execution_signaled",
        signal_name=name,
        input={"payloads": [text("yes")]},
        identity=by,
        header=our_header(user=user) if user else None,
    )
    return signal(name, event, TraceHeader(user=user).encode() if user else None, identity=by)


def waits(both: BothReaders) -> list[dict[str, object]]:
    """What the spans of the timers say of waits, each the same of both readers."""
    both.check()
    exported = to_spans(both.recording.read(), both.config)
    live = {span.span_id: span for span in both.worker.held.spans}
    timers = [span for span in exported if span.name == "Timer"]
    assert [live[span.span_id].links for span in timers] == [span.links for span in timers]
    assert [of(live[span.span_id]) for span in timers] == [of(span) for span in timers]
    return [of(span) for span in timers]


def of(span: Span) -> dict[str, object]:
    return {key.removeprefix("temporal.wait."): value for key, value in span.attributes.items() if ".wait." in key}


def activity_ends(both: BothReaders, scheduled: int) -> None:
    """The server is told that an activity has returned."""
    both.recording.attempt(scheduled)
    both.recording.complete_activity(scheduled, text("because"))


def linked(both: BothReaders) -> list[str]:
    """Names of the spans that the first timer links to."""
    spans = to_spans(both.recording.read(), both.config)
    names = {(span.trace_id, span.span_id): span.name for span in spans}
    return [names[link.trace_id, link.span_id] for span in spans if span.name == "Timer" for link in span.links]


@BOTH_SWITCHES
def test_a_signal_answers(config: TracingConfig) -> None:
    both = BothReaders(config)
    both.task(ms=2, commands=[with_summary(timer(1, 86_400), APPROVAL)])
    both.task(signaled(both, "approve", by="web@host"), ms=50_000, commands=[cancel_timer(1), complete()])
    assert waits(both) == [
        {
            "for": "person",
            "outcome": "answered",
            "answers": ("HandleSignal:approve",),
            "answered_by": ("web@host",),
        }
    ]
    assert linked(both) == ["HandleSignal:approve"]
    [span] = [span for span in both.worker.held.spans if span.name == "Timer"]
    assert (span.end or 0) - span.start == 49_998 * 1_000_000  # until the workflow was told
    assert ("temporal.summary" in span.attributes) == config.capture_content


def test_an_update_answers_in_the_name_of_the_user_of_its_session() -> None:
    both = BothReaders()
    both.task(ms=2, commands=[with_summary(timer(1), APPROVAL)])
    header = TraceHeader(user="ada").encode()
    both.task(
        update("approve-1", "a", header, name="approve", identity="web@host"),
        ms=900,
        commands=[accept("a"), cancel_timer(1), answer_update("a")],
    )
    assert waits(both) == [
        {"for": "person", "outcome": "answered", "answers": ("HandleUpdate:approve",), "answered_by": ("ada",)}
    ]
    assert linked(both) == ["HandleUpdate:approve"]


def test_of_several_that_came_together_all_are_named_but_an_update_that_was_refused() -> None:
    both = BothReaders()
    both.task(ms=2, commands=[with_summary(timer(1), APPROVAL)])
    both.task(signaled(both, "note", by="early"), ms=10)
    note = signaled(both, "note", by="web", user="grace")
    both.task(
        note,
        update("approve-1", "a", name="approve", identity="empty"),
        update("approve-2", "b", name="approve", identity="ada"),
        ms=900,
        commands=[reject_update("a"), accept("b"), answer_update("b"), cancel_timer(1)],
    )
    exported = [span for span in to_spans(both.recording.read(), ON) if span.name == "Timer"]
    assert [of(span) for span in exported] == [
        {
            "for": "person",
            "outcome": "answered",
            "answers": ("HandleSignal:note", "HandleUpdate:approve"),
            "answered_by": ("grace", "ada"),
        }
    ]
    [live] = [span for span in both.worker.held.spans if span.name == "Timer"]
    assert (of(live), live.links) == (of(exported[0]), exported[0].links)


def test_of_very_many_the_first_are_named() -> None:
    both = BothReaders()
    both.task(ms=2, commands=[with_summary(timer(1), APPROVAL)])
    crowd = [signaled(both, "vote", by=f"voter-{number}") for number in range(MAX_ANSWERS + 4)]
    both.task(*crowd, ms=900, commands=[cancel_timer(1)])
    assert [wait["answered_by"] for wait in waits(both)] == [tuple(f"voter-{n}" for n in range(MAX_ANSWERS))]


def test_nobody_answers_in_time_and_then_the_run_waits_for_somebody_else_in_vain() -> None:
    both = BothReaders()
    [first] = both.task(ms=2, commands=[with_summary(timer(1), APPROVAL)])
    both.recording.add("timer_fired", ms=5_002, timer_id="1", started_event_id=first)
    both.task(fired(1), ms=5_004, commands=[with_summary(timer(2), waiting_for_person())])
    both.task(ms=7_000, commands=[complete()])
    assert waits(both) == [{"for": "person", "outcome": "timed_out"}, {"for": "person"}]


def test_a_run_that_is_cancelled_while_it_waits_was_not_answered() -> None:
    both = BothReaders()
    both.task(ms=2, commands=[with_summary(timer(1), APPROVAL)])
    answer = signaled(both, "approve", by="web@host")
    both.recording.add("workflow_execution_cancel_requested")
    both.task(answer, cancel_requested(), ms=900, commands=[cancel_timer(1), cancel()])
    assert waits(both) == [{"for": "person", "outcome": "canceled"}]
    assert linked(both) == []


BY_ADA = {"for": "person", "outcome": "answered", "answers": ("HandleUpdate:approve",), "answered_by": ("ada",)}
CANCELED = {"for": "person", "outcome": "canceled"}


def test_an_answer_that_takes_its_time_is_found_through_the_steps_between() -> None:
    both = BothReaders()
    both.task(ms=2, commands=[with_summary(timer(1), APPROVAL)])
    [_, asked] = both.task(
        update("approve-1", "a", name="approve", identity="ada"), ms=10, commands=[accept("a"), schedule(1)]
    )
    activity_ends(both, asked)
    [rest] = both.task(completed(1), ms=20, commands=[timer(2)])
    both.recording.add("timer_fired", timer_id="2", started_event_id=rest)
    [child] = both.task(fired(2), ms=30, commands=[start_child(3)])
    both.recording.add("child_workflow_execution_started", initiated_event_id=child, **CHILD)
    [sent] = both.task(child_started(3), ms=40, commands=[signal_child(4)])
    both.recording.add(
        "external_workflow_execution_signaled", initiated_event_id=sent, workflow_execution=CHILD["workflow_execution"]
    )
    both.task(signal_sent(4), ms=50, commands=[answer_update("a"), cancel_timer(1)])
    assert waits(both) == [BY_ADA, {}]


def test_a_local_activity_between_may_outlast_workflow_tasks() -> None:
    both = BothReaders()
    [wait] = both.task(ms=2, commands=[with_summary(timer(1), APPROVAL)])
    asked = signaled(both, "approve", by="ada")
    both.task(asked, ms=10, commands=[schedule_local(1)])
    last = both.kept_alive(ms=8_002)
    both.worker.task(completed(1, local=True), commands=[cancel_timer(1)], ms=9_000, length=last - 1, same_task=True)
    both.recording.add("marker_recorded", marker_name="core_local_activity", workflow_task_completed_event_id=last)
    both.recording.add("timer_canceled", timer_id="1", started_event_id=wait)
    exported = [of(span) for span in to_spans(both.recording.read(), ON) if span.name == "Timer"]
    live = [of(span) for span in both.worker.held.spans if span.name == "Timer"]
    assert live == exported == [{**BY_ADA, "answers": ("HandleSignal:approve",)}]


@pytest.mark.parametrize("when", ["before the wait", "in the task that begins it"])
def test_what_was_said_before_it_began_is_no_answer(when: str) -> None:
    both = BothReaders()
    note, begin = signaled(both, "note", by="ada"), with_summary(timer(1), APPROVAL)
    if when == "before the wait":
        [asked] = both.task(note, ms=2, commands=[schedule(1)])
        both.task(ms=5, commands=[begin])
    else:
        [asked, _] = both.task(note, ms=2, commands=[schedule(1), begin])
    activity_ends(both, asked)
    both.task(completed(1), ms=20, commands=[cancel_timer(1)])
    assert waits(both) == [CANCELED]


def test_code_that_stops_waiting_though_nobody_said_anything_cancels() -> None:
    both = BothReaders()
    [asked, _] = both.task(ms=2, commands=[schedule(1), with_summary(timer(1), APPROVAL)])
    note = signaled(both, "note", by="ada")
    both.task(note, ms=10)  # a message, but no step follows from it
    activity_ends(both, asked)
    both.task(completed(1), ms=20, commands=[cancel_timer(1)])
    assert waits(both) == [CANCELED]


def test_a_step_that_was_cancelled_leads_from_no_message() -> None:
    both = BothReaders()
    both.task(ms=2, commands=[with_summary(timer(1), APPROVAL)])
    note = signaled(both, "note", by="ada")
    [asked] = both.task(note, ms=10, commands=[schedule(1)])
    both.recording.add("activity_task_canceled", scheduled_event_id=asked)
    both.task(canceled_activity(1), ms=20, commands=[cancel_timer(1)])
    assert waits(both) == [CANCELED]


@pytest.mark.parametrize("in_time", [True, False], ids=["in time", "too late"])
def test_of_an_answer_that_comes_with_the_timer_only_the_worker_knows_whether_it_was_in_time(*, in_time: bool) -> None:
    both = BothReaders()
    [first] = both.task(ms=2, commands=[with_summary(timer(1), APPROVAL)])
    both.recording.add("timer_fired", ms=5_002, timer_id="1", started_event_id=first)
    answer = update("approve-1", "a", name="approve", identity="ada")
    both.task(
        fired(1), answer, ms=9_000, commands=[accept("a"), answer_update("a"), *([cancel_timer(1)] if in_time else [])]
    )
    both.check()
    [exported] = [span for span in to_spans(both.recording.read(), ON) if span.name == "Timer"]
    [live] = [span for span in both.worker.held.spans if span.name == "Timer"]
    assert of(exported) == {"for": "person", "answers": ("HandleUpdate:approve",), "answered_by": ("ada",)}
    assert of(live) == {**of(exported), "outcome": "answered" if in_time else "timed_out"}
    assert live.links == exported.links


def test_of_two_waits_that_go_on_each_has_its_own_end() -> None:
    both = BothReaders()
    both.task(ms=2, commands=[with_summary(timer(1), APPROVAL)])
    both.task(ms=3, commands=[with_summary(timer(2), waiting_for_person("budget"))])
    both.task(signaled(both, "budget", by="grace"), ms=10, commands=[cancel_timer(2)])
    both.task(
        update("approve-1", "a", name="approve", identity="ada"),
        ms=20,
        commands=[accept("a"), answer_update("a"), cancel_timer(1)],
    )
    by_grace = {"for": "person", "outcome": "answered", "answers": ("HandleSignal:budget",), "answered_by": ("grace",)}
    assert waits(both) == [BY_ADA, by_grace]


@pytest.mark.parametrize("ends", ["terminated", "continued as new"])
def test_one_that_ends_with_its_run_has_no_outcome(ends: str) -> None:
    both = BothReaders()
    both.task(ms=2, commands=[with_summary(timer(1), APPROVAL)])
    if ends == "terminated":
        both.recording.add("workflow_execution_terminated", ms=9_000, reason="enough")
        spans = {span.name: span for span in to_spans(both.recording.read(), ON)}
        assert (of(spans["Timer"]), spans["Timer"].end) == ({"for": "person"}, spans["RunWorkflow:Research"].end)
    else:
        both.task(signaled(both, "note", by="ada"), ms=9_000, commands=[continue_as_new()])
        assert waits(both) == [{"for": "person"}]


@pytest.mark.parametrize("summary", ["Waiting for a personal computer", "waiting for a person", "A rest"])
def test_other_timers_are_timers(summary: str) -> None:
    both = BothReaders()
    both.task(ms=2, commands=[with_summary(timer(1), summary)])
    both.task(signaled(both, "approve", by="web@host"), ms=900, commands=[cancel_timer(1)])
    assert waits(both) == [{}]


def test_who_answered_passes_the_redactors() -> None:
    config = TracingConfig(redact=lambda _key, text: text.replace("ada", "…"))
    both = BothReaders(config)
    both.task(ms=2, commands=[with_summary(timer(1), APPROVAL)])
    both.task(signaled(both, "approve", by="ada@host"), ms=900, commands=[cancel_timer(1)])
    assert [wait["answered_by"] for wait in waits(both)] == [("…@host",)]
