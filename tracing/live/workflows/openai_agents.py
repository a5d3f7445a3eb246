"""What do the agents of the OpenAI Agents SDK do in workflow code?

The SDK's own trace, as Temporal's plugin lets it run in a workflow, says it: its IDs and times are the same in each
replay. What is told here is held like all spans of a workflow task, until that task is committed. Model calls are left
to the activities that make them, and so are tools that are activities.
"""

from __future__ import annotations

from contextvars import Token
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from agents.tracing import Span as AgentsSpan
from agents.tracing import Trace as AgentsTrace
from agents.tracing import TracingProcessor, get_current_span
from agents.tracing.span_data import (
    AgentSpanData,
    FunctionSpanData,
    GuardrailSpanData,
    HandoffSpanData,
    SpanData,
)

from tracing import conventions as c
from tracing.live.failopen import fail_open
from tracing.live.workflows.asking import tell_of_asking
from tracing.live.workflows.context import WorkflowCode, current_workflow_code
from tracing.runs import Attributes
from tracing.spans.model import NS_PER_US, Link
from tracing.spans.workflow_code import workflow_code_span

_LIBRARY: Final = "openai-agents"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_US: Final = timedelta(microseconds=1)


class OpenAIAgentsProcessor(TracingProcessor):
    """Puts agents, tools, handoffs and guardrails of the OpenAI Agents SDK into the run's trace.

        agents.set_trace_processors([OpenAIAgentsProcessor()])  # in place of the SDK's own, which sends to OpenAI

    on workers with Temporal's `OpenAIAgentsPlugin`, before they start. Such spans are live only. An agent that was
    begun on one worker and ended on another is there whole; replays add nothing. A tool that is an activity is not told
    twice: its step has its name, and below it is `execute_tool` where `@tool` stands on the activity. Any other tool
    that asks for activities or children has links to their steps.
    """

    def __init__(self) -> None:
        tell_of_asking(_tool_that_runs)

    def on_trace_start(self, trace: AgentsTrace) -> None:
        """See the SDK: the run's trace is there already."""

    def on_trace_end(self, trace: AgentsTrace) -> None:
        """See the SDK."""

    def on_span_start(self, span: AgentsSpan[Any]) -> None:
        """See the SDK: a span that began in a replay is not told of, so all that is needed is read at its end."""

    def on_span_end(self, span: AgentsSpan[Any]) -> None:
        """See the SDK."""
        code = current_workflow_code()
        if code is not None:
            with fail_open("a span of OpenAI Agents"):
                self._end(code, span)

    def shutdown(self) -> None:
        """See the SDK: the plugin sends what there is."""

    def force_flush(self) -> None:
        """See the SDK."""

    def _end(self, code: WorkflowCode, span: AgentsSpan[Any]) -> None:
        told = _told(span.span_data)
        if told is None:
            return
        asked = code.asked(span.span_id) if isinstance(span.span_data, FunctionSpanData) else {}
        if isinstance(span.span_data, FunctionSpanData) and list(asked.values()) == [span.span_data.name]:
            return  # a tool that is an activity
        name, attributes = told
        error = None if span.error is None else span.error["message"]
        around = _enclosing(span)
        code.add(
            lambda: workflow_code_span(
                code.config,
                code.run,
                _LIBRARY,
                span.span_id,
                parent="" if around is None else around.span_id,
                name=name,
                start=_ns(span.started_at),
                end=_ns(span.ended_at),
                attributes=attributes,
                error=error,
                links=tuple(Link(code.run.trace_id, step) for step in asked),
            )
        )


def _tool_that_runs() -> str:
    """ID of the tool's span that is around the code that runs; "" where none is."""
    span = get_current_span()
    if span is not None and _told(span.span_data) is None:
        span = _enclosing(span)
    return span.span_id if span is not None and isinstance(span.span_data, FunctionSpanData) else ""


def _told(data: SpanData) -> tuple[str, Attributes] | None:
    """Name and attributes; None of what is no span of its own here."""
    if isinstance(data, AgentSpanData):
        return c.invoke_agent(data.name), {c.OPERATION: "invoke_agent", c.AGENT_NAME: data.name}
    if isinstance(data, FunctionSpanData):
        attributes: Attributes = {c.OPERATION: "execute_tool", c.TOOL_NAME: data.name, c.TOOL_TYPE: "function"}
        content = {c.TOOL_ARGUMENTS: data.input, c.TOOL_RESULT: data.output}
        attributes |= {key: str(value) for key, value in content.items() if value is not None}
        return c.execute_tool(data.name), attributes
    if isinstance(data, HandoffSpanData):
        # Where the agent to hand over to could not be had, it has no name.
        agent = data.to_agent or "?"
        return c.handoff(agent), {
            c.HANDOFF_FROM: data.from_agent or "?",
            c.HANDOFF_TO: agent,
            c.OPENINFERENCE_KIND: "CHAIN",
        }
    if isinstance(data, GuardrailSpanData):
        return c.guardrail(data.name), {
            c.GUARDRAIL: data.name,
            c.GUARDRAIL_TRIGGERED: data.triggered,
            c.OPENINFERENCE_KIND: "GUARDRAIL",
        }
    return None


def _enclosing(span: AgentsSpan[Any]) -> AgentsSpan[Any] | None:
    """The span that is told and holds this one; None where none does.

    A span knows no more of its parent than the ID, which may be one that is not told (a turn, a task), or another
    process's. But it keeps what was current before it, to put that back, and so do the spans around it.
    """
    token = getattr(span, "_prev_span_token", None)
    around = token.old_value if isinstance(token, Token) else None
    if not isinstance(around, AgentsSpan):
        return None
    return around if _told(around.span_data) is not None else _enclosing(around)


def _ns(time: str | None) -> int:
    return 0 if time is None else (datetime.fromisoformat(time) - _EPOCH) // _US * NS_PER_US
