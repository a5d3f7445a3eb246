"""A history that holds every event type of Temporal's once."""

from __future__ import annotations

from typing import Any, Final

from tests.history.recording import Recording, failure, payload

CHILD: Final[dict[str, Any]] = {
    "workflow_execution": {"workflow_id": "child", "run_id": "child-run"},
    "workflow_type": {"name": "Child"},
}
OTHER: Final[dict[str, Any]] = {"workflow_execution": {"workflow_id": "other"}}


class EveryType(Recording):
    """A history of every event type: each step is asked for and ends in one of its ways."""

    def write(self) -> Recording:
        """Write it, but for the ends of the run."""
        self.signaled = self.add("workflow_execution_signaled", signal_name="hello")
        task = self.task()
        self.add("workflow_task_timed_out")
        self.add("workflow_task_failed")
        self._activities(task)
        self._timers(task)
        self._children(task)
        self._others(task)
        self._updates()
        self._nexus(task)
        note = payload('{"activity_id":"la","activity_type":"look_up"}')
        self.add(
            "marker_recorded",
            marker_name="core_local_activity",
            details={"data": {"payloads": [note]}},
            workflow_task_completed_event_id=task,
        )
        for other in (
            "workflow_execution_cancel_requested",
            "workflow_execution_options_updated",
            "workflow_execution_paused",
            "workflow_execution_unpaused",
            "workflow_execution_time_skipping_transitioned",
            "upsert_workflow_search_attributes",
            "workflow_properties_modified",
            "workflow_properties_modified_externally",
            "activity_properties_modified_externally",
        ):
            self.add(other)
        return self

    def _activities(self, task: int) -> None:
        for number, end in enumerate(("completed", "failed", "timed_out", "canceled")):
            scheduled = self.activity(task, str(number))
            if end == "canceled":
                self.add("activity_task_cancel_requested", scheduled_event_id=scheduled)
            self.attempt(scheduled)
            self.add(f"activity_task_{end}", scheduled_event_id=scheduled)

    def _timers(self, task: int) -> None:
        for end in ("fired", "canceled"):
            started = self.add("timer_started", timer_id=end, workflow_task_completed_event_id=task)
            self.add(f"timer_{end}", timer_id=end, started_event_id=started)

    def _children(self, task: int) -> None:
        for end in ("", "completed", "failed", "canceled", "timed_out", "terminated"):
            initiated = self.add(
                "start_child_workflow_execution_initiated",
                workflow_id=f"child-{end}",
                workflow_type={"name": "Child"},
                workflow_task_completed_event_id=task,
            )
            if not end:
                self.add("start_child_workflow_execution_failed", initiated_event_id=initiated, cause=1)
                continue
            self.add("child_workflow_execution_started", initiated_event_id=initiated, **CHILD)
            self.add(f"child_workflow_execution_{end}", initiated_event_id=initiated, **CHILD)

    def _others(self, task: int) -> None:
        for kind, ended in (
            ("signal_external", "external_workflow_execution_signaled"),
            ("request_cancel_external", "external_workflow_execution_cancel_requested"),
        ):
            for end in (ended, f"{kind}_workflow_execution_failed"):
                initiated = self.add(
                    f"{kind}_workflow_execution_initiated", workflow_task_completed_event_id=task, **OTHER
                )
                self.add(end, initiated_event_id=initiated)

    def _updates(self) -> None:
        request = {"meta": {"update_id": "u-1"}, "input": {"name": "ask"}}
        self.add("workflow_execution_update_admitted", request=request)
        accepted = self.add("workflow_execution_update_accepted", accepted_request=request)
        self.add("workflow_execution_update_completed", accepted_event_id=accepted, meta={"update_id": "u-1"})
        self.add("workflow_execution_update_rejected", rejected_request=request, failure=failure("no"))

    def _nexus(self, task: int) -> None:
        for end in ("completed", "failed", "canceled", "timed_out"):
            scheduled = self.add(
                "nexus_operation_scheduled",
                endpoint="archive",
                service="Archive",
                operation="find",
                workflow_task_completed_event_id=task,
            )
            self.add("nexus_operation_started", scheduled_event_id=scheduled)
            if end == "canceled":
                self.add("nexus_operation_cancel_requested", scheduled_event_id=scheduled)
                self.add("nexus_operation_cancel_request_completed")
                self.add("nexus_operation_cancel_request_failed")
            self.add(f"nexus_operation_{end}", scheduled_event_id=scheduled)
