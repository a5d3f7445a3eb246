"""What happens to a run that has no span of its own is an event of the run's span."""

from __future__ import annotations

from tests.live.workflows.steps.commands import complete, memo, patch, search_attributes
from tests.live.workflows.steps.jobs import cancel_requested
from tests.live.workflows.steps.worker import ON, Worker
from tracing.live.workflows.steps.occurrences import MAX_OCCURRENCES


def test_they_are_named_as_the_events_they_leave() -> None:
    worker = Worker(ON)
    worker.task(commands=[patch("polite"), search_attributes("Topic", "Customer"), memo("stage")])
    worker.task(cancel_requested())
    worker.task(commands=[complete()])
    assert (
        worker.trace("temporal.marker.name", "temporal.patch.id", "temporal.changed_keys")
        == """
RunWorkflow:Research SERVER 0..30 ms
  * MarkerRecorded 10 ms
    temporal.marker.name: 'core_patch'
    temporal.patch.id: 'polite'
  * UpsertWorkflowSearchAttributes 10 ms
    temporal.changed_keys: ('Customer', 'Topic')
  * WorkflowPropertiesModified 10 ms
    temporal.changed_keys: ('stage',)
  * WorkflowExecutionCancelRequested 20 ms
"""
    )


def test_their_values_are_on_no_span() -> None:
    worker = Worker(ON)
    worker.task(cancel_requested(), commands=[search_attributes("Topic"), memo("stage"), complete()])
    assert "secret" not in repr(worker.held.spans)
    assert "free text" not in repr(worker.held.spans)


def test_those_that_were_replayed_are_there_on_whichever_worker_is_the_last() -> None:
    worker = Worker()
    worker.task(commands=[memo("stage")], replaying=True)
    worker.task(commands=[complete()])
    assert (
        worker.trace("temporal.changed_keys")
        == """
RunWorkflow:Research SERVER 0..20 ms
  * WorkflowPropertiesModified 10 ms
    temporal.changed_keys: ('stage',)
"""
    )


def test_only_so_many_are_kept() -> None:
    worker = Worker()
    worker.task(commands=[memo(f"stage-{number}") for number in range(MAX_OCCURRENCES + 1)])
    worker.task(commands=[complete()])
    assert len(worker.held.spans[0].events) == MAX_OCCURRENCES == 128
