"""Which runs a history names."""

from __future__ import annotations

from typing import Any

import pytest

from tests.history.recording import Recording
from tests.history.server.memory import run_id
from tracing.history.server.fetched import ServerRun
from tracing.history.server.relations import relations

RUN, FIRST, BEFORE, AFTER, BASE = (run_id(number) for number in (5, 1, 4, 6, 3))


def named(recording: Recording) -> tuple[str, list[str], list[ServerRun]]:
    found = relations(ServerRun("ns", "wf", RUN), recording.events)
    assert {(run.namespace, run.workflow_id) for run in [found.first, *found.chain]} == {("ns", "wf")}
    return found.first.run_id, [run.run_id for run in found.chain], found.children


def test_a_run_alone() -> None:
    recording = Recording(run_id=RUN)
    recording.complete()
    assert named(recording) == (RUN, [], [])


@pytest.mark.parametrize(
    ("closing", "attributes"),
    [
        ("workflow_execution_continued_as_new", {}),
        ("workflow_execution_completed", {}),
        ("workflow_execution_failed", {"failure": {"message": "no"}}),
        ("workflow_execution_timed_out", {}),
    ],
    ids=["continued as new", "next turn of a cron", "retry", "retry after a timeout"],
)
def test_the_run_before_and_the_run_after(closing: str, attributes: dict[str, Any]) -> None:
    recording = Recording(run_id=RUN, first_execution_run_id=FIRST, continued_execution_run_id=BEFORE)
    recording.add(closing, new_execution_run_id=AFTER, **attributes)
    assert named(recording) == (FIRST, [FIRST, BEFORE, AFTER], [])


def test_a_terminated_run_has_none_after_it() -> None:
    recording = Recording(run_id=RUN)
    recording.add("workflow_execution_terminated", reason="enough")
    assert named(recording) == (RUN, [], [])


def test_a_reset_run_names_what_it_was_reset_from_however_often() -> None:
    recording = Recording(run_id=BASE, first_execution_run_id=FIRST)
    recording.run_id = BEFORE
    recording.reset(base=BASE)
    recording.run_id = RUN
    recording.reset(base=BEFORE)
    assert named(recording) == (FIRST, [FIRST, BASE, BEFORE], [])


def test_a_history_of_an_old_server_names_its_own_run_at_least() -> None:
    recording = Recording(run_id=RUN, first_execution_run_id="", original_execution_run_id="")
    assert named(recording) == (RUN, [], [])


def test_children_are_those_that_were_started_also_in_other_namespaces() -> None:
    recording = Recording(run_id=RUN)
    task = recording.task()
    for name, namespace in (("near", ""), ("far", "other"), ("refused", "")):
        initiated = recording.add(
            "start_child_workflow_execution_initiated",
            workflow_id=name,
            namespace=namespace,
            workflow_task_completed_event_id=task,
        )
        if name == "refused":
            recording.add("start_child_workflow_execution_failed", initiated_event_id=initiated, workflow_id=name)
        else:
            recording.add(
                "child_workflow_execution_started",
                initiated_event_id=initiated,
                workflow_execution={"workflow_id": name, "run_id": f"run of {name}"},
            )
    near, far = ServerRun("ns", "near", "run of near"), ServerRun("other", "far", "run of far")
    assert named(recording) == (RUN, [], [near, far])
