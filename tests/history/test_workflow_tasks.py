"""When did the workflow tasks of a run start, and which of them only kept a local activity alive?"""

from __future__ import annotations

from tests.history.recording import START_US, Recording
from tracing.history.workflow_tasks import WorkflowTasks

MS = 1_000_000


def tasks_of(recording: Recording) -> WorkflowTasks:
    return WorkflowTasks(recording.read().events)


def begun(recording: Recording, completed: int) -> float:
    """When the workflow's code ran that wrote an event of a task, in ms after the run's start."""
    history = recording.read()
    tasks = WorkflowTasks(history.events)
    return (tasks.issued_at(completed, history.events[-1]) - START_US * 1_000) / MS


def local_activity(recording: Recording, task: int) -> int:
    return recording.add("marker_recorded", marker_name="core_local_activity", workflow_task_completed_event_id=task)


def test_a_step_begins_with_the_task_that_issued_it() -> None:
    recording = Recording()
    first, second = recording.task(ms=2), recording.task(ms=10)
    recording.activity(first)

    assert (begun(recording, first), begun(recording, second)) == (2, 10)


def test_where_the_tasks_events_are_missing_it_begins_with_its_own() -> None:
    recording = Recording()
    recording.activity(700, ms=7)

    assert begun(recording, 700) == 7


def test_tasks_that_only_go_on_began_with_the_first_of_them_where_the_last_commits_a_local_activity() -> None:
    recording = Recording()
    tasks = [recording.task(ms=ms) for ms in (2, 8_000, 16_000)]
    local_activity(recording, tasks[-1])

    assert [begun(recording, task) for task in tasks] == [2, 8_000, 2]


def test_without_a_local_activity_each_task_is_its_own() -> None:
    recording = Recording()
    tasks = [recording.task(ms=ms) for ms in (2, 8_000)]
    recording.activity(tasks[-1])

    assert [begun(recording, task) for task in tasks] == [2, 8_000]


def test_a_task_that_committed_something_is_the_end_of_such_a_chain() -> None:
    recording = Recording()
    first = recording.task(ms=2)
    recording.activity(first)
    second, third = recording.task(ms=10), recording.task(ms=8_000)
    local_activity(recording, third)

    assert [begun(recording, task) for task in (first, second, third)] == [2, 10, 10]


def test_a_task_that_was_given_an_update_had_more_to_do_than_to_go_on() -> None:
    recording = Recording()
    first, second = recording.task(ms=2), recording.task(ms=8_000)
    request = {"meta": {"update_id": "add-1"}, "input": {"name": "add"}}
    recording.add("workflow_execution_update_accepted", accepted_request=request)
    local_activity(recording, second)

    assert [begun(recording, task) for task in (first, second)] == [2, 8_000]


def test_temporals_test_server_names_the_start_of_a_task_where_others_name_its_end() -> None:
    recording = Recording()
    scheduled = recording.add("workflow_task_scheduled", ms=1)
    started = recording.add("workflow_task_started", scheduled_event_id=scheduled)
    recording.add("workflow_task_completed", scheduled_event_id=scheduled, identity="worker-1", binary_checksum="7f")
    recording.activity(started, ms=9)
    last = tasks_of(recording).last

    assert begun(recording, started) == 2
    assert last
    assert (last.started_id, last.worker_identity, last.build_id) == (started, "worker-1", "7f")


def test_failed_and_timed_out_tasks_had_no_effect() -> None:
    recording = Recording()
    scheduled = recording.add("workflow_task_scheduled")
    started = recording.add("workflow_task_started", scheduled_event_id=scheduled)
    recording.add("workflow_task_failed", scheduled_event_id=scheduled, started_event_id=started)
    done = recording.task(ms=10)
    last = tasks_of(recording).last

    assert last
    assert (last.completed_id, last.started_id, last.worker_identity) == (done, done - 1, "worker-1")
    assert tasks_of(recording).after(1) == last
    assert tasks_of(recording).after(done) is None
