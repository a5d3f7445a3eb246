"""What the OpenAI Agents SDK tells of its agents in workflow code, and what our trace shows of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from agents import (
    agent_span,
    custom_span,
    function_span,
    generation_span,
    guardrail_span,
    handoff_span,
    task_span,
    trace,
    turn_span,
)
from agents.tracing import get_trace_provider, set_trace_provider
from agents.tracing.provider import DefaultTraceProvider
from temporalio.worker import WorkflowOutboundInterceptor

from tests.rendering import render
from tracing import OpenAIAgentsProcessor, TracingConfig
from tracing import conventions as c
from tracing.live.workflows.asking import AskingInterceptor, asked_by
from tracing.live.workflows.context import WorkflowCode, activated
from tracing.runs import Run
from tracing.spans.model import Span, StatusCode

RUN = Run(
    namespace="default",
    workflow_id="team-1",
    run_id="0198c0de-0000-7000-8000-000000000001",
    workflow_type="Team",
    trace_id=0x0123456789ABCDEF0123456789ABCDEF,
)

TEAM = """
invoke_agent Triage INTERNAL (parent the run)
  guardrail polite INTERNAL
    invoke_agent Judge INTERNAL
  handoff Research INTERNAL
  execute_tool add INTERNAL
"""


@pytest.fixture(autouse=True)
def provider() -> Iterator[None]:
    """The SDK's own provider, with our processor alone."""
    before, own = get_trace_provider(), DefaultTraceProvider()
    own.set_processors([OpenAIAgentsProcessor()])
    set_trace_provider(own)
    yield
    set_trace_provider(before)


def told(
    agents: Callable[[], None],
    config: TracingConfig | None = None,
    asked: Callable[[str], Mapping[int, str]] = lambda _: {},
) -> list[Span]:
    """The spans of what agents do in the workflow code of a run, in the order in which they end."""
    spans: list[Span] = []
    with activated(WorkflowCode(RUN, config or TracingConfig(), lambda build: spans.append(build()), asked)):
        agents()
    return spans


def tree(spans: list[Span]) -> str:
    names = {f"{RUN.span_id:016x}": "the run"}
    return f"\n{render(spans, only=(), times=False, names=names)}\n"


def test_agents_tools_handoffs_and_guardrails_without_the_turns_between_them() -> None:
    def team() -> None:
        with trace("Team"), task_span("Team"), agent_span("Triage"):
            with guardrail_span("polite"), task_span("Team"), agent_span("Judge"):
                pass
            with turn_span(1, "Triage"):
                with generation_span(model="gpt-4o"):  # an activity makes the call
                    pass
                with handoff_span("Triage", "Research"):
                    pass
                with function_span("add", "1", "2"):
                    pass

    spans = told(team)
    assert tree(spans) == TEAM
    assert {span.attributes[c.WORKFLOW_CODE] for span in spans} == {"openai-agents"}


def asked(*types: str) -> dict[int, str]:
    """Steps of these types, by span ID."""
    return dict(enumerate(types, start=1))


@pytest.mark.parametrize(
    ("steps", "shown"),
    [
        (asked("search"), []),
        (asked("look_up"), [("execute_tool search", [1])]),
        (asked("search", "search"), [("execute_tool search", [1, 2])]),
        ({}, [("execute_tool search", [])]),
    ],
    ids=["the activity that it is", "another activity", "twice", "none"],
)
def test_a_tool_has_links_to_the_steps_it_asked_for_or_is_its_one_step(
    steps: dict[int, str], shown: list[tuple[str, list[int]]]
) -> None:
    def team() -> None:
        with trace("Team"), agent_span("Research"), function_span("search", span_id="span_1"):
            pass

    *tools, agent = told(team, asked=lambda by: steps if by == "span_1" else {})
    assert [(span.name, [link.span_id for link in span.links]) for span in tools] == shown
    assert (agent.name, agent.links) == ("invoke_agent Research", ())


def test_what_asks_for_a_step_is_the_nearest_tool_unless_an_agent_runs_in_it() -> None:
    asking: list[str] = []

    def team() -> None:
        with trace("Team"), agent_span("Research"):
            asking.append(who_asks())
            with function_span("search", span_id="span_1"):
                with custom_span("of the tool's own"):
                    asking.append(who_asks())
                with agent_span("Helper"), turn_span(1, "Helper"):
                    asking.append(who_asks())

    told(team)
    assert asking == ["", "span_1", ""]


def who_asks() -> str:
    """The mark that a step gets here."""
    given: Any = SimpleNamespace(headers={})
    return asked_by(SimpleNamespace(headers=AskingInterceptor(Given()).start_activity(given)))


class Given(WorkflowOutboundInterceptor):
    """Gives back the headers that it is given."""

    def __init__(self) -> None:
        """There is no next one."""

    def start_activity(self, input: Any) -> Any:  # noqa: A002 - the SDK's name
        """See the SDK."""
        return input.headers


def test_guardrails_agents_and_handoffs_are_told_whatever_they_ask_for() -> None:
    def team() -> None:
        with trace("Team"), agent_span("Triage"):
            with guardrail_span("polite"):
                pass
            with handoff_span("Triage", "Research"):
                pass

    spans = told(team, asked=lambda _: asked("polite"))
    assert [(span.name, span.links) for span in spans] == [
        ("guardrail polite", ()),
        ("handoff Research", ()),
        ("invoke_agent Triage", ()),
    ]


@pytest.mark.parametrize(
    ("config", "content", "message"),
    [
        pytest.param(
            TracingConfig(capture_content=True),
            {c.TOOL_ARGUMENTS: '{"n": 1}', c.TOOL_RESULT: "2", c.INPUT_VALUE: '{"n": 1}', c.OUTPUT_VALUE: "2"},
            "no 2",
            id="on",
        ),
        pytest.param(TracingConfig(), {}, "", id="off"),
    ],
)
def test_content_and_messages_only_where_content_is_on(
    config: TracingConfig, content: dict[str, str], message: str
) -> None:
    def failing() -> None:
        with trace("Team"), function_span("add", '{"n": 1}', "2") as span:
            span.set_error({"message": "no 2", "data": None})

    [span] = told(failing, config)
    shown = {key: value for key, value in span.attributes.items() if c.is_content(key)}
    assert (shown, span.status, span.status_message) == (content, StatusCode.ERROR, message)


def test_the_same_id_whenever_it_is_told_and_nothing_outside_of_workflows() -> None:
    def once() -> None:
        with trace("Team"), agent_span("Triage", span_id="span_1"):
            pass

    [first], [second] = told(once), told(once)
    assert first.span_id == second.span_id
    once()  # in an activity, or a client: no run to tell it of
