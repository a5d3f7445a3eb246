"""What becomes of steps in unusual places: thrown away while they wait, in workflows whose beginning was not traced."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from dbos import DBOS, SetWorkflowID
from opentelemetry.sdk.trace import TracerProvider

from tests.dbos_live.conftest import OFF, assert_same
from tests.dbos_live.test_both_readers import answer
from tests.dbos_live.test_settings import stored
from tracing import conventions as c
from tracing.dbos.reader import Reader
from tracing.dbos.runs import DbosRun
from tracing.dbos_live import functions, writing
from tracing.dbos_live.attempt import Attempt, AttemptProcess
from tracing.dbos_live.executions import Execution
from tracing.dbos_live.functions import traced_step
from tracing.dbos_live.retries import NO_PAUSE, Pause

if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import Any

    import pytest

    from tests.dbos_live.conftest import Live
    from tracing.dbos.records import StepRow

pytestmark = pytest.mark.slow


class Step:
    """A process that runs one attempt of one step, and notes how that ended."""

    config = OFF

    def __init__(self) -> None:
        run = DbosRun(
            namespace="", workflow_id="w", run_id="w", workflow_type="research", trace_id=1, session_id="w", resource={}
        )
        self.begun = Execution(run, 1, 0)
        self.ended: list[tuple[bool, Pause]] = []

    async def execution_async(self, _: str) -> Execution:
        return self.begun

    def begin_attempt(self, execution: Execution, function_id: int, step: str, number: int) -> Attempt:
        process = AttemptProcess(OFF, lambda _: None, provider=TracerProvider())
        return Attempt(process, execution, function_id, step, number)

    def end_attempt(self, _: Attempt, *, written: bool, pause: Pause) -> None:
        self.ended.append((written, pause))


async def write_stream(*_: object, **__: object) -> None:
    await asyncio.sleep(0)


def test_a_step_that_is_thrown_away_while_it_waits_waits_for_nothing_more(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    dbos = SimpleNamespace(workflow_id="w", step_id=1, step_status=None, write_stream_async=write_stream)
    monkeypatch.setattr(functions, "DBOS", dbos)
    monkeypatch.setattr(writing, "DBOS", dbos)
    step = Step()

    async def ask(_: str) -> None:
        await asyncio.sleep(0)

    waiting = traced_step(step, ask, "ask", {})("tides")  # type: ignore[arg-type] # all of it that is used
    contextvars.copy_context().run(waiting.send, None)
    # As the garbage collector does it: in another context than the one it began in.
    contextvars.Context().run(waiting.close)
    assert (step.ended, caplog.text) == ([(False, NO_PAUSE)], "")


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize(
    ("options", "pause"),
    [
        ({"retries_allowed": True}, Pause(0.0, certain=False)),
        # It may be its time limit that cancels it.
        ({"retries_allowed": True, "timeout_seconds": 600.0}, Pause(1.0, certain=False)),
    ],
)
async def test_a_step_that_is_cancelled_while_its_ledger_is_written_has_ended(
    monkeypatch: pytest.MonkeyPatch, *, options: dict[str, Any], pause: Pause, fails: bool
) -> None:
    async def cancel(*_: object, **__: object) -> None:
        raise asyncio.CancelledError

    dbos = SimpleNamespace(workflow_id="w", step_id=1, step_status=None, write_stream_async=cancel)
    monkeypatch.setattr(functions, "DBOS", dbos)
    monkeypatch.setattr(writing, "DBOS", dbos)
    step = Step()

    async def ask(_: str) -> None:
        if fails:
            raise LookupError

    with pytest.raises(asyncio.CancelledError):
        await traced_step(step, ask, "ask", options)("tides")  # type: ignore[arg-type] # all of it that is used
    assert step.ended == [(False, pause)]


def test_steps_of_a_workflow_whose_beginning_was_not_traced_are_not_traced_either(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    read = Reader.workflow

    def slow_at_first(reader: Reader, workflow_id: str, *, values: bool = True) -> object:
        asked.append(workflow_id)
        if len(asked) == 1:
            raise TimeoutError
        return read(reader, workflow_id, values=values)

    @DBOS.step()
    def ask(prompt: str) -> str:
        return answer(prompt)

    @DBOS.workflow()
    def research(topic: str) -> str:
        return ask(ask(topic))

    live.launch()
    monkeypatch.setattr(Reader, "workflow", slow_at_first)
    monkeypatch.setattr("tracing.dbos_live.process.PAUSE_SECONDS", 0.0)
    with SetWorkflowID("w"):
        assert research("tides") == "tides!!"
    assert (live.spans("w"), asked) == ([], ["w"])
    with SetWorkflowID("next"):
        research("tides")
    assert_same(live.spans("next"), live.exported("next"))


def test_a_step_without_a_name_is_refused_as_without_tracing(live: Live) -> None:
    @DBOS.workflow()
    def research(topic: str) -> str:
        return DBOS.run_step({}, functools.partial(answer, topic))

    live.launch()
    with pytest.raises(AttributeError, match="__qualname__"):
        research("tides")


@pytest.mark.parametrize("goes_on", [False, True])
def test_rows_are_read_once_though_a_step_before_them_is_not_done(
    live: Live, monkeypatch: pytest.MonkeyPatch, *, goes_on: bool
) -> None:
    read: list[int] = []
    steps = Reader.steps

    def noted(reader: Reader, workflow_id: str, *, numbers: Collection[int] | None = None) -> tuple[list[StepRow], int]:
        found = steps(reader, workflow_id, numbers=numbers)
        if numbers is not None:
            read.extend(step.function_id for step in found[0])
        return found

    @DBOS.step()
    def ask(prompt: str) -> str:
        return answer(prompt)

    @DBOS.workflow()
    def research(topic: str) -> str:
        first, text = DBOS.reserve_step(), topic
        for _ in range(3):
            text = ask(text)
            wait_until_sent(live, steps=text.count("!"))
        text = first.run({"name": "last"}, answer, text)
        if goes_on:
            wait_until_sent(live, steps=4)
        return text

    live.launch()
    monkeypatch.setattr(Reader, "steps", noted)
    with SetWorkflowID("w"):
        assert research("tides") == "tides!!!!"
    assert_same(live.spans("w"), live.exported("w"))
    # The first is read on its own or, where the workflow does not go on, with its end.
    assert [number for number in read if number > 1] == [2, 3, 4]


async def test_steps_that_are_over_before_the_first_is_are_known_to_be_traced(live: Live) -> None:
    @DBOS.step()
    async def ask(prompt: str) -> str:
        await asyncio.to_thread(wait_until_sent, live, steps=2)
        return answer(prompt)

    @DBOS.step()
    async def note(text: str) -> str:
        return text

    @DBOS.workflow()
    async def research(topic: str) -> str:
        first = asyncio.ensure_future(ask(topic))
        await asyncio.sleep(0)
        return await note(await note(topic)) + await first

    live.launch()
    with SetWorkflowID("w"):
        assert await research("tides") == "tidestides!"
    spans = live.spans("w")
    assert [span.name for span in spans if span.attributes.get(c.UNRECORDED)] == []
    assert_same(spans, live.exported("w"))
    # Of the two, the first vouches for the second.
    assert stored(live.url, "SELECT function_id FROM streams ORDER BY 1") == [(1,), (2,)]


def test_a_row_that_comes_while_attempts_are_read_waits_for_the_next_look(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, looks, tried, over = Reader.attempts, threading.Event(), threading.Event(), threading.Event()

    def slowly(reader: Reader, workflow_id: str, *, first: int = 0) -> object:
        found = read(reader, workflow_id, first=first)
        if first and not looks.is_set():
            looks.set()
            assert over.wait(30)
        return found

    @DBOS.step()
    def note(text: str) -> str:
        assert tried.wait(30)
        return text

    @DBOS.step(retries_allowed=True, interval_seconds=0.01)
    def ask(prompt: str) -> str:
        if not tried.is_set():
            tried.set()
            raise TimeoutError
        assert looks.wait(30)
        return answer(prompt)

    @DBOS.workflow()
    def research(topic: str) -> str:
        noted, context = DBOS.reserve_step(), contextvars.copy_context()
        with ThreadPoolExecutor(1) as threads:
            first = threads.submit(lambda: context.run(lambda: noted.run({"name": "note"}, note, topic)))
            text = ask(topic)
            first.result()
        over.set()
        wait_until_sent(live, steps=2)
        return text

    live.launch()
    monkeypatch.setattr(Reader, "attempts", slowly)
    with SetWorkflowID("w"):
        assert research("tides") == "tides!"
    assert_same(live.spans("w"), live.exported("w"))


def wait_until_sent(live: Live, steps: int) -> None:
    """Wait until the spans of so many steps have come."""
    came = 0
    looked, deadline = threading.Event(), time.monotonic() + 30
    while came < steps and time.monotonic() < deadline:
        looked.wait(0.005)
        came = sum(span.name.startswith("StartActivity:") for span in live.exporter.get_finished_spans())
    assert came == steps
