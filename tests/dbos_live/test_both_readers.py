"""Each way in which DBOS runs something, live and from its database: the same spans."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from dbos import (
    DBOS,
    DBOSConfiguredInstance,
    PropagateOtelContext,
    SetWorkflowAttributes,
    SetWorkflowID,
)
from opentelemetry import trace

from tests.dbos_live.conftest import assert_same, short, tree
from tracing import conventions as c
from tracing import llm_call, session, session_attributes
from tracing.cost import account
from tracing.identity import run_span_id, run_trace_id

if TYPE_CHECKING:
    from tests.dbos_live.conftest import Live

pytestmark = pytest.mark.slow


def answer(prompt: str) -> str:
    """A model call, as any step may make it."""
    with llm_call(model="gpt-4o", provider="openai") as call:
        call.usage(input_tokens=1_000, output_tokens=100)
    return f"{prompt}!"


def test_failed_attempts_are_in_the_database_with_what_they_spent(live: Live) -> None:
    tries: list[str] = []

    @DBOS.step(retries_allowed=True, max_attempts=3, interval_seconds=0.01)
    def ask(prompt: str) -> str:
        tries.append(prompt)
        said = answer(prompt)
        if len(tries) < 3:
            raise TimeoutError("too slow")
        return said

    @DBOS.step()
    def note(text: str) -> str:
        return text

    @DBOS.workflow()
    def research(topic: str) -> str:
        return note(ask(topic))

    live.launch()
    with SetWorkflowID("w"):
        assert research("tides") == "tides!"
    assert (
        tree(live.exported("w"))
        == """
RunWorkflow:research SERVER
  durable.llm.calls: 1
  temporal.attempt: 1
  StartActivity:ask CLIENT
    durable.llm.calls: 1
    temporal.attempts: 3
    RunActivity:ask SERVER ERROR 'too slow'
      durable.llm.calls: 1
      error.type: 'TimeoutError'
      temporal.attempt: 1
      * exception
      chat gpt-4o CLIENT
    RunActivity:ask SERVER ERROR 'too slow'
      durable.llm.calls: 1
      error.type: 'TimeoutError'
      temporal.attempt: 2
      * exception
      chat gpt-4o CLIENT
    RunActivity:ask SERVER
      durable.llm.calls: 1
      temporal.attempt: 3
      chat gpt-4o CLIENT
  StartActivity:note CLIENT
    RunActivity:note SERVER
      temporal.attempt: 1
"""
    )
    assert_same(live.spans("w"), live.exported("w"))
    spent = account(live.exported("w"))
    assert (spent.usage.calls, spent.unknown_attempts) == (3, 0)
    assert [len(step.attempts) for step in spent.steps] == [3, 1]


def test_a_step_that_fails_for_good(live: Live) -> None:
    @DBOS.step(retries_allowed=True, max_attempts=2, interval_seconds=0.01)
    def ask(prompt: str) -> str:
        answer(prompt)
        raise LookupError("no such model")

    @DBOS.workflow()
    def research(topic: str) -> str:
        return ask(topic)

    live.launch()
    with SetWorkflowID("w"), pytest.raises(Exception, match="ask"):
        research("tides")
    spans = live.spans("w")
    failed = [span for span in spans if c.ERROR_TYPE in span.attributes]
    assert [(short(span.name), span.attributes[c.ERROR_TYPE]) for span in failed] == [
        ("RunActivity:ask", "LookupError"),
        ("RunActivity:ask", "LookupError"),
        ("StartActivity:ask", "DBOSMaxStepRetriesExceeded"),
        ("RunWorkflow:research", "DBOSMaxStepRetriesExceeded"),
    ]
    assert_same(spans, live.exported("w"))


class UnspeakableError(Exception):
    """Its message cannot be had."""

    def __str__(self) -> str:
        raise ValueError


def test_a_step_fails_whatever_its_exception_says(live: Live) -> None:
    @DBOS.step()
    def ask(prompt: str) -> str:
        answer(prompt)
        raise UnspeakableError

    @DBOS.workflow()
    def research(topic: str) -> str:
        try:
            return ask(topic)
        except UnspeakableError:
            return "unknown"

    live.launch(pickles=True)  # as JSON, DBOS cannot store it either
    with SetWorkflowID("w"):
        assert research("tides") == "unknown"
    spans = live.spans("w")
    [attempt] = [span for span in spans if short(span.name) == "RunActivity:ask"]
    assert attempt.attributes[c.ERROR_TYPE] == "UnspeakableError"
    assert_same(spans, live.exported("w"))


async def test_steps_at_the_same_time_and_without_async_in_async_workflows(live: Live) -> None:
    @DBOS.step()
    async def ask(prompt: str) -> str:
        await asyncio.sleep(0)
        return answer(prompt)

    @DBOS.step()
    def ask_now(prompt: str) -> str:
        return answer(prompt)

    @DBOS.workflow()
    async def research(topic: str) -> list[str]:
        return [*await asyncio.gather(ask(f"{topic} 1"), ask(f"{topic} 2")), ask_now(topic)]

    live.launch()
    with SetWorkflowID("w"):
        assert await research("tides") == ["tides 1!", "tides 2!", "tides!"]
    spans = live.spans("w")
    assert sum(span.name == "chat gpt-4o" for span in spans) == 3
    assert_same(spans, live.exported("w"))


def test_children_timers_queues_and_steps_run_in_other_ways(live: Live) -> None:
    @DBOS.step()
    def ask(prompt: str) -> str:
        return answer(prompt)

    @DBOS.workflow()
    def summarise(text: str) -> str:
        return ask(text)

    @DBOS.workflow()
    def research(topic: str) -> str:
        said = DBOS.run_step({"name": "ask_directly"}, answer, topic)
        DBOS.set_event("progress", 1)
        DBOS.sleep(0.01)
        reserved = DBOS.reserve_step()
        said = reserved.run(None, ask, said)
        return DBOS.start_workflow(summarise, said).get_result()

    live.launch()
    DBOS.register_queue("researchers", polling_interval_sec=0.05)
    with SetWorkflowID("w"):
        assert DBOS.enqueue_workflow("researchers", research, "tides").get_result() == "tides!!!"
    for workflow_id in ("w", "w-5"):
        assert_same(live.spans(workflow_id), live.exported(workflow_id))
    assert (
        tree([*live.exported("w"), *live.exported("w-5")])
        == """
RunWorkflow:research SERVER
  durable.llm.calls: 2
  temporal.attempt: 1
  StartActivity:ask_directly CLIENT
    durable.llm.calls: 1
    temporal.attempts: 1
    RunActivity:ask_directly SERVER
      durable.llm.calls: 1
      temporal.attempt: 1
      chat gpt-4o CLIENT
  DBOS.setEvent INTERNAL
  Timer INTERNAL
  StartActivity:ask CLIENT
    durable.llm.calls: 1
    temporal.attempts: 1
    RunActivity:ask SERVER
      durable.llm.calls: 1
      temporal.attempt: 1
      chat gpt-4o CLIENT
  StartChildWorkflow:summarise CLIENT
    RunWorkflow:summarise SERVER
      durable.llm.calls: 1
      temporal.attempt: 1
      StartActivity:ask CLIENT
        durable.llm.calls: 1
        temporal.attempts: 1
        RunActivity:ask SERVER
          durable.llm.calls: 1
          temporal.attempt: 1
          chat gpt-4o CLIENT
  DBOS.getResult INTERNAL
"""
    )


def test_a_step_started_alone_is_a_workflow(live: Live) -> None:
    @DBOS.step()
    def ask(prompt: str) -> str:
        return answer(prompt)

    live.launch()
    with SetWorkflowID("w"):
        assert DBOS.start_workflow(ask, "tides").get_result() == "tides!"
    spans = live.spans("w")
    assert [short(span.name) for span in spans if span.parent_id is None] == ["RunWorkflow:<temp>.ask"]
    assert_same(spans, live.exported("w"))


def test_answers_of_clients_that_nobody_instruments_are_recognised(live: Live) -> None:
    @DBOS.step()
    def ask(prompt: str) -> dict[str, Any]:
        return {
            "id": f"chatcmpl-{prompt}",
            "object": "chat.completion",
            "model": "gpt-4o-2024-08-06",
            "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "yes"}}],
            "usage": {"prompt_tokens": 1_000, "completion_tokens": 100, "total_tokens": 1_100},
        }

    @DBOS.step()
    def keep(completion: dict[str, Any]) -> dict[str, Any]:
        return completion

    @DBOS.workflow()
    def research(topic: str) -> str:
        return str(keep(ask(topic))["id"])

    live.launch()
    with SetWorkflowID("w"):
        research("tides")
    assert_same(live.spans("w"), live.exported("w"))
    assert account(live.spans("w")).usage.calls == 1


def test_methods_and_costs_where_results_are_pickles(live: Live) -> None:
    @DBOS.dbos_class()
    class Agent(DBOSConfiguredInstance):
        @DBOS.workflow()
        def research(self, topic: str) -> str:
            return self.ask(topic)

        @DBOS.step()
        def ask(self, prompt: str) -> str:
            return answer(prompt)

    agent = Agent("agent")
    live.launch(pickles=True)
    with SetWorkflowID("w"):
        assert agent.research("tides") == "tides!"
    assert_same(live.spans("w"), live.exported("w"))
    spent = account(live.exported("w"))
    assert (spent.usage.calls, spent.usage.input_tokens, spent.unknown_attempts) == (1, 1_000, 0)


def test_session_user_and_the_callers_span(live: Live) -> None:
    @DBOS.step()
    def ask(prompt: str) -> str:
        return answer(prompt)

    @DBOS.workflow()
    def summarise(text: str) -> str:
        return ask(text)

    @DBOS.workflow()
    def research(topic: str) -> str:
        return summarise(topic)

    live.launch()
    request = trace.SpanContext(0xABC, 0xDEF, is_remote=False, trace_flags=trace.TraceFlags(1))
    with (
        session(id="chat-17", user="ada", tags=["beta"], environment="staging"),
        SetWorkflowAttributes({**session_attributes(), "customer": "acme"}),
        PropagateOtelContext(trace.set_span_in_context(trace.NonRecordingSpan(request))),
        SetWorkflowID("w"),
    ):
        research("tides")
    spans = [*live.spans("w"), *live.spans("w-1")]
    assert {span.trace_id for span in spans} == {0xABC}
    [run] = [span for span in spans if span.span_id == run_span_id("w")]
    assert run.parent_id == 0xDEF
    for span in spans:
        told = span.attributes
        assert (told[c.SESSION_ID], told[c.USER_ID], told[c.TAGS]) == ("chat-17", "ada", ("beta",))
        assert told[c.ENVIRONMENT] == "staging"
    for workflow_id in ("w", "w-1"):
        assert_same(live.spans(workflow_id), live.exported(workflow_id))


def test_spans_of_workflow_code_are_below_its_run(live: Live) -> None:
    seen: list[trace.SpanContext] = []

    @DBOS.workflow()
    def research(topic: str) -> str:
        seen.append(trace.get_current_span().get_span_context())
        return topic

    live.launch()
    with SetWorkflowID("w"):
        research("tides")
    assert [(each.trace_id, each.span_id) for each in seen] == [(run_trace_id("w"), run_span_id("w"))]
