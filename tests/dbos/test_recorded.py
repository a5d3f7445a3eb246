"""What real DBOS 3.4.0 wrote (tests/data/dbos/record.py), as traces."""

from __future__ import annotations

from decimal import Decimal

from tests.cost.writing import compared, written
from tests.dbos.conftest import converted
from tests.rendering import render
from tracing import conventions as c
from tracing.cost import account, compare
from tracing.identity import run_span_id, run_trace_id, step_span_id

SHOWN = {
    c.ACTIVITY_ID,
    c.ERROR_TYPE,
    c.EXCEPTION_TYPE,
    c.LLM_CALLS,
    c.RECOGNISED,
    c.REUSED,
    c.RUN_STATUS,
    c.TARGET_WORKFLOW_ID,
    c.TASK_QUEUE,
    c.TIMER_ID,
    c.UNDECODED,
    c.UNRECORDED,
    c.USAGE_INPUT,
    c.USAGE_OUTPUT,
    c.USAGE_CACHE_READ,
}


def trace(url: str, workflow_id: str) -> str:
    names = {
        f"trace {run_trace_id('research-1'):032x}": "research-1's",
        **{
            f"span {step_span_id('research-1', kind, key):016x}": f"{kind} {key}"
            for kind, key in (
                ("activity", "1"),
                ("activity", "2"),
                ("activity", "4"),
                ("child_workflow", "research-1-3"),
            )
        },
        f"span {run_span_id('research-1'):016x}": "run",
    }
    return render(converted(url, workflow_id).spans, only=SHOWN, times=False, names=names)


def test_a_run_with_a_child_and_a_sleep(recorded: str) -> None:
    assert (
        trace(recorded, "research-1")
        == """\
RunWorkflow:research SERVER
  durable.llm.calls: 2
  temporal.run.status: 'completed'
  StartActivity:ask CLIENT
    durable.llm.calls: 1
    temporalActivityID: '1'
    RunActivity:ask SERVER
      durable.llm.calls: 1
      temporalActivityID: '1'
      chat gpt-4o-2024-08-06 CLIENT
        durable.recognised: 'openai'
        gen_ai.usage.cache_read.input_tokens: 400
        gen_ai.usage.input_tokens: 1000
        gen_ai.usage.output_tokens: 100
        temporalActivityID: '1'
  StartActivity:search CLIENT
    temporalActivityID: '2'
    RunActivity:search SERVER
      durable.unrecorded: True
      temporalActivityID: '2'
  DBOS.getResult INTERNAL
    temporal.target.workflow_id: 'research-1-3'
  StartChildWorkflow:summarise CLIENT
    temporal.target.workflow_id: 'research-1-3'
  Timer INTERNAL
    temporal.timer.id: '5'
  StartActivity:ask CLIENT
    durable.llm.calls: 1
    temporalActivityID: '6'
    RunActivity:ask SERVER
      durable.llm.calls: 1
      temporalActivityID: '6'
      chat gpt-4o-2024-08-06 CLIENT
        durable.recognised: 'openai'
        gen_ai.usage.cache_read.input_tokens: 400
        gen_ai.usage.input_tokens: 1000
        gen_ai.usage.output_tokens: 100
        temporalActivityID: '6'"""
    )


def test_a_fork_from_step_5_reuses_the_steps_before(recorded: str) -> None:
    assert (
        trace(recorded, "research-2")
        == """\
RunWorkflow:research SERVER
  durable.llm.calls: 1
  temporal.run.status: 'completed'
  temporal.task_queue: '_dbos_internal_queue'
  -> research-1's run
  StartActivity:ask CLIENT
    durable.reused: True
    temporalActivityID: '1'
    -> research-1's activity 1
  StartActivity:search CLIENT
    durable.reused: True
    temporalActivityID: '2'
    -> research-1's activity 2
  DBOS.getResult INTERNAL
    durable.reused: True
    temporal.target.workflow_id: 'research-1-3'
    -> research-1's activity 4
  StartChildWorkflow:summarise CLIENT
    durable.reused: True
    temporal.target.workflow_id: 'research-1-3'
    -> research-1's child_workflow research-1-3
  Timer INTERNAL
    temporal.timer.id: '5'
  StartActivity:ask CLIENT
    durable.llm.calls: 1
    temporalActivityID: '6'
    RunActivity:ask SERVER
      durable.llm.calls: 1
      temporalActivityID: '6'
      chat gpt-4o-2024-08-06 CLIENT
        durable.recognised: 'openai'
        gen_ai.usage.cache_read.input_tokens: 400
        gen_ai.usage.input_tokens: 1000
        gen_ai.usage.output_tokens: 100
        temporalActivityID: '6'"""
    )


def test_the_child_is_below_the_step_that_started_it_in_the_same_trace(recorded: str) -> None:
    parent, child = converted(recorded, "research-1"), converted(recorded, "research-1-3")
    [starting] = [span for span in parent.spans if span.name == "StartChildWorkflow:summarise"]
    run = child.spans[0]
    assert (run.name, run.trace_id, run.parent_id) == ("RunWorkflow:summarise", starting.trace_id, starting.span_id)
    assert starting.span_id == step_span_id("research-1", "child_workflow", "research-1-3")


def test_all_that_began_in_one_workflow_is_one_session(recorded: str) -> None:
    for workflow_id in ("research-1", "research-1-3", "research-2"):
        sessions = {span.attributes[c.SESSION_ID] for span in converted(recorded, workflow_id).spans}
        assert sessions == {"research-1"}


def test_every_span_says_whose_it_is(recorded: str) -> None:
    for span in converted(recorded, "research-2").spans:
        assert (span.attributes[c.ENGINE], span.attributes[c.RUN_ID]) == ("dbos", "research-2")
        assert span.attributes[c.WORKFLOW_ID] == "research-2"
        assert c.NAMESPACE not in span.attributes
        assert span.resource == {"service.name": "researcher"}


def test_a_run_that_failed(recorded: str) -> None:
    assert (
        trace(recorded, "fail-1")
        == """\
RunWorkflow:fail SERVER ERROR
  error.type: 'LookupError'
  temporal.run.status: 'failed'
  * exception
    exception.type: 'LookupError'
  StartActivity:find_paper CLIENT ERROR
    error.type: 'LookupError'
    temporalActivityID: '1'
    * exception
      exception.type: 'LookupError'
    RunActivity:find_paper SERVER ERROR
      durable.unrecorded: True
      error.type: 'LookupError'
      temporalActivityID: '1'
      * exception
        exception.type: 'LookupError'"""
    )


def test_content_is_shown_where_it_is_captured_and_decoded(recorded: str) -> None:
    def content(workflow_id: str) -> tuple[object, object]:
        told = converted(recorded, workflow_id, content=True).spans[0].attributes
        return told[c.INPUT_VALUE], told[c.OUTPUT_VALUE]

    assert content("research-1") == ('{"namedArgs":{},"positionalArgs":["tides"]}', "answer!")
    assert content("pickled-1") == ("<encoded>", "<encoded>")
    assert c.INPUT_VALUE not in converted(recorded, "research-1").spans[0].attributes


def test_pickles_are_counted_not_read(recorded: str) -> None:
    pickled = converted(recorded, "pickled-1")
    assert (pickled.undecoded, pickled.spans[0].attributes[c.UNDECODED]) == (2, 2)
    assert converted(recorded, "research-1").undecoded == 0


def test_costs_of_a_run_are_those_of_its_outputs(recorded: str) -> None:
    # gpt-4o: 600 fresh tokens at 2.5 USD a million, 400 cached at 1.25, 100 out at 10.
    assert (
        written(account(converted(recorded, "research-1").spans))
        == """\
activity:1 ask: #? [gpt-4o-2024-08-06], 1 calls, 1000+100 tokens, 0.003 USD, waste 0 USD
activity:2 search: #? [] unrecorded, 0 calls, 0+0 tokens, unknown, waste 0 USD
activity:6 ask: #? [gpt-4o-2024-08-06], 1 calls, 1000+100 tokens, 0.003 USD, waste 0 USD
= 2 calls, 2000+200 tokens, ≥ 0.006 USD, waste 0 USD, 1 unknown attempts"""
    )


def test_a_run_against_its_fork(recorded: str) -> None:
    comparison = compare(*(account(converted(recorded, name).spans) for name in ("research-1", "research-2")))
    assert compared(comparison) == "activity:1 ask reused\nactivity:2 search reused\nactivity:6 ask executed"
    assert (comparison.saved.known, comparison.saved.at_least) == (Decimal("0.003"), True)
    assert comparison.recoveries == ()
    assert comparison.counterfactual == comparison.first.amount
