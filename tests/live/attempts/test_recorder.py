"""What happens to the spans inside an attempt: identity, price, content, and the ledger's record of them."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
import math
from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import msgspec
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, DEFAULT_ON, ParentBased, TraceIdRatioBased
from opentelemetry.trace import Status, StatusCode

from tests.live.attempts.attempts import ATTEMPT_SPAN, COMMON, INNER, STEP_SPAN, WorkerAttempt
from tracing import agent, llm_call, tool
from tracing.config import TracingConfig
from tracing.headers import SpanReference, TraceHeader
from tracing.live.attempts import recorder as recorder_module
from tracing.live.attempts.recorder import AttemptSampler, prepare_provider
from tracing.redaction import redactors
from tracing.spans.inner import ledger_usage
from tracing.spans.model import Event

if TYPE_CHECKING:
    from pathlib import Path

    from opentelemetry.sdk.trace.sampling import Sampler

    from tracing.runs import Attributes

ON = TracingConfig(capture_content=True)
MESSAGES = '[{"role":"user","parts":[{"type":"text","content":"mail ada@example.com"}]}]'
CALL: Attributes = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.usage.input_tokens": 101,
    "gen_ai.usage.output_tokens": 53,
}


SECRET = "sk-proj-abcdef1234567890abcdef"


def instrumented_call(attempt: WorkerAttempt) -> None:
    """What an instrumentation of a model client does that knows nothing of us."""
    tracer = attempt.provider.get_tracer("opentelemetry.instrumentation.openai")
    with tracer.start_as_current_span("chat gpt-4o", kind=trace.SpanKind.CLIENT) as span:
        span.set_attributes({**CALL, "gen_ai.input.messages": MESSAGES, "http.retries": (1, 2)})
        span.record_exception(ValueError("mail ada@example.com"))
        span.set_status(Status(StatusCode.ERROR, "mail ada@example.com"))


class TestAnInstrumentedCall:
    def test_gets_identity_and_price_and_keeps_its_content_where_that_is_on(self) -> None:
        attempt = WorkerAttempt(ON)
        with attempt.inside():
            instrumented_call(attempt)
        span = attempt.only()
        assert (span.parent_id, span.scope, span.status_message) == (
            ATTEMPT_SPAN,
            "opentelemetry.instrumentation.openai",
            "mail ada@example.com",
        )
        assert span.attributes == INNER | CALL | {
            "gen_ai.input.messages": MESSAGES,
            "http.retries": ("1", "2"),
            "durable.cost.usd": 0.0007825,
            "durable.cost.input_usd": 0.0002525,
            "durable.cost.output_usd": 0.00053,
            "durable.cost.source": "genai-prices 0.2.3",
            "langfuse.observation.cost_details": '{"input":0.0002525,"output":0.00053,"total":0.0007825}',
            "langfuse.observation.usage_details": '{"input":101,"output":53,"total":154}',
            "input.value": '{"messages":[{"role":"user","content":"mail ada@example.com"}]}',
            "input.mime_type": "application/json",
            "output.value": "null",
            "output.mime_type": "application/json",
        }
        [event] = span.events
        assert (event.attributes["exception.type"], event.attributes["exception.message"]) == (
            "ValueError",
            "mail ada@example.com",
        )

    def test_loses_its_content_where_that_is_off(self) -> None:
        attempt = WorkerAttempt()
        with attempt.inside():
            instrumented_call(attempt)
        span = attempt.only()
        assert "ada@example.com" not in repr(span)
        assert span.attributes == INNER | CALL | {
            "http.retries": ("1", "2"),
            "durable.cost.usd": 0.0007825,
            "durable.cost.input_usd": 0.0002525,
            "durable.cost.output_usd": 0.00053,
            "durable.cost.source": "genai-prices 0.2.3",
            "langfuse.observation.cost_details": '{"input":0.0002525,"output":0.00053,"total":0.0007825}',
            "langfuse.observation.usage_details": '{"input":101,"output":53,"total":154}',
        }
        assert (span.status.name, span.status_message) == ("ERROR", "")
        assert span.events == (
            Event("exception", span.events[0].time, {"exception.type": "ValueError", "exception.escaped": "False"}),
        )

    def test_is_seen_by_the_redactor_everywhere(self) -> None:
        config = TracingConfig(capture_content=True, redact=lambda _, text: text.replace("ada@example.com", "[mail]"))
        attempt = WorkerAttempt(config)
        with attempt.inside():
            instrumented_call(attempt)
        assert "ada@example.com" not in repr(attempt.only())
        assert b"ada@example.com" not in msgspec.json.encode(attempt.ledger())
        assert attempt.only().status_message == "mail [mail]"

    def test_keeps_the_types_of_what_is_not_ours(self) -> None:
        attempt = WorkerAttempt(ON)
        with attempt.inside():
            instrumented_call(attempt)
        [sdk_span] = attempt._exporter.get_finished_spans()
        assert sdk_span.attributes
        assert sdk_span.attributes["http.retries"] == (1, 2)

    @pytest.mark.parametrize(
        ("given", "told"),
        [
            pytest.param(
                [{"role": "user", "content": SECRET}], '[{"role":"user","content":"[redacted: api key]"}]', id="nested"
            ),
            pytest.param({"a": SECRET.encode(), "n": 1}, '{"a":"b\'[redacted: api key]\'","n":1}', id="bytes inside"),
            pytest.param(SECRET.encode(), "b'[redacted: api key]'", id="bytes"),
            pytest.param([SECRET, 1, None], ("[redacted: api key]", "1", "None"), id="mixed"),
            pytest.param({"n": (1, 2)}, {"n": [1, 2]}, id="nested, nothing secret"),
            pytest.param(b"plain", b"plain", id="bytes, nothing secret"),
            pytest.param([1, None], (1, None), id="mixed, nothing secret"),
        ],
    )
    def test_is_redacted_whatever_the_type_of_its_attributes(self, given: Any, told: Any) -> None:
        attempt = WorkerAttempt(TracingConfig(capture_content=True, redact=redactors("all")))
        with attempt.inside(), attempt.provider.get_tracer("app").start_as_current_span("ask") as span:
            span.set_attribute("gen_ai.input.messages", given)
        [sdk_span] = attempt._exporter.get_finished_spans()
        assert sdk_span.attributes
        assert sdk_span.attributes["gen_ai.input.messages"] == told
        assert SECRET.encode() not in msgspec.json.encode(attempt.ledger())

    def test_says_nothing_where_it_cannot_be_found_out_what_it_may_say(
        self, monkeypatch: pytest.MonkeyPatch, tracing_log: list[str]
    ) -> None:
        monkeypatch.setattr("tracing.live.attempts.recorder.shown", Mock(side_effect=RecursionError))
        attempt = WorkerAttempt()
        with attempt.inside():
            instrumented_call(attempt)
        span = attempt.only()
        assert (span.attributes, span.status_message, span.events) == (INNER, "", ())
        assert len(tracing_log) == 1

    @pytest.mark.parametrize("config", [ON, TracingConfig()], ids=["content on", "content off"])
    def test_is_in_the_ledger_as_it_was_exported(self, config: TracingConfig) -> None:
        attempt = WorkerAttempt(config)
        with attempt.inside():
            instrumented_call(attempt)
        span = attempt.only()
        [recorded] = attempt.ledger().spans
        kept = {"gen_ai.input.messages": MESSAGES} if config.capture_content else {}
        assert (recorded.span_id, recorded.parent_id, recorded.name, recorded.kind) == (
            f"{span.span_id:016x}",
            "",
            "chat gpt-4o",
            3,
        )
        assert (recorded.start, recorded.end, recorded.status, recorded.status_message) == (
            span.start,
            span.end,
            2,
            span.status_message,
        )
        assert recorded.attributes == CALL | kept | {
            "durable.cost.usd": 0.0007825,
            "durable.cost.input_usd": 0.0002525,
            "durable.cost.output_usd": 0.00053,
            "durable.cost.source": "genai-prices 0.2.3",
        }


@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_a_number_that_json_does_not_have_is_left_out_of_the_ledger(number: float) -> None:
    attempt = WorkerAttempt()
    with attempt.inside(), attempt.provider.get_tracer("evals").start_as_current_span("evaluate") as span:
        span.set_attributes({**CALL, "gen_ai.evaluation.score.value": number})
        span.add_event("gen_ai.evaluation.result", {"gen_ai.evaluation.score.value": number})
    [recorded] = attempt.ledger().spans
    assert recorded.attributes["gen_ai.usage.input_tokens"] == 101
    assert "gen_ai.evaluation.score.value" not in recorded.attributes
    assert recorded.events[0].attributes == {}


def test_spans_inside_spans_keep_their_parents() -> None:
    attempt = WorkerAttempt()
    tracer = attempt.provider.get_tracer("app")
    with attempt.inside(), tracer.start_as_current_span("outer") as outer, tracer.start_as_current_span("inner"):
        outer_id = f"{outer.get_span_context().span_id:016x}"
    assert [(span.name, span.parent_id) for span in attempt.ledger().spans] == [("inner", outer_id), ("outer", "")]


def test_a_span_in_another_thread_is_inside_where_its_context_came_along() -> None:
    attempt = WorkerAttempt()
    with attempt.inside(), concurrent.futures.ThreadPoolExecutor(1) as threads:
        threads.submit(contextvars.copy_context().run, instrumented_call, attempt).result()
        threads.submit(instrumented_call, attempt).result()
    assert len(attempt.ledger().spans) == 1
    assert [span.attributes.get("temporalActivityID") for span in attempt.exported()] == ["1", None]


def test_a_span_outside_of_attempts_is_left_alone() -> None:
    attempt = WorkerAttempt()
    instrumented_call(attempt)
    assert attempt.only().attributes == CALL | {"gen_ai.input.messages": MESSAGES, "http.retries": ("1", "2")}
    assert attempt.ledger().spans == []


def test_a_span_that_has_another_runs_identity_keeps_it() -> None:
    attempt = WorkerAttempt()
    with (
        attempt.inside(),
        attempt.provider.get_tracer("app").start_as_current_span(
            "StartWorkflow:Report", attributes={"temporalWorkflowID": "report-1"}
        ),
    ):
        pass
    assert attempt.only().attributes == INNER | {"temporalWorkflowID": "report-1"}


def test_an_attempt_records_a_limited_number_of_spans(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder_module, "MAX_SPANS", 2)
    attempt = WorkerAttempt()
    with attempt.inside():
        for _ in range(5):
            instrumented_call(attempt)
    assert len(attempt.exported()) == 5
    assert (len(attempt.ledger().spans), attempt.ledger().cut) == (2, 3)


def test_the_usage_of_calls_beyond_that_number_counts_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder_module, "MAX_SPANS", 2)
    attempt = WorkerAttempt()
    with attempt.inside():
        for _ in range(5):
            instrumented_call(attempt)
    usage = ledger_usage(attempt.ledger())
    assert (usage.calls, usage.input_tokens, usage.output_tokens, usage.cost) == (5, 505, 265, Decimal("0.0039125"))
    attempt.attempt.close(None)
    [span] = attempt.let_go
    assert (span.attributes["durable.llm.calls"], span.attributes["durable.llm.cost"]) == (5, 0.0039125)


class TestAnAgentLoop:
    """An agent inside one activity: its usage is that of all calls, wherever they were made."""

    @staticmethod
    def call() -> None:
        with llm_call(model="gpt-4o", provider="openai") as call:
            call.usage(input_tokens=101, output_tokens=53)

    async def test_of_threads_and_agents_within_agents(self) -> None:
        @tool
        async def research() -> None:
            """Research."""
            await asyncio.to_thread(self.call)

        @agent("helper")
        async def delegate() -> None:
            self.call()
            await research()

        @agent("lead")
        async def lead() -> None:
            self.call()
            await asyncio.gather(delegate(), delegate())
            with concurrent.futures.ThreadPoolExecutor(2) as threads:
                contexts = [contextvars.copy_context() for _ in range(2)]
                for _ in threads.map(lambda context: context.run(self.call), contexts):
                    pass

        attempt = WorkerAttempt()
        with attempt.inside():
            await lead()
        by_id = {span.span_id: span for span in attempt.exported()}
        parents = Counter(
            (span.name, by_id[span.parent_id].name if span.parent_id in by_id else "") for span in by_id.values()
        )
        assert parents == {
            ("invoke_agent lead", ""): 1,
            ("chat gpt-4o", "invoke_agent lead"): 3,
            ("invoke_agent helper", "invoke_agent lead"): 2,
            ("chat gpt-4o", "invoke_agent helper"): 2,
            ("execute_tool research", "invoke_agent helper"): 2,
            ("chat gpt-4o", "execute_tool research"): 2,
        }
        usage = ledger_usage(attempt.ledger())
        assert (usage.calls, usage.input_tokens, usage.output_tokens) == (7, 707, 371)


def test_content_by_older_conventions_is_withheld_as_well() -> None:
    attempt = WorkerAttempt()
    with attempt.inside(), attempt.provider.get_tracer("app").start_as_current_span("chat") as span:
        span.set_attributes(
            {
                "gen_ai.prompt.0.content": "mail ada@example.com",
                "gen_ai.prompt.variable.to": "ada@example.com",
                "gen_ai.completion.0.content": "mailed ada@example.com",
                "gen_ai.prompt.name": "mailer",
                "gen_ai.prompt.version": "3",
            }
        )
    assert "ada@example.com" not in repr(attempt.only())
    assert b"ada@example.com" not in msgspec.json.encode(attempt.ledger())
    assert attempt.only().attributes["gen_ai.prompt.name"] == "mailer"


def test_prices_of_the_users_own_go_first(tmp_path: Path) -> None:
    prices = tmp_path / "prices.json"
    prices.write_text('{"prices": [{"name": "ours", "model": "gpt-4o", "input": 1, "output": 2}]}')
    attempt = WorkerAttempt(TracingConfig(prices=str(prices)))
    with attempt.inside():
        instrumented_call(attempt)
    attributes = attempt.only().attributes
    assert attributes["durable.cost.usd"] == 0.000207
    assert str(attributes["durable.cost.source"]).startswith("override:prices.json#ours@sha256:")
    assert str(tmp_path) not in repr(attributes)


SAMPLERS = [
    pytest.param(ALWAYS_OFF, id="always off"),
    pytest.param(ParentBased(ALWAYS_OFF), id="parent based, off"),
    pytest.param(TraceIdRatioBased(0.0), id="ratio of 0"),
]


class TestSampling:
    @pytest.mark.parametrize("sampler", SAMPLERS)
    def test_a_span_that_is_not_sampled_is_in_the_ledger_all_the_same(self, sampler: Sampler) -> None:
        attempt = WorkerAttempt(sampler=sampler, sampled=False)
        with attempt.inside():
            instrumented_call(attempt)
        assert attempt.exported() == []
        [recorded] = attempt.ledger().spans
        assert recorded.attributes["gen_ai.usage.input_tokens"] == 101

    @pytest.mark.parametrize("sampler", SAMPLERS)
    def test_outside_of_attempts_the_sampler_decides_alone(self, sampler: Sampler) -> None:
        attempt = WorkerAttempt(sampler=sampler)
        with attempt.provider.get_tracer("app").start_as_current_span("request") as span:
            assert not span.is_recording()
        assert attempt.exported() == []

    @pytest.mark.parametrize("sampled", [True, False])
    @pytest.mark.parametrize(
        "sampler",
        [
            pytest.param(DEFAULT_ON, id="parent based"),
            pytest.param(ALWAYS_ON, id="always on"),
            pytest.param(TraceIdRatioBased(1.0), id="ratio of 1"),
        ],
    )
    def test_the_runs_decision_reaches_the_spans_inside(self, sampler: Sampler, *, sampled: bool) -> None:
        parent = SpanReference(7, STEP_SPAN, sampled)
        attempt = WorkerAttempt(sampler=sampler, header=TraceHeader(traceparent=str(parent)))
        with attempt.inside():
            instrumented_call(attempt)
        assert [(span.trace_id, span.parent_id) for span in attempt.exported()] == ([(7, ATTEMPT_SPAN)] * sampled)

    def test_by_the_trace_id_of_a_continued_run_nothing_is_decided_anew(self) -> None:
        attempt = WorkerAttempt(sampler=TraceIdRatioBased(0.0), header=TraceHeader(sampled=True))
        with attempt.inside():
            instrumented_call(attempt)
        assert [span.name for span in attempt.exported()] == ["chat gpt-4o"]

    def test_what_it_says_of_itself(self) -> None:
        assert AttemptSampler(ALWAYS_ON).get_description() == "AttemptSampler{AlwaysOnSampler}"


def test_a_provider_is_prepared_once() -> None:
    provider = TracerProvider(sampler=ALWAYS_ON, shutdown_on_exit=False)
    for _ in range(3):
        prepare_provider(provider)
    assert provider.sampler.get_description() == "AttemptSampler{AlwaysOnSampler}"


def test_tracers_that_exist_before_are_prepared_too() -> None:
    provider = TracerProvider(sampler=ALWAYS_OFF, shutdown_on_exit=False)
    early = provider.get_tracer("opentelemetry.instrumentation.openai")
    prepare_provider(provider)
    attempt = WorkerAttempt(sampled=False)
    with attempt.inside():
        early.start_span("chat gpt-4o").end()
    assert [span.name for span in attempt.ledger().spans] == ["chat gpt-4o"]


def test_a_provider_that_is_not_the_sdks_is_left_alone() -> None:
    prepare_provider(trace.NoOpTracerProvider())


def test_the_runs_session_is_on_every_span() -> None:
    attempt = WorkerAttempt(header=TraceHeader(session="chat-17", user="ada", tags=("beta",)))
    with attempt.inside():
        instrumented_call(attempt)
    attributes = attempt.only().attributes
    assert {key: attributes[key] for key in COMMON} == COMMON | {
        "session.id": "chat-17",
        "gen_ai.conversation.id": "chat-17",
    }
    assert (attributes["user.id"], attributes["tag.tags"]) == ("ada", ("beta",))
