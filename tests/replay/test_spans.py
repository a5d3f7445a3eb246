"""The trace of a replay: steps named as in the run's trace and linked to it, and the step that diverged."""

from __future__ import annotations

from pathlib import Path

from tests.replay import changed_shops as changed
from tests.replay.shop import Shop
from tracing import conventions as c
from tracing.config import TracingConfig
from tracing.history import History, read, to_spans
from tracing.rendering import render
from tracing.replay import replay, replay_spans
from tracing.spans.model import Span, StatusCode

RECORDED = Path(__file__).parent / "recorded" / "shop.history.json"

SHOWN = (c.REUSED, c.ERROR_TYPE, c.REPLAY_OUTCOME, c.REPLAY_EVENT_ID, c.REPLAY_EXPECTED, c.REPLAY_ACTUAL, c.LLM_CALLS)


async def test_a_span_for_each_step_linked_to_the_runs_own() -> None:
    run_spans = _run_spans()

    root, *steps = replay_spans(await replay(RECORDED, [Shop], replay_id="replay-1"), run_spans, TracingConfig())

    assert (root.attributes[c.REPLAY_WORKFLOW_TASKS], root.attributes[c.LLM_CALLS]) == (8, 0)
    assert [span.name for span in steps] == [
        "StartActivity:reserve",
        "StartActivity:price",
        "Timer",
        "StartChildWorkflow:Shipping",
        "SignalExternalWorkflow:shipped",
        "StartNexusOperation:Translation/translate",
        "RequestCancelExternalWorkflow",
    ]
    by_id = {span.span_id: span for span in run_spans}
    assert [by_id[span.links[0].span_id].name for span in steps] == [span.name for span in steps]
    assert {span.attributes[c.REUSED] for span in steps} == {True}
    assert {span.parent_id for span in steps} == {root.span_id}
    assert [span.attributes[c.CODE_FUNCTION] for span in steps][:2] == ["Steps.reserve", "Steps.price"]
    assert len({span.span_id for span in [root, *steps, *run_spans]}) == 1 + len(steps) + len(run_spans)


async def test_a_step_that_diverged_is_an_error_below_the_replay() -> None:
    result = await replay(RECORDED, [changed.BooksInsteadOfSleeping])

    spans = replay_spans(result, _run_spans(), TracingConfig())

    assert (
        render(spans, shows=lambda key: key in SHOWN, times=False)
        == """\
ReplayWorkflow:Shop INTERNAL ERROR
  durable.llm.calls: 0
  durable.replay.actual: "activity 'book' (ID 3)"
  durable.replay.event_id: 16
  durable.replay.expected: 'timer (ID 1)'
  durable.replay.outcome: 'diverged'
  error.type: 'NondeterminismError'
  * exception
  -> trace 2c35dab0c4123c724689d914267bd654 span 6ffa3e4151b074a6
  StartActivity:reserve CLIENT
    durable.reused: True
    -> trace 2c35dab0c4123c724689d914267bd654 span be3e42fc73ce85ee
  StartActivity:price CLIENT
    durable.reused: True
    -> trace 2c35dab0c4123c724689d914267bd654 span 44b81ea1c260cd23
  StartActivity:book CLIENT ERROR
    durable.replay.actual: "activity 'book' (ID 3)"
    durable.replay.event_id: 16
    durable.replay.expected: 'timer (ID 1)'
    error.type: 'NondeterminismError'
    * exception"""
    )
    diverged = spans[-1]
    assert diverged.status == StatusCode.ERROR
    assert [event.name for event in diverged.events] == ["exception"]
    assert diverged.attributes[c.CODE_FUNCTION] == "BooksInsteadOfSleeping.pause"
    assert Path(str(diverged.attributes[c.CODE_FILE])).name == "changed_shops.py"
    assert diverged.links == ()
    assert diverged.end is not None


async def test_code_that_asks_for_no_step_is_an_error_of_the_replay_alone() -> None:
    result = await replay(RECORDED, [changed.ReturnsEarly])

    [root] = replay_spans(result, _run_spans(), TracingConfig())

    assert (root.attributes[c.REPLAY_EXPECTED], root.attributes[c.REPLAY_ACTUAL]) == (
        "activity 'reserve' (ID 1)",
        "complete workflow",
    )


async def test_what_code_raised_is_content_but_its_class() -> None:
    result = await replay(RECORDED, [changed.RaisesAtTheEnd])

    root = replay_spans(result, _run_spans(), TracingConfig())[0]

    assert root.attributes[c.REPLAY_ACTUAL] == "KeyError"
    assert "order-1" not in root.status_message
    assert not any("order-1" in str(value) for event in root.events for value in event.attributes.values())


def _run_spans() -> list[Span]:
    [history] = read(RECORDED)
    assert isinstance(history, History)
    return to_spans(history, TracingConfig())
