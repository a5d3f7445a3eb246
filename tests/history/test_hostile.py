"""Histories made to break their reader: each is read or refused in one sentence, by work in proportion to its size."""

from __future__ import annotations

import gzip
import json
import sys
import zlib
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from temporalio.api.common.v1 import Payload

from tests.history.recording import RUN_ID, START_US, Recording, failure, ledger, our_header, payload
from tracing import conventions as c
from tracing.config import TracingConfig
from tracing.history import History, Unreadable, read, to_spans
from tracing.identity import attempt_span_id, run_span_id, step_span_id
from tracing.ledger import Ledger, LedgerSpan, encode_ledger
from tracing.spans.model import Span

CONTENT = TracingConfig(capture_content=True)


def converted(data: bytes, **names: str) -> list[Span]:
    """The spans of the one history in a file."""
    [history] = read(data, **names)
    assert isinstance(history, History), history
    spans = to_spans(history, CONTENT)
    assert all(span.end is None or span.end >= span.start >= 0 for span in spans)
    assert len({span.span_id for span in spans}) == len(spans)
    return spans


def refused(data: bytes) -> str:
    """Why a file is refused."""
    [reason] = read(data)
    assert isinstance(reason, Unreadable), reason
    assert "\n" not in reason.reason
    assert reason.reason.endswith(".")
    return reason.reason


def with_event(**event: Any) -> bytes:
    """A history with one more event, as JSON."""
    return with_json(json.dumps(event))


def with_json(event: str) -> bytes:
    """A history with one more event, which is written out."""
    start = json.dumps(Recording().json()["events"][0])
    time = json.dumps("2026-11-23T07:19:27Z")
    return f'{{"events":[{start},{{"eventId":2,"eventTime":{time},{event[1:]}]}}'.encode()


class TestDepth:
    DEEP = 1_000_000

    def test_of_the_document(self) -> None:
        assert refused(b"[" * self.DEEP) == "Its JSON is nested too deeply for a history."
        assert refused(b'{"events":' * self.DEEP) == "Its JSON is nested too deeply for a history."

    def test_of_an_attribute(self) -> None:
        """JSON so deep cannot even be passed over."""
        deep = "[" * self.DEEP + "]" * self.DEEP
        data = with_json(f'{{"eventType":"TimerStarted","timerStartedEventAttributes":{{"x":{deep}}}}}')
        assert refused(data) == "Its JSON is nested too deeply for a history."

    @pytest.mark.parametrize("depth", [50, 300])
    def test_of_failures(self, depth: int) -> None:
        chain: dict[str, Any] = {"message": "the last", "applicationFailureInfo": {"type": "Root"}}
        for number in range(depth):
            chain = {"message": str(number), "cause": chain}
        data = with_event(
            eventType="WorkflowExecutionFailed", workflowExecutionFailedEventAttributes={"failure": chain}
        )
        [run] = converted(data)
        assert run.attributes[c.RUN_STATUS] in {"failed", "running"}
        assert (run.attributes[c.RUN_STATUS] == "failed") == (c.DEFECTS not in run.attributes)

    def test_of_ten_thousand_causes(self) -> None:
        chain = '{"cause":' * 10_000 + "{}" + "}" * 10_000
        data = with_json(
            f'{{"eventType":"WorkflowExecutionFailed","workflowExecutionFailedEventAttributes":{{"failure":{chain}}}}}'
        )
        assert refused(data) == "Its JSON is nested too deeply for a history."

    def test_of_causes_in_protobuf(self) -> None:
        recording = Recording()
        recording.add("workflow_execution_failed", failure={"message": "0"})
        inner = b""
        for _ in range(10_000):
            inner = b"\x22" + bytes_field(inner)
        recording.events[1].workflow_execution_failed_event_attributes.failure.Clear()
        data = recording.proto().SerializeToString()
        event = recording.events[1].SerializeToString() + b"\xc2\x01" + bytes_field(b"\x0a" + bytes_field(inner))
        (history,) = read(data + b"\x0a" + bytes_field(event))
        assert isinstance(history, History)
        assert history.defects == ("1 of its events cannot be decoded and are left out: copy the file again.",)

    @pytest.mark.parametrize("text", ["[" * DEEP + "]" * DEEP, "[" * DEEP, '{"a":' * DEEP, '"' + "\\" * DEEP])
    def test_of_content(self, text: str) -> None:
        recording = Recording(input={"payloads": [payload(text)]}, memo={"fields": {"x": payload(text)}})
        recording.task()
        recording.add(
            "marker_recorded", marker_name="core_local_activity", details={"data": {"payloads": [payload(text)]}}
        )
        recording.complete(payload(text))
        [run] = converted(recording.proto().SerializeToString())
        assert len(str(run.attributes[c.INPUT_VALUE])) < 2 * CONTENT.max_content_length


def bytes_field(data: bytes) -> bytes:
    """Bytes with their length before them, as protobuf has them."""
    length, prefix = len(data), b""
    while length > 0x7F:
        prefix += bytes([length & 0x7F | 0x80])
        length >>= 7
    return prefix + bytes([length]) + data


class TestNumbers:
    @pytest.mark.parametrize("event_id", ["9223372036854775808", "1" * 400, "-1", "0", "1.5", '"x"', "{}", "true"])
    def test_ids_that_are_none(self, event_id: str) -> None:
        start = json.dumps(Recording().json()["events"][0])
        [run] = converted(f'{{"events":[{start},{{"eventId":{event_id},"eventType":"TimerFired"}}]}}'.encode())
        assert run.attributes[c.EVENT_IDS] == "1"
        assert run.attributes[c.DEFECTS] == ("Item 2 of the list of events has no event ID and is left out.",)

    def test_the_largest_id(self) -> None:
        start = json.dumps(Recording().json()["events"][0])
        data = f'{{"events":[{start},{{"eventId":"9223372036854775807","eventType":"TimerFired"}}]}}'.encode()
        assert converted(data)[0].attributes[c.EVENT_IDS] == "1,9223372036854775807"

    def test_the_first_and_the_last_time(self) -> None:
        document = Recording().json()
        document["events"][0]["eventTime"] = "1970-01-01T00:00:00Z"
        document["events"].append(
            {
                "eventId": "2",
                "eventTime": "2262-04-11T23:47:16.854775807Z",
                "eventType": "WorkflowExecutionCompleted",
                "workflowExecutionCompletedEventAttributes": {},
            }
        )
        [run] = converted(json.dumps(document).encode())
        assert (run.start, run.end) == (0, (1 << 63) - 1)

    def test_times_that_go_backwards(self) -> None:
        recording = Recording()
        scheduled = recording.activity(recording.task(ms=500), ms=400)
        recording.attempt(scheduled, ms=300)
        recording.complete_activity(scheduled, payload(), ms=200)
        recording.complete(ms=100)
        assert [span.end == span.start for span in converted(recording.proto().SerializeToString())[1:]] == [True, True]

    def test_varints_without_an_end(self) -> None:
        assert "neither JSON nor a binary history" in refused(b"\x0a" + b"\xff" * 1_000_000)
        assert "neither JSON nor a binary history" in refused(b"\x0a\xff\xff\xff\xff\x0f")


class TestText:
    def test_duplicate_keys(self) -> None:
        data = with_json('{"eventType":"TimerStarted","eventType":"SomethingNew","eventTime":7}')
        assert [event.name for event in converted(data)[0].events] == ["SomethingNew"]

    def test_halves_of_characters(self) -> None:
        data = with_json(r'{"eventType":"WorkflowExecutionSignaled","workflowExecutionSignaledEventAttributes":'
                         r'{"signalName":"half \ud800, whole \ud83d\ude00, escaped \\ud800"}}')  # fmt: skip
        [run] = converted(data)
        assert run.events[0].attributes[c.SIGNAL_NAME] == "half ?, whole 😀, escaped \\ud800"
        assert run.attributes[c.DEFECTS] == ("Halves of characters (surrogates that stand alone) are shown as “?”.",)

    def test_bytes_that_are_no_text(self) -> None:
        data = with_event(
            eventType="WorkflowExecutionSignaled", workflowExecutionSignaledEventAttributes={"signalName": "~"}
        )
        [run] = converted(data.replace(b"~", b"\xff\xfe"))
        assert run.events[0].attributes[c.SIGNAL_NAME] == "\ufffd\ufffd"

    @pytest.mark.parametrize("data", ["####", "e30", "=", 7, None, [], {"a": 1}])
    @pytest.mark.parametrize("encoding", ["anNvbi9wbGFpbg==", "####", 7, None, {}])
    def test_base64_that_is_none(self, data: object, encoding: object) -> None:
        given = {"payloads": [{"metadata": {"encoding": encoding}, "data": data}]}
        said = {"signalName": "s", "input": given, "header": {"fields": {c.HEADER: given["payloads"][0]}}}
        data_ = with_event(eventType="WorkflowExecutionSignaled", workflowExecutionSignaledEventAttributes=said)
        assert [event.name for event in converted(data_)[0].events] == ["WorkflowExecutionSignaled"]

    def test_utf_16_cut_in_the_middle_of_a_character(self) -> None:
        data = json.dumps(Recording().json()).encode("utf-16")
        assert refused(data[:-1]).startswith("Its JSON is broken (")


class TestBombs:
    ZEROS = 1 << 30

    def test_of_gzip(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("tracing.history.sources.limits.MAX_BYTES", 1 << 22)
        packer = zlib.compressobj(9, wbits=31)
        bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(64)) + packer.flush()
        assert refused(bomb) == "It is larger than 4 MiB, and no history is."
        twice = gzip.compress(bomb)
        assert "neither JSON nor a binary history" in refused(twice)

    def test_of_zeros(self) -> None:
        assert "neither JSON nor a binary history" in refused(bytes(1_000_000))
        assert "neither JSON nor a binary history" in refused(b"PK\x03\x04" + bytes(1_000_000))

    @pytest.mark.parametrize("packed", [zlib.compress(bytes(1 << 26), 9), b"\0" * 3_000_000, b"[" * 1_000_000])
    def test_of_ledgers(self, packed: bytes) -> None:
        recording = Recording()
        scheduled = recording.activity(recording.task())
        recording.attempt(scheduled)
        recording.complete_activity(scheduled, payload(**{c.HEADER: packed}))
        names = [span.name for span in converted(recording.proto().SerializeToString())]
        assert names == ["RunWorkflow:Research", "StartActivity:call_llm", "RunActivity:call_llm"]

    def test_of_headers(self) -> None:
        large = Payload(metadata={"encoding": b"json/plain"}, data=b'{"tags":[' + b'"x",' * 1_000_000 + b'"x"]}')
        [run] = converted(Recording(header={"fields": {c.HEADER: large}}).proto().SerializeToString())
        assert len(run.attributes) < 50


class TestLies:
    def test_a_header_and_a_ledger_of_another_run(self) -> None:
        other = "5f0e4f7e-0000-4000-8000-00000000beef"
        recording = Recording(
            header=our_header(traceparent="00-" + "a" * 32 + "-" + "b" * 16 + "-01", session="theirs")
        )
        scheduled = recording.activity(recording.task())
        recording.attempt(scheduled, ms=10)
        recording.complete_activity(scheduled, payload(**{c.HEADER: ledger(1, 10, 5, run_id=other)}))
        names = [span.name for span in converted(recording.proto().SerializeToString())]
        assert names == ["RunWorkflow:Research", "StartActivity:call_llm", "RunActivity:call_llm"]

    def test_one_activity_id_three_times(self) -> None:
        recording = Recording()
        task = recording.task()
        scheduled = [recording.activity(task, "same") for _ in range(3)]
        for event in reversed(scheduled):
            recording.attempt(event)
            recording.complete_activity(event, payload())
        spans = converted(recording.proto().SerializeToString())
        assert Counter(span.name for span in spans)["StartActivity:call_llm"] == 3
        assert Counter(span.name for span in spans)["RunActivity:call_llm"] == 3

    def test_one_activity_id_three_times_started_at_one_instant(self) -> None:
        recording = Recording()
        task = recording.task()
        for _ in range(3):
            event = recording.activity(task, "same", ms=10)
            recording.attempt(event, ms=11)
            recording.complete_activity(event, payload(), ms=12)
        spans = converted(recording.proto().SerializeToString())
        ids = {span.span_id for span in spans if span.name.startswith("StartActivity:")}
        assert {span.parent_id for span in spans if span.name.startswith("RunActivity:")} == ids

    def test_spans_of_a_ledger_that_are_their_own_ancestors(self) -> None:
        names = {
            "a": ("a" * 16, "b" * 16),
            "b": ("b" * 16, "a" * 16),
            "self": ("c" * 16, "c" * 16),
            "twin": ("a" * 16, ""),
        }
        inner = [
            LedgerSpan(span_id=id_, parent_id=parent, name=name, kind=1, start=START_US * 1_000, end=START_US * 1_000)
            for name, (id_, parent) in names.items()
        ]
        forged = encode_ledger(Ledger(run=RUN_ID, activity="1", attempt=1, started=START_US, duration=5, spans=inner))
        recording = Recording()
        scheduled = recording.activity(recording.task())
        recording.attempt(scheduled)
        recording.complete_activity(scheduled, payload(**{c.HEADER: forged}))
        spans = {span.name: span for span in converted(recording.proto().SerializeToString())}
        attempt = spans["RunActivity:call_llm"].span_id
        parents = {name: spans[name].parent_id for name in names}
        assert parents == {"a": attempt, "b": spans["a"].span_id, "self": attempt, "twin": attempt}

    def test_spans_of_a_ledger_that_take_the_ids_of_others_or_have_theirs_for_parents(self) -> None:
        run, step = run_span_id(RUN_ID), step_span_id(RUN_ID, "activity", "2")
        attempt = attempt_span_id(RUN_ID, "1", 1, START_US)
        recording = Recording()
        task = recording.task()
        forged = {
            "1": {"run": (run, 1), "step": (step, 2), "attempt": (attempt, 3), "below": (3, attempt), "far": (4, 5)},
            "2": {"near": (5, 4)},
        }
        asked = {activity_id: recording.activity(task, activity_id) for activity_id in forged}
        for activity_id, names in forged.items():
            inner = [
                LedgerSpan(span_id=f"{id_:016x}", parent_id=f"{parent:016x}", name=name, start=START_US, end=START_US)
                for name, (id_, parent) in names.items()
            ]
            found = Ledger(run=RUN_ID, activity=activity_id, attempt=1, started=START_US, duration=5, spans=inner)
            recording.attempt(asked[activity_id], ms=0)
            recording.complete_activity(asked[activity_id], payload(**{c.HEADER: encode_ledger(found)}))
        spans = converted(recording.proto().SerializeToString())
        parents = {span.span_id: span.parent_id for span in spans}
        for each in spans:
            above, path = each.span_id, set[int]()
            while above in parents and above not in path:
                path.add(above)
                above = parents[above] or 0
            assert above not in path, each.name
        steps = [span for span in spans if span.name.startswith("StartActivity:")]
        assert [(span.span_id, span.parent_id) for span in steps][1] == (step, run)
        assert [span.parent_id for span in spans if span.name.startswith("RunActivity:")][1] == step

    def test_attempts_that_go_backwards(self) -> None:
        recording = Recording()
        scheduled = recording.activity(recording.task())
        recording.attempt(scheduled, 3, last_failure=failure("slow", stored_ledger=ledger(5, 1, 1)))
        recording.attempt(scheduled, 2)
        recording.attempt(scheduled, -1)
        recording.complete_activity(scheduled, payload())
        spans = converted(recording.proto().SerializeToString())
        assert [span.attributes[c.ATTEMPT] for span in spans if span.name.startswith("RunActivity")] == [3]
        assert [event.name for event in spans[0].events] == ["ActivityTaskStarted"] * 2

    def test_a_start_without_an_activity_and_an_activity_without_a_start(self) -> None:
        recording = Recording()
        scheduled = recording.activity(recording.task())
        recording.attempt(scheduled + 1)
        recording.complete_activity(scheduled, payload())
        spans = converted(recording.proto().SerializeToString())
        assert [span.name for span in spans] == ["RunWorkflow:Research", "StartActivity:call_llm"]
        assert [event.name for event in spans[0].events] == ["ActivityTaskStarted"]

    def test_a_run_that_closes_twice_and_goes_on(self) -> None:
        recording = Recording()
        recording.task()
        recording.complete(payload('"first"'))
        recording.add("workflow_execution_terminated", reason="twice")
        recording.task()
        [run] = converted(recording.proto().SerializeToString())
        assert (run.attributes[c.RUN_STATUS], run.attributes[c.EVENT_IDS]) == ("terminated", "1-9")
        assert [event.name for event in run.events] == ["WorkflowExecutionCompleted", c.EXCEPTION_EVENT]

    def test_steps_that_refer_to_each_other_and_to_themselves(self) -> None:
        recording = Recording()
        recording.add("activity_task_started", scheduled_event_id=3)
        recording.add("activity_task_completed", scheduled_event_id=3)
        recording.add("workflow_task_completed", started_event_id=5, scheduled_event_id=4)
        recording.add("workflow_task_started", scheduled_event_id=4)
        recording.add("workflow_execution_update_completed", accepted_event_id=6)
        converted(recording.proto().SerializeToString())


def many(write: Callable[[Recording, int], object], *, opening: Callable[[Recording], object] | None = None) -> Any:
    """A history with one kind of event very often."""

    def history(count: int) -> bytes:
        recording = Recording()
        if opening is not None:
            opening(recording)
        for number in range(count):
            write(recording, number)
        return recording.proto().SerializeToString()

    return history


def one_id(count: int) -> bytes:
    """All events have one ID."""
    recording = Recording()
    recording.add("timer_started")
    start, timer = (json.dumps(event) for event in recording.json()["events"])
    return f'{{"events":[{start},{",".join([timer] * count)}]}}'.encode()


MARKER = {"marker_name": "core_local_activity", "details": {"data": {"payloads": [payload('{"activity_id":"1"}')]}}}
MANY: dict[str, Callable[[int], bytes]] = {
    "events with one ID": one_id,
    "tasks that were done once": many(
        lambda recording, _: recording.add("workflow_task_completed", started_event_id=2),
        opening=lambda recording: recording.add("workflow_task_started"),
    ),
    "activities with one ID": many(lambda recording, _: recording.activity(0, "same")),
    "attempts of one activity": many(lambda recording, _: recording.attempt(2), opening=lambda it: it.activity(0)),
    "local activities with one ID": many(lambda recording, _: recording.add("marker_recorded", **MARKER)),
    "signals": many(lambda recording, _: recording.add("workflow_execution_signaled", signal_name="s")),
    "timers": many(lambda recording, number: recording.add("timer_fired", started_event_id=number)),
    "ends": many(lambda recording, _: recording.complete()),
    "resets": many(lambda recording, _: recording.reset()),
    "updates": many(lambda recording, _: recording.add("workflow_execution_update_completed", accepted_event_id=2)),
}


def work(data: bytes) -> int:
    """How many calls it takes to convert a history."""
    calls = 0

    def count(_frame: object, _event: str, _argument: object) -> None:
        nonlocal calls
        calls += 1

    sys.setprofile(count)
    try:
        for history in read(data, run_id=RUN_ID):
            if isinstance(history, History):
                to_spans(history, CONTENT)
    finally:
        sys.setprofile(None)
    return calls


@pytest.mark.parametrize("shape", MANY)
def test_work_is_in_proportion_to_size(shape: str) -> None:
    make = MANY[shape]
    work(make(10))  # what is made once and kept
    assert work(make(800)) < 2.5 * work(make(400))


def test_a_hundred_thousand_events_with_one_id() -> None:
    run, _ = converted(one_id(100_000))
    named = run.attributes[c.DEFECTS]
    assert isinstance(named, tuple)
    assert (named[0], named[-1]) == ("Event 2 (TimerStarted) is there twice: the first is kept.", "99967 more defects.")
