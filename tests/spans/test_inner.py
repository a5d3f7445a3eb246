"""Spans inside an attempt: what backends need beside the GenAI attributes, and how they come back from a ledger."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.spans.research import COMMON, OFF, ON, RUN, RUN_ID, SECOND, START, TRACE
from tracing.config import TracingConfig
from tracing.ledger import Ledger, LedgerEvent, LedgerSpan
from tracing.spans.inner import derived_attributes, inner_span, ledger_usage
from tracing.spans.model import Event, Span, SpanKind, StatusCode
from tracing.usage import Usage

if TYPE_CHECKING:
    from pathlib import Path

    from tracing.runs import Attributes

ATTEMPT = 0x3AD2377CCF84F419


def messages(*parts_by_role: tuple[str, list[dict[str, Any]]]) -> str:
    return json.dumps([{"role": role, "parts": parts} for role, parts in parts_by_role])


def text(content: str) -> dict[str, Any]:
    return {"type": "text", "content": content}


CHAT: Attributes = {
    "gen_ai.operation.name": "chat",
    "gen_ai.usage.input_tokens": 101,
    "gen_ai.usage.output_tokens": 53,
    "gen_ai.usage.cache_read.input_tokens": 13,
    "gen_ai.usage.reasoning.output_tokens": 7,
}


class TestDerived:
    def test_a_call_without_content_gets_its_usage_for_backends(self) -> None:
        assert derived_attributes(OFF, CHAT | {"gen_ai.input.messages": messages(("user", [text("hello")]))}) == {
            "llm.token_count.completion_details.reasoning": 7,
            "langfuse.observation.usage_details": (
                '{"input":88,"input_cached_tokens":13,"output":46,"output_reasoning_tokens":7,"total":154}'
            ),
        }

    def test_a_call_without_cached_and_reasoning_tokens(self) -> None:
        call: Attributes = {
            "gen_ai.operation.name": "embeddings",
            "gen_ai.usage.input_tokens": 9,
        }
        assert derived_attributes(OFF, call) == {"langfuse.observation.usage_details": '{"input":9,"total":9}'}

    def test_a_call_without_usage_gets_none(self) -> None:
        assert derived_attributes(OFF, {"gen_ai.operation.name": "chat"}) == {}

    def test_messages_become_input_and_output_in_openai_shape(self) -> None:
        call: Attributes = {
            "gen_ai.operation.name": "chat",
            "gen_ai.system_instructions": json.dumps([text("You are brief."), text("And kind.")]),
            "gen_ai.input.messages": messages(
                ("user", [text("weather in"), text("Oslo?")]),
                ("assistant", [{"type": "tool_call", "id": "c1", "name": "weather", "arguments": {"city": "Oslo"}}]),
                ("tool", [{"type": "tool_call_response", "id": "c1", "response": {"degrees": 3}}]),
            ),
            "gen_ai.tool.definitions": '[{"type":"function","name":"weather"}]',
            "gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"text","content":"3 degrees"}],'
            '"finish_reason":"stop"}]',
        }
        derived = derived_attributes(ON, call)
        assert (derived["input.mime_type"], derived["output.mime_type"]) == ("application/json", "application/json")
        assert json.loads(str(derived["input.value"])) == {
            "messages": [
                {"role": "system", "content": "You are brief.\nAnd kind."},
                {"role": "user", "content": "weather in\nOslo?"},
                {
                    "role": "assistant",
                    "content": None,
                    "tool_calls": [
                        {
                            "id": "c1",
                            "type": "function",
                            "function": {"name": "weather", "arguments": '{"city":"Oslo"}'},
                        }
                    ],
                },
                {"role": "tool", "content": '{"degrees":3}', "tool_call_id": "c1"},
            ],
            "tools": [{"type": "function", "name": "weather"}],
        }
        assert json.loads(str(derived["output.value"])) == {"role": "assistant", "content": "3 degrees"}

    def test_several_answers_are_a_list(self) -> None:
        call: Attributes = {
            "gen_ai.operation.name": "chat",
            "gen_ai.output.messages": messages(("assistant", [text("a")]), ("assistant", [text("b")])),
        }
        assert json.loads(str(derived_attributes(ON, call)["output.value"])) == [
            {"role": "assistant", "content": "a"},
            {"role": "assistant", "content": "b"},
        ]

    def test_a_call_that_failed_has_input_and_a_null_output(self) -> None:
        call: Attributes = {
            "gen_ai.operation.name": "chat",
            "gen_ai.input.messages": messages(("user", [text("hello")])),
        }
        assert derived_attributes(ON, call) == {
            "input.value": '{"messages":[{"role":"user","content":"hello"}]}',
            "input.mime_type": "application/json",
            "output.value": "null",
            "output.mime_type": "application/json",
        }

    @pytest.mark.parametrize("cut", ["", "[", '{"role":"user"}', "[" * 100_000, '"hello"'])
    def test_messages_that_were_cut_or_broken_derive_nothing(self, cut: str) -> None:
        assert derived_attributes(ON, {"gen_ai.operation.name": "chat", "gen_ai.input.messages": cut}) == {}

    def test_parts_of_other_shapes_do_no_harm(self) -> None:
        odd = '[17,{"role":"user","parts":["x",{"type":"blob"}]},{"parts":null}]'
        call: Attributes = {"gen_ai.operation.name": "chat", "gen_ai.input.messages": odd}
        assert json.loads(str(derived_attributes(ON, call)["input.value"])) == {
            "messages": [
                {"role": "unknown", "content": "17"},
                {"role": "user", "content": None},
                {"role": "unknown", "content": None},
            ]
        }

    @pytest.mark.slow
    @given(st.text(max_size=80) | st.recursive(st.none() | st.text(), st.lists).map(json.dumps))
    def test_no_message_makes_it_fail(self, value: str) -> None:
        derived_attributes(
            ON,
            {
                "gen_ai.operation.name": "chat",
                "gen_ai.input.messages": value,
                "gen_ai.output.messages": value,
                "gen_ai.system_instructions": value,
                "gen_ai.tool.definitions": value,
            },
        )

    @pytest.mark.parametrize(
        ("operation", "kind"), [("execute_tool", "TOOL"), ("invoke_agent", "AGENT"), ("invoke_workflow", "CHAIN")]
    )
    def test_declared_operations_have_a_kind(self, operation: str, kind: str) -> None:
        assert derived_attributes(OFF, {"gen_ai.operation.name": operation}) == {"openinference.span.kind": kind}

    def test_a_tool_shows_arguments_and_result(self) -> None:
        call: Attributes = {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.call.arguments": '{"city":"Oslo"}',
            "gen_ai.tool.call.result": "3",
        }
        assert derived_attributes(ON, call) == {
            "openinference.span.kind": "TOOL",
            "input.value": '{"city":"Oslo"}',
            "input.mime_type": "application/json",
            "output.value": "3",
            "output.mime_type": "application/json",
        }

    def test_a_tool_that_failed_has_a_null_result(self) -> None:
        call: Attributes = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.call.arguments": "{}"}
        assert derived_attributes(ON, call)["output.value"] == "null"

    @pytest.mark.parametrize("attributes", [{}, {"http.request.method": "GET"}])
    def test_other_spans_derive_nothing(self, attributes: Attributes) -> None:
        assert derived_attributes(ON, attributes) == {}


RECORDED = LedgerSpan(
    "1111111111111111",
    "chat gpt-4o",
    START,
    START + SECOND,
    kind=3,
    status=2,
    status_message="rate limited",
    attributes={
        **CHAT,  # type: ignore[dict-item] # no tuples in it
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"mail ada@example.com"}]}]',
        "durable.cost.usd": 0.00076625,
    },
    events=[LedgerEvent("exception", START, {"exception.type": "RateLimitError", "exception.message": "slow down"})],
    scope="opentelemetry.instrumentation.openai",
)
LEDGER = Ledger(
    run=RUN_ID,
    activity="1",
    attempt=1,
    started=START // 1_000,
    duration=SECOND,
    resource={"service.name": "llm-workers"},
    spans=[RECORDED],
)


def from_ledger(config: TracingConfig, **changes: Any) -> Span | None:
    return inner_span(config, RUN, LEDGER, msgspec.structs.replace(RECORDED, **changes), ATTEMPT)


class TestFromTheLedger:
    def test_a_span_with_content(self) -> None:
        assert from_ledger(ON) == Span(
            trace_id=TRACE,
            span_id=0x1111111111111111,
            parent_id=ATTEMPT,
            name="chat gpt-4o",
            kind=SpanKind.CLIENT,
            start=START,
            end=START + SECOND,
            attributes=COMMON
            | CHAT
            | {
                "temporalActivityID": "1",
                "gen_ai.response.finish_reasons": ("stop",),
                "gen_ai.input.messages": (
                    '[{"role":"user","parts":[{"type":"text","content":"mail ada@example.com"}]}]'
                ),
                "durable.cost.usd": 0.00076625,
                "langfuse.observation.cost_details": '{"total":0.00076625}',
                "llm.token_count.completion_details.reasoning": 7,
                "langfuse.observation.usage_details": (
                    '{"input":88,"input_cached_tokens":13,"output":46,"output_reasoning_tokens":7,"total":154}'
                ),
                "input.value": '{"messages":[{"role":"user","content":"mail ada@example.com"}]}',
                "input.mime_type": "application/json",
                "output.value": "null",
                "output.mime_type": "application/json",
            },
            status=StatusCode.ERROR,
            status_message="rate limited",
            events=(Event("exception", START, {"exception.type": "RateLimitError", "exception.message": "slow down"}),),
            resource={"service.name": "llm-workers"},
            scope="opentelemetry.instrumentation.openai",
        )

    def test_content_that_was_recorded_is_not_shown_where_content_is_off(self) -> None:
        span = from_ledger(OFF)
        assert span
        assert (span.attributes, span.status, span.status_message, span.events) == (
            COMMON
            | CHAT
            | {
                "temporalActivityID": "1",
                "gen_ai.response.finish_reasons": ("stop",),
                "durable.cost.usd": 0.00076625,
                "langfuse.observation.cost_details": '{"total":0.00076625}',
                "llm.token_count.completion_details.reasoning": 7,
                "langfuse.observation.usage_details": (
                    '{"input":88,"input_cached_tokens":13,"output":46,"output_reasoning_tokens":7,"total":154}'
                ),
            },
            StatusCode.ERROR,
            "",
            (Event("exception", START, {"exception.type": "RateLimitError"}),),
        )

    def test_the_readers_redactor_sees_what_was_recorded(self) -> None:
        redact = TracingConfig(capture_content=True, redact=lambda _, text: text.replace("ada@example.com", "[mail]"))
        span = from_ledger(redact)
        assert span
        assert span.attributes["gen_ai.input.messages"] == (
            '[{"role":"user","parts":[{"type":"text","content":"mail [mail]"}]}]'
        )
        assert span.attributes["input.value"] == '{"messages":[{"role":"user","content":"mail [mail]"}]}'

    def test_a_worker_without_resource_is_the_runs_service(self) -> None:
        span = inner_span(ON, RUN, msgspec.structs.replace(LEDGER, resource={}), RECORDED, ATTEMPT)
        assert span
        assert span.resource == {"service.name": "agents"}

    def test_an_end_before_its_start_is_clamped(self) -> None:
        span = from_ledger(OFF, end=START - 5)
        assert span
        assert (span.start, span.end) == (START, START)

    @pytest.mark.parametrize("broken", [{"kind": 9}, {"kind": 0}, {"status": 3}, {"span_id": "x"}], ids=str)
    def test_a_broken_record_is_left_out(self, broken: dict[str, Any]) -> None:
        assert from_ledger(ON, **broken) is None


def test_the_usage_of_a_ledger() -> None:
    tool = LedgerSpan("2", "execute_tool add", START, START, attributes={"gen_ai.operation.name": "execute_tool"})
    ledger = msgspec.structs.replace(LEDGER, spans=[RECORDED, tool, RECORDED])
    assert ledger_usage(ledger).attributes() == {
        "durable.llm.calls": 2,
        "durable.llm.input_tokens": 202,
        "durable.llm.output_tokens": 106,
        "durable.llm.cached_input_tokens": 26,
        "durable.llm.reasoning_tokens": 14,
        "durable.llm.unknown_cost_calls": 0,
        "durable.llm.cost": 0.0015325,
    }


def test_no_ledger_no_usage() -> None:
    assert ledger_usage(None) == Usage()


class TestPricesOfTheReadersOwn:
    """A worker did not know what its own model costs; whoever reads its history later does."""

    CALL = LedgerSpan(
        "1111111111111111",
        "chat llama-4",
        START,
        START + SECOND,
        kind=3,
        attributes={
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "vllm",
            "gen_ai.request.model": "llama-4",
            "gen_ai.usage.input_tokens": 101,
            "gen_ai.usage.output_tokens": 53,
        },
    )

    @pytest.fixture
    def prices(self, tmp_path: Path) -> str:
        path = tmp_path / "prices.json"
        path.write_text('{"prices": [{"name": "ours", "model": "*", "input": 10, "output": 20}]}')
        return str(path)

    def test_are_on_its_call_and_in_the_sums(self, prices: str) -> None:
        ledger = msgspec.structs.replace(LEDGER, spans=[self.CALL])
        span = inner_span(TracingConfig(prices=prices), RUN, ledger, self.CALL, 7)
        assert span
        assert span.attributes["durable.cost.usd"] == 0.00207
        assert ledger_usage(ledger, prices).cost == Decimal("0.00207")
        assert ledger_usage(ledger).unknown_cost_calls == 1

    def test_leave_what_the_worker_has_priced(self, prices: str) -> None:
        priced = msgspec.structs.replace(self.CALL, attributes=self.CALL.attributes | {"durable.cost.usd": 0.5})
        ledger = msgspec.structs.replace(LEDGER, spans=[priced])
        assert ledger_usage(ledger, prices).cost == Decimal("0.5")
