"""What a workflow stream carries is counted on the run's span, alike by both readers."""

from __future__ import annotations

import pytest
from temporalio.contrib import workflow_streams

from tests.history.both_readers import BothReaders
from tests.history.recording import Recording, tree
from tests.live.workflows.steps.commands import accept, answer_update, complete, reject_update
from tests.live.workflows.steps.jobs import signal, update
from tests.live.workflows.steps.payloads import text
from tests.rendering import render
from tracing import conventions as c

PUBLISH = "__temporal_workflow_stream_publish"
POLL = "__temporal_workflow_stream_poll"
SHOWN = {c.STREAM_PUBLISHES, c.STREAM_POLLS, c.EVENT_IDS, c.SIGNAL_NAME, c.UPDATE_NAME}


def publish(both: BothReaders, *, batches: int, ms: float) -> None:
    """Some batches are published, by a task each."""
    for nth in range(batches):
        event = both.recording.add(
            "workflow_execution_signaled", signal_name=PUBLISH, input={"payloads": [text("yes")]}
        )
        both.task(signal(PUBLISH, event), ms=ms + nth)


def test_a_run_with_a_stream() -> None:
    both = BothReaders()
    both.task(ms=2)
    publish(both, batches=2, ms=10)
    both.task(update("p-1", "a", name=POLL), ms=20, commands=[accept("a"), answer_update("a")])
    both.task(update("p-2", "b", name=POLL), update("p-3", "c", name=POLL), ms=30, commands=[accept("b"), accept("c")])
    both.task(ms=40, commands=[reject_update("b")])
    both.task(update("u-1", "d"), ms=50, commands=[accept("d"), answer_update("d")])
    both.task(ms=60, commands=[complete()])

    assert both.check() == [f"HandleUpdate:{POLL}", "HandleUpdate:add", "RunWorkflow:Research"]
    assert render(both.recording.spans(), only=SHOWN, times=False) == tree("""
    RunWorkflow:Research SERVER
      temporal.event_ids: '1-20,22-25,27-29,32-35'
      temporal.stream.polls: 2
      temporal.stream.publishes: 2
      HandleUpdate:__temporal_workflow_stream_poll SERVER ERROR
        temporal.event_ids: '21,26'
        temporal.update.name: '__temporal_workflow_stream_poll'
        * exception
      HandleUpdate:add SERVER
        temporal.event_ids: '30-31'
        temporal.update.name: 'add'
    """)


def test_a_batch_that_no_task_was_handed_is_an_event_of_the_run() -> None:
    recording = Recording()
    recording.task()
    recording.add("workflow_execution_signaled", signal_name=PUBLISH)

    [run] = recording.spans()
    assert c.STREAM_PUBLISHES not in run.attributes
    assert [event.name for event in run.events] == ["WorkflowExecutionSignaled"]


@pytest.mark.parametrize("name", [PUBLISH, POLL])
def test_the_names_are_those_of_the_installed_sdk(name: str) -> None:
    assert name in {workflow_streams._stream._PUBLISH_SIGNAL, workflow_streams._stream._POLL}
