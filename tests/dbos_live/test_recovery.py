"""A workflow dies with its process and is taken up again: what it has done makes no second span and costs nothing."""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from dbos import DBOS, SetWorkflowID

from tests.dbos_live.conftest import assert_same, short
from tests.dbos_live.test_both_readers import answer
from tracing import conventions as c
from tracing.cost import account
from tracing.identity import run_span_id, run_trace_id

if TYPE_CHECKING:
    from tests.dbos_live.conftest import Live

pytestmark = pytest.mark.slow


class Died(BaseException):
    """As if the process had been killed: DBOS records nothing of it."""


def test_a_recovered_workflow_goes_on_in_the_same_trace(live: Live) -> None:
    asked: list[str] = []
    alive: list[bool] = []

    @DBOS.step()
    def ask(prompt: str) -> str:
        asked.append(prompt)
        said = answer(prompt)
        if prompt == "second" and not alive:
            raise Died
        return said

    @DBOS.step()
    def note(text: str) -> str:
        asked.append(text)
        return text

    @DBOS.workflow()
    def research() -> str:
        return note(ask("first")) + ask("second") + note("third")

    live.launch()
    with SetWorkflowID("w"), pytest.raises(Died):
        research()
    assert [short(span.name) for span in live.spans("w")].count("StartActivity:ask") == 1
    assert not any(span.span_id == run_span_id("w") for span in live.spans("w"))

    alive.append(True)
    DBOS.destroy()
    live.launch()  # takes up what was pending
    assert DBOS.retrieve_workflow("w").get_result() == "first!second!third"
    assert asked == ["first", "first!", "second", "second", "third"]

    spans = live.spans("w")
    [run] = [span for span in spans if span.span_id == run_span_id("w")]
    assert (run.trace_id, run.attributes[c.ATTEMPT]) == (run_trace_id("w"), 2)
    assert_same(spans, live.exported("w"))
    spent = account(live.exported("w"))
    # The answer that was lost with the process was asked for again: three calls, as the model counts them. DBOS may
    # have tried the step once more before it died.
    assert (spent.usage.calls, spent.unknown_attempts) == (3, 1)
    assert [(short(step.type), [len(each.calls) for each in step.attempts]) for step in spent.steps] == [
        ("ask", [1]),
        ("note", [0]),
        ("ask", [1, 1]),
        ("note", [0]),
    ]


def taken_over(url: str) -> None:
    """Another process takes the workflow up, does its step, and is done with it."""
    now = time.time_ns() // 1_000_000
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as database, database:
        database.execute(
            "UPDATE workflow_status SET recovery_attempts = 2, executor_id = 'other', owner_xid = NULL, "
            "status = 'SUCCESS', completed_at = ?",
            (now,),
        )
        database.execute(
            "INSERT INTO operation_outputs (workflow_uuid, function_id, function_name, output, serialization, "
            "started_at_epoch_ms, completed_at_epoch_ms) VALUES ('w', 1, 'ask', '\"tides\"', 'portable_json', ?, ?)",
            (now, now),
        )
        database.execute("INSERT INTO workflow_output (workflow_uuid, output) VALUES ('w', '\"tides\"')")


def test_what_another_process_has_taken_over_meanwhile_that_one_sends(live: Live) -> None:
    running, go_on = threading.Event(), threading.Event()

    @DBOS.step(name="ask")
    def ask(prompt: str) -> str:
        running.set()
        assert go_on.wait(30)
        return answer(prompt)

    @DBOS.workflow()
    def research(topic: str) -> str:
        return ask(topic)

    live.launch()
    with SetWorkflowID("w"):
        handle = DBOS.start_workflow(research, "tides")
    assert running.wait(30)
    taken_over(live.url)
    go_on.set()
    assert handle.get_result() == "tides"  # of the other one
    assert [span.name for span in live.spans("w")] == ["chat gpt-4o", "RunActivity:ask"]  # what was done and paid here


def test_a_fork_does_again_only_what_it_must(live: Live) -> None:
    @DBOS.step()
    def ask(prompt: str) -> str:
        return answer(prompt)

    @DBOS.workflow()
    def research() -> str:
        return ask("first") + ask("second")

    live.launch()
    with SetWorkflowID("base"):
        research()
    with SetWorkflowID("fork"):
        fork = DBOS.fork_workflow("base", 2)
    fork.get_result()
    spans = live.spans("fork")
    assert [short(span.name) for span in spans] == [
        "chat gpt-4o",
        "RunActivity:ask",
        "StartActivity:ask",
        "RunWorkflow:research",
    ]
    assert_same(spans, live.exported("fork"))
    assert {span.attributes[c.SESSION_ID] for span in spans} == {"base"}
    assert account(live.exported("fork")).usage.calls == 1


def test_a_workflow_that_was_over_runs_nothing(live: Live) -> None:
    @DBOS.step()
    def ask(prompt: str) -> str:
        return answer(prompt)

    @DBOS.workflow()
    def research() -> str:
        return ask("first")

    live.launch()
    for _ in range(2):
        with SetWorkflowID("w"):
            assert research() == "first!"
    assert len(live.spans("w")) == 4
