"""What only one reader can know: the reference's list is true, complete, and nothing on it is there for nothing."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from msgspec.structs import replace

from tests.agreement import differences, entry, short
from tests.dbos.conftest import converted, unpacked
from tests.history.both_readers import BothReaders
from tests.history.every_type import EveryType
from tests.history.recording import RUN_ID, START_US, Recording, failure, ledger, our_header, payload
from tests.history.test_event_types import BECOMES, RUN_EVENT
from tests.history.test_pending import at, third_try
from tests.live.workflows.steps.commands import complete, schedule
from tests.live.workflows.steps.jobs import completed
from tests.live.workflows.steps.payloads import text
from tracing import conventions as c
from tracing.config import TracingConfig
from tracing.history import History, read, to_spans
from tracing.history.pending import pending_from_proto
from tracing.ledger import encode_ledger, read_ledger
from tracing.reference.events import EVENTS
from tracing.reference.readers import ONE_READER, REASONS, OneReader
from tracing.spans.model import Event, Span
from tracing.tracefile.reroot import reroot

CONTENT = TracingConfig(capture_content=True)
TESTS = Path(__file__).parent


def spans_of(source: bytes) -> list[Span]:
    """The spans of a history."""
    [history] = read(source)
    assert isinstance(history, History)
    return to_spans(history, CONTENT)


def exported() -> Iterator[list[Span]]:
    """Histories that hold all that only histories can tell."""
    every = EveryType()
    every.write()
    every.reset()
    for name, details in (("Version", {"changeId": '"c"', "version": "2"}), ("SideEffect", {"side-effect-id": "1"})):
        kept = {key: {"payloads": [payload(data)]} for key, data in details.items()}
        every.add("marker_recorded", marker_name=name, details=kept)
    scheduled = every.activity(4, "again")
    every.attempt(scheduled, 2, last_failure=failure("slow"))
    every.complete_activity(scheduled)
    every.add("workflow_task_failed", cause="WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND")
    yield spans_of(every.proto().SerializeToString())

    damaged = Recording(header=our_header(traceparent="00-" + "a" * 32 + "-" + "b" * 16 + "-00")).json()
    new = {"eventType": "SomethingNew", "eventTime": damaged["events"][0]["eventTime"], "somethingNew": {"a": 1}}
    damaged["events"] += [{"eventId": "2", "eventType": "TimerFired"}, {"eventId": "3", **new}]
    yield spans_of(json.dumps(damaged).encode())

    waiting = Recording()
    waiting.activity(waiting.task())
    history = dataclasses.replace(
        waiting.read(), pending=pending_from_proto([third_try(next_attempt_schedule_time=at(200))])
    )
    yield to_spans(history, CONTENT)

    started = our_header(traceparent="00-" + "a" * 32 + "-" + "b" * 16 + "-01")
    run = Recording(header=started).spans()[0]
    ended = replace(run, end=run.start, attributes=run.attributes | {c.CLIENT_START_TIME: START_US - 5})
    yield reroot([ended])
    with TemporaryDirectory() as folder:
        recorded = unpacked(Path(folder))
        for workflow_id in ("research-1", "pickled-1"):
            yield converted(recorded, workflow_id).spans


@cache
def all_exported() -> list[Span]:
    """The spans of these."""
    return [span for spans in exported() for span in spans]


def listed(kind: str, reader: str) -> list[OneReader]:
    """Entries of one kind for one reader."""
    return [it for it in ONE_READER if (it.kind, it.reader) == (kind, reader)]


def test_each_has_a_reason() -> None:
    assert [it for it in ONE_READER if not it.reason.endswith(".")] == []
    assert REASONS.keys() == c.READER_ONLY
    assert len({(it.kind, it.name, it.reader, it.where) for it in ONE_READER}) == len(ONE_READER)


@pytest.mark.parametrize("it", listed("attribute", "history"), ids=lambda it: it.name)
def test_a_history_shows_the_attribute(it: OneReader) -> None:
    spans = all_exported()
    holders: list[Span | Event] = [*spans, *(event for span in spans for event in span.events)]
    assert any(it.name in holder.attributes for holder in holders)


@pytest.mark.parametrize("it", listed("event", "history"), ids=lambda it: it.name)
def test_a_history_shows_the_event(it: OneReader) -> None:
    shown = {event.name for span in all_exported() for event in span.events}
    known = {event.name for event in EVENTS}
    assert it.name in shown or (it.name == "{any other event type}" and shown - known)


def test_a_history_shows_the_link_to_the_base_run_of_a_reset() -> None:
    [it] = listed("link", "history")
    linked = [
        (short(span), [link.attributes[c.RUN_ID] for link in span.links])
        for span in all_exported()
        if any(c.RESET_BASE_RUN_ID in event.attributes for event in span.events)
    ]
    bases = [
        event.attributes[c.RESET_BASE_RUN_ID]
        for span in all_exported()
        for event in span.events
        if c.RESET_BASE_RUN_ID in event.attributes
    ]
    assert linked
    assert linked == [(it.name, [base]) for base in bases]


def test_the_events_are_those_that_event_types_become() -> None:
    became = {type_ for type_, what in BECOMES.items() if what == RUN_EVENT} | {"MarkerRecorded", c.EXCEPTION_EVENT}
    assert {event.name for event in EVENTS} == became | {"{any other event type}"}


WRITTEN = "\n".join(
    path.read_text(encoding="utf-8")
    for folder in ("live", "e2e")
    for path in sorted((TESTS / folder).rglob("test_*.py"))
)
"""The tests of the live reader: they write its traces out."""


@pytest.mark.parametrize("it", listed("attribute", "live"), ids=lambda it: it.name)
def test_a_live_trace_shows_the_attribute(it: OneReader) -> None:
    constant = next(name for name, value in vars(c).items() if value == it.name)
    assert re.search(rf"^ +{re.escape(it.name)}: |\bc\.{constant}\b|\"{re.escape(it.name)}\"", WRITTEN, re.MULTILINE)


@pytest.mark.parametrize("it", listed("span", "live"), ids=lambda it: f"{it.name} {it.where}")
def test_a_live_trace_shows_the_span(it: OneReader) -> None:
    assert re.search(rf"^ *{it.name}\b|\"{it.name}\b", WRITTEN, re.MULTILINE)


@pytest.mark.parametrize("it", listed("span", "history"), ids=lambda it: f"{it.name} {it.where}")
def test_a_history_shows_the_span(it: OneReader) -> None:
    """Replays have traces of their own; of the others, the root of a run that was terminated is no worker's."""
    if it.name == "ReplayWorkflow":
        replayed = sorted((TESTS / "replay").rglob("test_*.py"))
        assert any("ReplayWorkflow:" in path.read_text(encoding="utf-8") for path in replayed)
        return
    if it.name == "DBOS.":
        assert "DBOS.getResult" in {span.name for span in all_exported()}
        return
    both = BothReaders()
    both.task(ms=2, commands=[schedule(1)])
    both.recording.add("workflow_execution_terminated", ms=9)
    live = {span.span_id for span in both.worker.held.spans}
    names = [span.name for span in both.recording.spans() if span.span_id not in live]
    assert names == ["RunWorkflow:Research", "StartActivity:call_llm"]


class TestWhatIsOfLedgers:
    def both(self, data: bytes | None) -> tuple[set[str], set[str]]:
        """Keys of the step, live and exported, and of the exported attempt and run."""
        both = BothReaders()
        [scheduled] = both.task(ms=2, commands=[schedule(1)])
        result = text("because")
        if data is not None:
            result.metadata[c.HEADER] = data
        both.recording.attempt(scheduled, 2, ms=40)
        both.recording.complete_activity(scheduled, result, ms=50)
        both.task(completed(1, result), ms=52, commands=[complete()])
        spans = {span.span_id: span for span in both.recording.spans(content=True)}
        for span in both.worker.held.spans:
            differences(span, spans[span.span_id])
        live = {key for span in both.worker.held.spans for key in span.attributes}
        return live, {key for span in spans.values() for key in span.attributes if span.scope == c.SCOPE_NAME}

    def test_one_reader_lacks_it_without_a_ledger(self) -> None:
        plain = read_ledger(ledger(2, 40, 9), run_id=RUN_ID, activity_id="1")
        assert plain is not None
        full = encode_ledger(replace(plain, build="b-1", heartbeats=3, cut=7, scheduled=START_US + 30_000))
        with_live, with_history = self.both(full)
        without_live, without_history = self.both(None)
        assert {it.name for it in listed("attribute", "ledger")} == c.LEDGER_CARRIED
        assert with_live - without_live | with_history - without_history >= c.LEDGER_CARRIED
        assert with_history >= c.LEDGER_CARRIED


@pytest.mark.parametrize(("key", "side"), [(c.EVENT_IDS, "live"), (c.QUERY_NAME, "history"), (c.TASK_QUEUE, "live")])
def test_what_is_not_on_the_list_is_not_allowed(key: str, side: str) -> None:
    with pytest.raises(AssertionError, match="the reference does not say so"):
        entry("attribute", key, "live" if side == "live" else "history")
    span = Recording().spans()[0]
    other = replace(span, attributes={name: value for name, value in span.attributes.items() if name != c.TASK_QUEUE})
    with pytest.raises(AssertionError, match="the reference does not say so"):
        differences(span, other)
