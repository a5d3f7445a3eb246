"""What is recorded where content or the ledger is off, or steps are left out; and what is written to the database."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from dbos import DBOS, SetWorkflowID

from tests.dbos_live.conftest import OFF, assert_same, short, traced
from tests.dbos_live.test_both_readers import answer
from tracing import TracingConfig, llm_call
from tracing import conventions as c
from tracing.cost import account
from tracing.dbos.ledgers import read_entry

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.dbos_live.conftest import Live

pytestmark = pytest.mark.slow

SECRET = "the whale's name"


def stored(url: str, sql: str) -> list[Any]:
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection, connection as database:
        return database.execute(sql).fetchall()


def agent() -> Callable[[str], str]:
    """A workflow of two steps, the second of which calls no model."""

    @DBOS.step(name="ask", retries_allowed=True, interval_seconds=0.01)
    def ask(prompt: str) -> str:
        asked = [{"role": "user", "content": prompt}]
        with llm_call(model="gpt-4o", provider="openai", messages=asked) as call:
            call.usage(input_tokens=1_000, output_tokens=100)
        if DBOS.step_status is not None and not DBOS.step_status.current_attempt:
            raise TimeoutError(prompt)
        return prompt

    @DBOS.step(name="note")
    def note(text: str) -> str:
        return text

    @DBOS.workflow(name="research")
    def research(topic: str) -> str:
        return note(ask(topic))

    return research


def test_without_content_none_leaves_the_process_or_is_written_again(url: str) -> None:
    with traced(url, OFF) as live:
        research = agent()
        live.launch()
        with SetWorkflowID("w"):
            research(SECRET)
        spans = live.spans("w")
        assert_same(spans, live.exported("w"))
    assert SECRET not in repr(spans)
    assert len(stored(url, "SELECT value FROM streams")) == 2
    assert SECRET not in repr(stored(url, "SELECT value FROM streams"))


def test_what_is_written_is_redacted(url: str) -> None:
    def redact(_: str, text: str) -> str:
        return text.replace(SECRET, "[gone]")

    with traced(url, TracingConfig(capture_content=True, redact=redact)) as live:
        research = agent()
        live.launch()
        with SetWorkflowID("w"):
            research(SECRET)
        spans = live.spans("w")
        assert_same(spans, live.exported("w"))
    failed = next(span for span in spans if c.ERROR_TYPE in span.attributes)
    assert failed.status_message == "[gone]"
    assert SECRET not in repr(spans)
    for (value,) in stored(url, "SELECT value FROM streams"):
        kept = read_entry(value, workflow_id="w", function_id=1)
        assert kept is not None
        assert SECRET not in repr(kept)


def test_steps_that_call_no_model_write_nothing_but_the_first(live: Live) -> None:
    @DBOS.step()
    def note(text: str) -> str:
        return text

    @DBOS.workflow()
    def research(topic: str) -> str:
        return note(note(note(topic)))

    live.launch()
    with SetWorkflowID("w"):
        research("tides")
    spans = live.spans("w")
    assert_same(spans, live.exported("w"))
    assert stored(live.url, "SELECT key, function_id FROM streams") == [("durable-trace/1", 1)]
    assert account(spans).unknown_attempts == 0


def test_results_are_stored_as_dbos_stores_them(live: Live) -> None:
    research = agent()
    live.launch()
    with SetWorkflowID("w"):
        research("tides")
    rows = stored(live.url, "SELECT output, serialization FROM operation_outputs")
    assert rows == [('"tides"', "portable_json")] * 2
    assert DBOS.get_all_events("w") == {}


def test_without_the_ledger_the_cost_is_unknown_and_not_nothing(url: str) -> None:
    with traced(url, TracingConfig(ledger=False)) as live:
        research = agent()
        live.launch()
        with SetWorkflowID("w"):
            research("tides")
        exported = live.exported("w")
    assert stored(url, "SELECT * FROM streams") == []
    assert account(exported).unknown_attempts == 2


def test_steps_and_workflows_that_are_left_out(url: str) -> None:
    with traced(url, TracingConfig(exclude_activities=("note",), exclude_workflows=("secret*",))) as live:
        research = agent()

        @DBOS.workflow(name="secret_research")
        def hidden(topic: str) -> str:
            return research(topic)

        live.launch()
        with SetWorkflowID("w"):
            research("tides")
        with SetWorkflowID("h"):
            hidden("tides")
        names = {short(span.name) for span in live.spans("w")}
        assert names == {"RunWorkflow:research", "StartActivity:ask", "RunActivity:ask", "chat gpt-4o"}
        assert live.spans("h") == []
        assert_same(live.spans("w"), live.exported("w"))


def test_a_step_that_is_called_by_one_that_is_left_out_is_none_of_its_own(url: str) -> None:
    # As everywhere that a step calls another: DBOS then executes its function as a part of the first.
    with traced(url, TracingConfig(exclude_activities=("note*",))) as live:

        @DBOS.step(name="look_up")
        def look_up(text: str) -> str:
            return text

        @DBOS.step(name="look_up_async")
        async def look_up_async(text: str) -> str:
            return text

        @DBOS.step(name="note")
        def note(text: str) -> str:
            return look_up(text)

        @DBOS.step(name="note_async")
        async def note_async(text: str) -> str:
            return await look_up_async(text)

        @DBOS.workflow(name="research")
        async def research(topic: str) -> str:
            return look_up(await note_async(note(topic)))

        live.launch()
        with SetWorkflowID("w"):
            assert asyncio.run(research("tides")) == "tides"
        names = sorted(short(span.name) for span in live.spans("w"))
        assert names == ["RunActivity:look_up", "RunWorkflow:research", "StartActivity:look_up"]
        assert_same(live.spans("w"), live.exported("w"))


def test_functions_decorated_before_are_named_and_nobody_vouches_for_them(
    url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    @DBOS.step(name="early")
    def early(text: str) -> str:
        return text

    class Tools:
        @staticmethod
        @DBOS.step(name="early_too")
        def early_too() -> None:
            """Is never called."""

    for name, value in (("early", early), ("Tools", Tools)):
        monkeypatch.setattr(Tools.early_too if name == "Tools" else early, "__module__", __name__)
        monkeypatch.setitem(globals(), name, value)
    with traced(url) as live:

        @DBOS.step()
        def late(text: str) -> str:
            return answer(text)

        @DBOS.workflow()
        def research(topic: str) -> str:
            return early(late(topic))

        live.launch()
        with SetWorkflowID("w"):
            research("tides")
        spans = live.spans("w")
        assert_same(spans, live.exported("w"))
    assert "2 functions are decorated by DBOS already" in caplog.text
    assert [short(span.name) for span in spans if span.attributes.get(c.UNRECORDED)] == ["RunActivity:early"]
    assert account(spans).unknown_attempts == 1


class Lazy:
    """As settings of a framework that are read when they are needed, and are not to be had yet."""

    @property  # type: ignore[misc] # as such objects have it
    def __class__(self) -> type:
        raise ImportError


def test_what_cannot_be_asked_for_its_class_is_not_asked(
    url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(globals(), "settings", Lazy())
    with traced(url) as live:
        research = agent()
        live.launch()
        with SetWorkflowID("w"):
            research("tides")
        assert account(live.spans("w")).unknown_attempts == 0
    assert caplog.text == ""


def test_an_agent_whose_database_cannot_be_read_goes_on(url: str, caplog: pytest.LogCaptureFixture) -> None:
    with traced("sqlite:///nowhere/else.sqlite") as live:
        research = agent()
        live.url = url
        live.launch()
        with SetWorkflowID("w"):
            assert research("tides") == "tides"
        assert live.spans("w") == []
    assert "Tracing failed in the start of a DBOS workflow" in caplog.text


def test_what_was_wrapped_is_given_back(url: str) -> None:
    before = DBOS.__dict__["step"]
    with traced(url):
        assert DBOS.__dict__["step"] is not before
    assert DBOS.__dict__["step"] is before


def test_steps_outside_of_workflows_are_plain_functions(live: Live) -> None:
    @DBOS.step()
    def ask(prompt: str) -> str:
        return prompt

    assert ask("tides") == "tides"
    assert live.exporter.get_finished_spans() == ()


def test_without_dbos_it_says_what_to_install() -> None:
    program = "import sys; sys.modules['dbos'] = None\nfrom tracing import llm_call, trace_dbos"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "pip install 'durable-trace[dbos]'" in done.stderr.splitlines()[-1]


AT_EXIT = """
from tracing import trace_dbos
trace_dbos("sqlite:///agent.sqlite")
from dbos import DBOS
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter

@DBOS.workflow(name="research")
def research() -> str:
    return "tides"

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(ConsoleSpanExporter(formatter=lambda span: span.name)))
trace.set_tracer_provider(provider)
DBOS(config={"name": "agent", "system_database_url": "sqlite:///agent.sqlite", "log_level": "ERROR"})
DBOS.launch()
research()
"""


def test_the_end_of_the_process_sends_what_has_ended_though_the_provider_came_after(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", AT_EXIT], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "RunWorkflow:research"
