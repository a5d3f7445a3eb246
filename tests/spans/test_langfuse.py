"""What spans say for Langfuse alone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.spans.research import RUN, START
from tracing.headers import ClientStart
from tracing.spans.langfuse import langfuse_call, langfuse_trace
from tracing.usage import usage_of_call

if TYPE_CHECKING:
    from tracing.runs import Attributes

CHAT: Attributes = {
    "gen_ai.operation.name": "chat",
    "gen_ai.usage.input_tokens": 101,
    "gen_ai.usage.output_tokens": 53,
    "gen_ai.usage.cache_read.input_tokens": 13,
    "gen_ai.usage.reasoning.output_tokens": 7,
}
USAGE = {
    "langfuse.observation.usage_details": (
        '{"input":88,"input_cached_tokens":13,"output":46,"output_reasoning_tokens":7,"total":154}'
    )
}


def derived(attributes: Attributes, start: int = START) -> Attributes:
    return langfuse_call(attributes, usage_of_call(attributes), start)


class TestACall:
    def test_each_token_stands_in_one_detail(self) -> None:
        assert derived(CHAT) == USAGE

    def test_its_cost_is_ours_with_its_parts(self) -> None:
        priced = CHAT | {
            "durable.cost.usd": 0.00076625,
            "durable.cost.input_usd": 0.00023625,
            "durable.cost.output_usd": 0.00053,
        }
        assert derived(priced) == USAGE | {
            "langfuse.observation.cost_details": '{"input":0.00023625,"output":0.00053,"total":0.00076625}'
        }

    @pytest.mark.parametrize("part", [None, -1.0, 9.0, float("nan"), "0.1"])
    def test_without_sound_parts_it_has_a_total(self, part: float | str | None) -> None:
        parts: Attributes = {} if part is None else {"durable.cost.input_usd": part, "durable.cost.output_usd": 0.1}
        assert derived(CHAT | parts | {"durable.cost.usd": 0.5}) == USAGE | {
            "langfuse.observation.cost_details": '{"total":0.5}'
        }

    def test_an_unknown_cost_is_left_to_langfuse_and_never_0(self) -> None:
        assert "langfuse.observation.cost_details" not in derived(CHAT)

    def test_a_streamed_answer_began_with_its_first_chunk(self) -> None:
        # START is 2025-11-23T08:00:00.123456Z.
        assert derived({"gen_ai.operation.name": "chat", "gen_ai.response.time_to_first_chunk": 0.25}) == {
            "langfuse.observation.completion_start_time": "2025-11-23T08:00:00.373456Z"
        }

    @pytest.mark.parametrize("wait", [-0.1, 1e300, float("inf"), float("nan"), "soon"])
    def test_a_wait_that_cannot_be_is_none(self, wait: float | str) -> None:
        assert derived({"gen_ai.operation.name": "chat", "gen_ai.response.time_to_first_chunk": wait}) == {}

    def test_it_links_to_a_prompt_by_name_and_version(self) -> None:
        prompt: Attributes = {"gen_ai.prompt.name": "plan", "gen_ai.prompt.version": "3"}
        assert derived(prompt) == {
            "langfuse.observation.prompt.name": "plan",
            "langfuse.observation.prompt.version": 3,
        }

    @pytest.mark.parametrize("version", ["", "v3", "1.2", "-1", "9" * 10, "²"])
    def test_versions_that_langfuse_does_not_know_make_no_link(self, version: str) -> None:
        assert derived({"gen_ai.prompt.name": "plan", "gen_ai.prompt.version": version}) == {}


class TestATrace:
    def test_is_named_after_the_workflow_and_has_the_services_release(self) -> None:
        run = replace(RUN, parent=None, resource={"service.name": "agents", "service.version": "2026.11"})
        assert langfuse_trace(run) == {"langfuse.trace.name": "Research", "langfuse.release": "2026.11"}

    def test_also_under_a_clients_span(self) -> None:
        started = replace(RUN, parent=7, start=ClientStart(time_us=1, parent="00f067aa0ba902b7"))
        assert langfuse_trace(started) == {"langfuse.trace.name": "Research"}

    def test_a_child_does_not_speak_for_its_parents_trace(self) -> None:
        assert langfuse_trace(replace(RUN, parent=7, start=None)) == {}
