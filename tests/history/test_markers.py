"""What SDKs note in markers: each SDK's local activities, and what tells patches, versions and side effects apart."""

from __future__ import annotations

import json

import pytest

from tests.history.recording import Recording, failure, payload, tree
from tests.rendering import render
from tracing import conventions as c
from tracing.runs import Attributes

GO = {"data": '{"ActivityID":"1","ActivityType":"look_up","ReplayTime":"2026-11-23T07:19:26Z","Attempt":1,"Backoff":0}'}
JAVA = {"activityId": '"1"', "type": '"look_up"', "time": "1795418366000", "meta": '{"attempt":1,"backoff":0}'}
CORE = {"data": '{"activity_id":"1","activity_type":"look_up","attempt":1}'}


def marked(name: str, details: dict[str, str], *, failed: bool = False, done: bool = True) -> Recording:
    """A history with one marker, 5 ms after the start; its task started at 2 ms."""
    recording = Recording()
    task = recording.task(ms=2)
    recording.add(
        "marker_recorded",
        ms=5,
        marker_name=name,
        details={key: {"payloads": [payload(data)]} for key, data in details.items()},
        workflow_task_completed_event_id=task if done else 0,
        **({"failure": failure("no such page", "NotFound")} if failed else {}),
    )
    return recording


@pytest.mark.parametrize(
    ("name", "details"),
    [("core_local_activity", CORE), ("LocalActivity", GO), ("LocalActivity", JAVA)],
    ids=["Core", "Go", "Java"],
)
class TestLocalActivitiesOfEachSdk:
    def test_are_a_span_that_ends_at_the_marker(self, name: str, details: dict[str, str]) -> None:
        spans = marked(name, {**details, "result": '"found"'}).spans(content=True)
        assert spans[1].attributes[c.OUTPUT_VALUE] == "found"
        assert render(spans, only={c.ACTIVITY_ID, c.ACTIVITY_TYPE, c.LOCAL}) == tree("""
        RunWorkflow:Research SERVER 0.. ms
          StartActivity:look_up CLIENT 2..5 ms
            temporal.activity.type: 'look_up'
            temporal.local: True
            temporalActivityID: '1'
        """)

    def test_fail(self, name: str, details: dict[str, str]) -> None:
        [_, span] = marked(name, details, failed=True).spans()
        assert (span.name, span.attributes[c.ERROR_TYPE]) == ("StartActivity:look_up", "NotFound")

    @pytest.mark.parametrize("data", ["", "[]", "{}", '"', '{"ActivityID":7,"activity_id":[]}', "[" * 100_000])
    def test_are_an_event_of_the_run_where_they_are_damaged(
        self, name: str, details: dict[str, str], data: str
    ) -> None:
        [run] = marked(name, {next(iter(details)): data}).spans()
        assert [event.name for event in run.events] == ["MarkerRecorded"]


@pytest.mark.parametrize(
    ("name", "details", "told"),
    [
        ("core_patch", {"patch-data": '{"id":"polite","deprecated":true}'}, {c.PATCH_ID: "polite"}),
        ("core_patch", {"patch_id": "polite", "deprecated": "\0"}, {c.PATCH_ID: "polite"}),
        ("Version", {"change-id": '"polite"', "version": "2"}, {c.PATCH_ID: "polite", c.PATCH_VERSION: 2}),
        ("Version", {"changeId": '"polite"', "version": "-1"}, {c.PATCH_ID: "polite", c.PATCH_VERSION: -1}),
        ("Version", {"changeId": '"polite"', "version": '"two"'}, {c.PATCH_ID: "polite"}),
        ("Version", {"changeId": json.dumps("x" * 300), "version": str(1 << 70)}, {}),
        ("SideEffect", {"side-effect-id": "1", "data": '"secret"'}, {c.SIDE_EFFECT_ID: "1"}),
        ("SideEffect", {"data": '"secret"'}, {}),
        ("MutableSideEffect", {"side-effect-id": '"limit_5"', "data": "7"}, {c.SIDE_EFFECT_ID: "limit_5"}),
        ("MutableSideEffect", {"id": '"limit"', "data": "7"}, {c.SIDE_EFFECT_ID: "limit"}),
        ("MyOwn", {"data": '"secret"'}, {}),
    ],
)
def test_what_tells_other_markers_apart(name: str, details: dict[str, str], told: Attributes) -> None:
    [run] = marked(name, details).spans()
    [event] = run.events
    assert event.attributes == {c.EVENT_IDS: "5", c.MARKER_NAME: name, **told}


def test_a_local_activity_of_go_goes_on_through_several_workflow_tasks() -> None:
    recording = Recording()
    recording.task(ms=2)
    task = recording.task(ms=12)
    details = {key: {"payloads": [payload(data)]} for key, data in GO.items()}
    recording.add(
        "marker_recorded",
        ms=20,
        marker_name="LocalActivity",
        details=details,
        workflow_task_completed_event_id=task,
    )
    [run, span] = recording.spans()
    assert (span.start - run.start, span.end) == (2_000_000, run.start + 20_000_000)
