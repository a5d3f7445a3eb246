"""A workflow that is cancelled, and goes on: no span comes twice, and both readers tell the same at each time."""

from __future__ import annotations

import json
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from dbos import DBOS, SetWorkflowAttributes, SetWorkflowID

from tests.dbos_live.conftest import assert_same, short
from tests.dbos_live.test_both_readers import answer
from tests.dbos_live.test_settings import stored
from tests.rendering import render
from tracing import conventions as c
from tracing import session, session_attributes
from tracing.cost import account
from tracing.dbos import Converted, DatabaseError
from tracing.dbos.conversion import build

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tests.dbos_live.conftest import Live
    from tracing.spans.model import Span

pytestmark = pytest.mark.slow

SHOWN = (c.RUN_STATUS, c.RESUMPTION, c.LLM_CALLS, c.UNRECORDED, c.ERROR_TYPE)


def tree(spans: Iterable[Span]) -> str:
    return short(f"\n{render(spans, only=SHOWN, times=False)}\n")


class Cancelled:
    """A workflow that asks and notes three times, and is cancelled while it does some of that.

    Args:
        steps: While which steps, of the six.
    """

    def __init__(self, *steps: int) -> None:
        self.cancels = set(steps)
        self.running, self.go_on = threading.Event(), threading.Event()

    def agent(self) -> Callable[[str], str]:
        @DBOS.step(name="ask")
        def ask(text: str) -> str:
            said = answer(text)
            self.wait()
            return said

        @DBOS.step(name="note")
        def note(text: str) -> str:
            self.wait()
            return text

        @DBOS.workflow(name="research")
        def research(topic: str) -> str:
            for _ in range(3):
                topic = note(ask(topic))
            return topic

        return research

    def wait(self) -> None:
        if DBOS.step_id in self.cancels:
            self.cancels.remove(DBOS.step_id)
            self.running.set()
            assert self.go_on.wait(30)

    def cancel(self, workflow_id: str) -> None:
        """Cancel it while its step runs, which is then not recorded."""
        assert self.running.wait(30)
        self.running.clear()
        DBOS.cancel_workflow(workflow_id)
        self.go_on.set()


def runs(spans: list[Span]) -> list[Span]:
    return [span for span in spans if c.RUN_STATUS in span.attributes]


def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    looked, deadline = threading.Event(), time.monotonic() + 30
    while not holds() and time.monotonic() < deadline:
        looked.wait(0.01)
    assert holds()


def cancelled(live: Live, told: Cancelled, run: Callable[[], Any]) -> list[Span]:
    """What has come when the workflow is cancelled; it is what an export says then."""
    ends = len(runs(live.spans("w")))
    run()
    told.cancel("w")
    until(lambda: len(runs(live.spans("w"))) > ends)
    spans = live.spans("w")
    assert_same(spans, live.exported("w"))
    told.go_on.clear()
    return spans


def test_what_is_done_after_is_a_part_of_its_own(live: Live) -> None:
    told = Cancelled(4)
    research = told.agent()
    live.launch()

    def start() -> None:
        with SetWorkflowID("w"):
            DBOS.start_workflow(research, "tides")

    before = cancelled(live, told, start)
    assert (
        tree(before)
        == """
RunWorkflow:research SERVER
  durable.llm.calls: 2
  error.type: 'CancelledError'
  temporal.run.status: 'canceled'
  StartActivity:ask CLIENT
    durable.llm.calls: 1
    RunActivity:ask SERVER
      durable.llm.calls: 1
      chat gpt-4o CLIENT
  StartActivity:note CLIENT
    RunActivity:note SERVER
  StartActivity:ask CLIENT
    durable.llm.calls: 1
    RunActivity:ask SERVER
      durable.llm.calls: 1
      chat gpt-4o CLIENT
"""
    )
    assert DBOS.resume_workflow("w").get_result() == "tides!!!"
    spans = live.spans("w")  # none came twice
    assert_same(spans, live.exported("w"))
    assert [span for span in spans if span in before] == before
    run = next(span for span in before if span.parent_id is None)
    [resumed] = [span for span in spans if c.RESUMPTION in span.attributes]
    assert (resumed.parent_id, resumed.attributes[c.OUTPUT_VALUE]) == (run.span_id, "tides!!!")
    assert (
        tree(live.exported("w")).partition("  RunWorkflow")[2]
        == """:research SERVER
    durable.llm.calls: 1
    durable.resumption: 1
    temporal.run.status: 'completed'
    StartActivity:note CLIENT
      RunActivity:note SERVER
    StartActivity:ask CLIENT
      durable.llm.calls: 1
      RunActivity:ask SERVER
        durable.llm.calls: 1
        chat gpt-4o CLIENT
    StartActivity:note CLIENT
      RunActivity:note SERVER
"""
    )
    spent = account(spans)
    assert (spent.status, spent.usage.calls, spent.unknown_attempts, len(spent.steps)) == ("completed", 3, 0, 6)
    assert (spent.start, spent.end) == (run.start, resumed.end)


def test_again_and_again_and_its_fork_has_nothing_of_it(live: Live) -> None:
    told = Cancelled(2, 4, 6)
    research = told.agent()
    live.launch()

    def start() -> None:
        with (
            session(id="chat-17"),
            SetWorkflowAttributes({**session_attributes(), "customer": "acme"}),
            SetWorkflowID("w"),
        ):
            DBOS.start_workflow(research, "tides")

    cancelled(live, told, start)
    for _ in range(2):
        spans = cancelled(live, told, lambda: DBOS.resume_workflow("w"))
    assert DBOS.resume_workflow("w").get_result() == "tides!!!"
    spans = live.spans("w")
    assert_same(spans, live.exported("w"))
    assert [(span.attributes.get(c.RESUMPTION), span.attributes[c.RUN_STATUS]) for span in runs(spans)] == [
        (None, "canceled"),
        (1, "canceled"),
        (2, "canceled"),
        (3, "completed"),
    ]
    assert account(spans).usage.calls == 3
    [(attributes,)] = stored(live.url, "SELECT attributes FROM workflow_status")
    assert set(json.loads(attributes)) == {"durable-trace", "durable-trace/ends", "customer"}

    with SetWorkflowID("fork"):
        assert DBOS.fork_workflow("w", 3).get_result() == "tides!!!"
    spans = live.spans("fork")
    assert_same(spans, live.exported("fork"))
    assert [span.attributes[c.RUN_STATUS] for span in runs(spans)] == ["completed"]


def test_what_was_asked_meanwhile_is_paid_and_lost(live: Live) -> None:
    told = Cancelled(3)
    research = told.agent()
    live.launch()
    with SetWorkflowID("w"):
        DBOS.start_workflow(research, "tides")
    told.cancel("w")
    until(lambda: len(runs(live.spans("w"))) == 1)
    assert DBOS.resume_workflow("w").get_result() == "tides!!!"
    spans, exported = live.spans("w"), live.exported("w")
    known = {span.span_id for span in exported}
    assert [short(span.name) for span in spans if span.span_id not in known] == ["chat gpt-4o", "RunActivity:ask"]
    assert_same([span for span in spans if span.span_id in known], exported)
    assert [span.attributes[c.ACTIVITY_ID] for span in exported if span.attributes.get(c.INTERRUPTED)] == ["3"]
    # Four calls were made. The database has three of them, and says that there may have been another one.
    assert account(spans).usage.calls == 4
    assert (account(exported).usage.calls, account(exported).unknown_attempts) == (3, 1)


def test_a_database_that_does_not_answer_at_its_end_is_asked_again(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([False] * 4)

    def at_last(*args: Any, **settings: Any) -> Converted | None:
        if next(answers, True):
            return build(*args, **settings)
        raise DatabaseError("The database is locked.")

    monkeypatch.setattr("tracing.dbos_live.watcher.build", at_last)
    told = Cancelled(2)
    research = told.agent()
    live.launch()

    def start() -> None:
        with SetWorkflowID("w"):
            DBOS.start_workflow(research, "tides")

    [run] = runs(cancelled(live, told, start))
    assert run.attributes[c.RUN_STATUS] == "canceled"
    assert next(answers, None) is None


def test_where_its_end_cannot_be_noted_its_span_is_left_to_the_export(
    live: Live, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise ConnectionError

    told = Cancelled(2)
    research = told.agent()
    live.launch()
    monkeypatch.setattr(DBOS, "update_workflow_attributes", refused)
    with SetWorkflowID("w"):
        DBOS.start_workflow(research, "tides")
    told.cancel("w")
    until(lambda: "Tracing failed in the note of the end of a DBOS workflow" in caplog.text)
    assert runs(live.spans("w")) == []
    assert DBOS.resume_workflow("w").get_result() == "tides!!!"
    assert_same(live.spans("w"), live.exported("w"))


def test_that_one_was_rewound_stands_nowhere_and_what_it_had_spent_in_its_ledgers(live: Live) -> None:
    research = Cancelled().agent()
    live.launch()
    with SetWorkflowID("w"):
        assert research("tides") == "tides!!!"
    columns = [str(name) for (name,) in stored(live.url, "SELECT name FROM pragma_table_info('workflow_status')")]
    row = f"SELECT {', '.join(columns)} FROM workflow_status"
    [before] = stored(live.url, row)
    assert DBOS.rewind_workflow("w", start_step=5).get_result() == "tides!!!"
    [after] = stored(live.url, row)
    changed = {name for name, old, new in zip(columns, before, after, strict=True) if old != new}
    # Each of them changes where a workflow is resumed, too.
    assert changed <= {"queue_name", "started_at_epoch_ms", "completed_at", "updated_at"}
    assert [len(step.attempts) for step in account(live.exported("w")).steps] == [1, 1, 1, 1, 2, 1]
