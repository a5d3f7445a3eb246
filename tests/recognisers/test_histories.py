"""Real histories of runs without our plugin: their model calls are found, with what they used."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rendering import render
from tracing import TracingConfig
from tracing import conventions as c
from tracing.history import History, read, to_spans
from tracing.spans.model import Span

DATA = Path(__file__).parents[1] / "data" / "sdk-python"

AGENTS = """
RunWorkflow:InputGuardrailWorkflow SERVER
  StartActivity:invoke_model_activity CLIENT
    RunActivity:invoke_model_activity SERVER
      chat CLIENT
        durable.recognised: 'openai_agents'
        gen_ai.usage.input_tokens: 31
        gen_ai.usage.output_tokens: 8
  StartActivity:invoke_model_activity CLIENT
    RunActivity:invoke_model_activity SERVER
      chat CLIENT
        durable.recognised: 'openai_agents'
        gen_ai.usage.input_tokens: 81
        gen_ai.usage.output_tokens: 38
  StartActivity:invoke_model_activity CLIENT
  StartActivity:invoke_model_activity CLIENT
    RunActivity:invoke_model_activity SERVER
      chat CLIENT
        durable.recognised: 'openai_agents'
        gen_ai.usage.input_tokens: 113
        gen_ai.usage.output_tokens: 28
"""
"""One of the activities was cancelled."""

ADK = """
RunWorkflow:MultiAgentWorkflow SERVER
  StartActivity:invoke_model CLIENT
    RunActivity:invoke_model SERVER
      generate_content research_model CLIENT
        durable.recognised: 'google_adk'
  StartActivity:invoke_model CLIENT
    RunActivity:invoke_model SERVER
      generate_content research_model CLIENT
        durable.recognised: 'google_adk'
  StartActivity:invoke_model CLIENT
    RunActivity:invoke_model SERVER
      generate_content research_model CLIENT
        durable.recognised: 'google_adk'
"""
"""A fake model answered, which counted nothing."""


def spans_of(name: str) -> list[Span]:
    """The spans of a history file."""
    [history] = read(DATA / name, run_id="0198c0de-0000-7000-8000-000000000001", workflow_id="agents-1")
    assert isinstance(history, History)
    return to_spans(history, TracingConfig())


@pytest.mark.parametrize(
    ("name", "tree"),
    [("input-guardrail-workflow-history.json", AGENTS), ("multi_agent.json", ADK)],
)
def test_their_calls_are_recognised(name: str, tree: str) -> None:
    shown = (c.RECOGNISED, c.USAGE_INPUT, c.USAGE_OUTPUT, c.UNRECORDED)
    assert f"\n{render(spans_of(name), only=shown, times=False)}\n" == tree


def test_steps_attempts_and_the_run_add_them_up() -> None:
    sums = [
        (span.name.partition(":")[0], span.attributes[c.LLM_CALLS], span.attributes[c.INPUT_TOKENS])
        for span in spans_of("input-guardrail-workflow-history.json")
        if c.LLM_CALLS in span.attributes
    ]
    assert sums == [
        ("RunWorkflow", 3, 225),
        ("StartActivity", 1, 31),
        ("RunActivity", 1, 31),
        ("StartActivity", 1, 81),
        ("RunActivity", 1, 81),
        ("StartActivity", 1, 113),
        ("RunActivity", 1, 113),
    ]


def test_a_call_lasts_as_long_as_its_attempt() -> None:
    spans = {span.span_id: span for span in spans_of("input-guardrail-workflow-history.json")}
    calls = [span for span in spans.values() if c.RECOGNISED in span.attributes]
    times = [(spans[call.parent_id or 0].start, spans[call.parent_id or 0].end) for call in calls]
    assert [(call.start, call.end) for call in calls] == times
