"""The queries that a run answers: they are no part of its history."""

from __future__ import annotations

from tests.live.workflows.steps.commands import answer_query, complete, fail_query, schedule
from tests.live.workflows.steps.jobs import completed, query
from tests.live.workflows.steps.payloads import TRACEPARENT
from tests.live.workflows.steps.worker import ON, Worker
from tests.rendering import render
from tracing.config import TracingConfig
from tracing.headers import TraceHeader
from tracing.live.workflows.steps.following import Following
from tracing.live.workflows.steps.queries import Queries
from tracing.runs import Run
from tracing.spans.model import Link, Span, SpanKind

RUN = Run("default", "research-1", "run-1", "Research", trace_id=1)


def followed(config: TracingConfig = ON) -> tuple[Queries, list[Span]]:
    """Queries whose clock goes on by 1 s with each look, and the spans they make."""
    spans: list[Span] = []
    seconds = iter(range(100))
    clock = lambda: next(seconds) * 1_000_000_000  # noqa: E731 - a clock
    return Queries(Following(config, RUN, "test"), spans.append, clock, lambda: 0xABC), spans


def test_one_is_a_whole_span() -> None:
    queries, spans = followed()
    queries.receive(query(header=TraceHeader(traceparent=TRACEPARENT).encode()).query_workflow)
    queries.respond(answer_query().respond_to_query)
    assert spans == [
        Span(
            trace_id=1,
            span_id=0xABC,
            parent_id=RUN.span_id,
            name="HandleQuery:progress",
            kind=SpanKind.SERVER,
            start=0,
            end=1_000_000_000,
            attributes={
                "temporalWorkflowID": "research-1",
                "temporalRunID": "run-1",
                "temporal.namespace": "default",
                "temporal.workflow.type": "Research",
                "session.id": "research-1",
                "gen_ai.conversation.id": "research-1",
                "openinference.span.kind": "CHAIN",
                "temporal.query.name": "progress",
                "input.value": "how far?",
                "input.mime_type": "text/plain",
                "output.value": "half done",
                "output.mime_type": "text/plain",
            },
            links=(Link(0x11111111111111111111111111111111, 0x2222222222222222),),
        )
    ]


def test_one_that_fails() -> None:
    queries, spans = followed()
    queries.receive(query().query_workflow)
    queries.respond(fail_query().respond_to_query)
    assert (
        f"\n{render(spans, only={'error.type', 'output.value'}, times=False)}\n"
        == f"""
HandleQuery:progress SERVER ERROR 'no such key' (parent {RUN.span_id:016x})
  error.type: 'KeyError'
  output.value: 'null'
  * exception
"""
    )


def test_what_temporals_own_tools_ask_has_no_span() -> None:
    queries, spans = followed()
    for name in ("__stack_trace", "__enhanced_stack_trace", "__temporal_workflow_metadata"):
        queries.receive(query(name).query_workflow)
        queries.respond(answer_query().respond_to_query)
    assert spans == []


class TestActivationsOfQueriesAlone:
    """They come between workflow tasks, with the length of the last one's history, and again at any time."""

    def test_they_release_and_hold_nothing_and_their_spans_go_at_once(self) -> None:
        worker = Worker()
        worker.task(commands=[schedule(1)])
        worker.task(query(), commands=[answer_query()], same_task=True)
        assert (worker.held.begun, worker.held.may_idle) == ([5], [True])
        assert [span.name for span in worker.held.put_at_once] == ["HandleQuery:progress"]

    def test_they_repeat_no_span_of_the_task_before(self) -> None:
        worker = Worker()
        worker.task(commands=[schedule(1)])
        worker.task(completed(1))
        worker.task(query(), commands=[answer_query()], same_task=True)
        worker.task(query(), commands=[answer_query()], same_task=True)
        assert [span.name for span in worker.held.spans] == ["StartActivity:call_llm"]

    def test_they_do_not_move_workflow_time(self) -> None:
        worker = Worker()
        worker.task(commands=[schedule(1)], ms=10)
        worker.task(query(), commands=[answer_query()], ms=15, same_task=True)
        worker.task(commands=[complete()], ms=20)
        assert (
            worker.trace()
            == """
RunWorkflow:Research SERVER 0..20 ms
  StartActivity:call_llm CLIENT 10..20 ms
"""
        )

    def test_they_are_answered_on_a_worker_that_had_to_replay_the_run_for_them(self) -> None:
        worker = Worker()
        worker.task(commands=[schedule(1)], replaying=True)
        worker.task(query(), commands=[answer_query()], same_task=True)
        assert (worker.held.spans, [span.name for span in worker.held.put_at_once]) == ([], ["HandleQuery:progress"])


def test_a_query_beside_other_jobs_has_a_span() -> None:
    worker = Worker()
    worker.task(commands=[schedule(1)])
    worker.task(completed(1), query(), commands=[answer_query()])
    assert [span.name for span in worker.held.spans] == ["StartActivity:call_llm"]
    assert [span.name for span in worker.held.put_at_once] == ["HandleQuery:progress"]


def test_an_unsampled_run_has_none() -> None:
    worker = Worker(header=TraceHeader(traceparent=f"{TRACEPARENT[:-2]}00"))
    worker.task(query(), commands=[answer_query()])
    assert worker.held.put_at_once == []
