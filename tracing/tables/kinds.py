"""What is a span: a run, a step of which kind, an attempt, a model call?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tracing import conventions as c
from tracing.cost.attributes import text
from tracing.spans.model import Span, StatusCode
from tracing.usage import is_model_call

TOOL_OPERATION: Final = "execute_tool"
AGENT_OPERATIONS: Final = frozenset({"invoke_agent", "create_agent", "invoke_workflow"})

_NAMED: Final[tuple[tuple[str, str, str, Callable[[str], str]], ...]] = (
    ("timer", c.TIMER_ID, c.TIMER_ID, lambda _: c.TIMER),
    ("child_workflow", c.TARGET_WORKFLOW_ID, c.TARGET_WORKFLOW_TYPE, c.start_child_workflow),
    ("signal", c.SIGNAL_NAME, c.SIGNAL_NAME, c.handle_signal),
    ("update", c.UPDATE_ID, c.UPDATE_NAME, c.handle_update),
    ("query", c.QUERY_NAME, c.QUERY_NAME, c.handle_query),
    ("external_signal", c.SIGNAL_NAME, c.SIGNAL_NAME, c.signal_child_workflow),
    ("external_signal", c.SIGNAL_NAME, c.SIGNAL_NAME, c.signal_external_workflow),
    ("external_cancel", c.TARGET_WORKFLOW_ID, c.TARGET_WORKFLOW_ID, lambda _: c.REQUEST_CANCEL_EXTERNAL),
)
"""Kinds of steps: the attribute that tells one from others in its run, the one that its name is made of, and how."""

_NAMELESS: Final = frozenset({"timer", "external_cancel"})


def kind_of(span: Span) -> str:
    """What a span is: run, replay, attempt, a kind of step, model_call, tool, agent or other."""
    if is_model_call(span.attributes):
        return "model_call"
    step = step_of(span)
    if step is not None:
        return step[0]
    return _activity_kind(span) if c.ACTIVITY_ID in span.attributes else _run_kind(span)


def _activity_kind(span: Span) -> str:
    activity_type = text(span.attributes, c.ACTIVITY_TYPE)
    if span.name == c.run_activity(activity_type):
        return "attempt"
    if span.name == c.start_activity(activity_type):
        return "local_activity" if span.attributes.get(c.LOCAL) is True else "activity"
    return _inner_kind(span)


def _run_kind(span: Span) -> str:
    workflow_type = text(span.attributes, c.WORKFLOW_TYPE)
    if span.name == c.run_workflow(workflow_type):
        return "run"
    return "replay" if span.name == c.replay_workflow(workflow_type) else _inner_kind(span)


def _inner_kind(span: Span) -> str:
    operation = text(span.attributes, c.OPERATION)
    if operation == TOOL_OPERATION:
        return "tool"
    return "agent" if operation in AGENT_OPERATIONS else "other"


def step_of(span: Span) -> tuple[str, str, str] | None:
    """Kind, key in its run and type of a step that is no activity; None for all other spans."""
    attributes = span.attributes
    for kind, key, named_by, name in _NAMED:
        if key in attributes and span.name == name(text(attributes, named_by)):
            return kind, text(attributes, key), "" if kind in _NAMELESS else text(attributes, named_by)
    service, operation = text(attributes, c.NEXUS_SERVICE), text(attributes, c.NEXUS_OPERATION)
    # A client's own operation, which no workflow asked for, has an ID.
    if span.name == c.start_nexus_operation(service, operation) and c.NEXUS_OPERATION_ID not in attributes:
        called = f"{service}/{operation}"
        return "nexus_operation", f"{text(attributes, c.NEXUS_ENDPOINT)}/{called}", called
    return None


def status_of(step: Span) -> str:
    """How a step stands."""
    attributes = step.attributes
    if step.end is None:
        return "open"
    if attributes.get(c.UNCLOSED) is True:
        return "unclosed"
    if step.status == StatusCode.ERROR:
        return "timed_out" if c.TIMEOUT_TYPE in attributes else "failed"
    # A cancellation is no error, but its class is named.
    return "canceled" if c.ERROR_TYPE in attributes or attributes.get(c.TIMER_CANCELED) is True else "completed"
