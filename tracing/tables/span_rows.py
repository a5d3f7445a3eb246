"""What does the row of a span hold, and what is common to the rows of all three tables?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tracing import conventions as c
from tracing.runs import AttributeValue
from tracing.spans.model import Span
from tracing.tables.cells import (
    Cell,
    Row,
    as_json,
    count_cell,
    object_cell,
    session_cells,
    text_cell,
    time_cells,
    usd_cell,
)
from tracing.tables.columns import SPANS
from tracing.tables.kinds import kind_of
from tracing.usage import usage_of_call

TEXTS: Final = {
    "workflow_id": c.WORKFLOW_ID,
    "workflow_type": c.WORKFLOW_TYPE,
    "namespace": c.NAMESPACE,
    "replay_id": c.REPLAY_ID,
    "activity_id": c.ACTIVITY_ID,
    "activity_type": c.ACTIVITY_TYPE,
    "task_queue": c.TASK_QUEUE,
    "worker_identity": c.WORKER_IDENTITY,
    "build_id": c.BUILD_ID,
    "error_type": c.ERROR_TYPE,
    "timeout_type": c.TIMEOUT_TYPE,
    "operation": c.OPERATION,
    "provider": c.PROVIDER,
    "model": c.RESPONSE_MODEL,
    "requested_model": c.REQUEST_MODEL,
    "tool": c.TOOL_NAME,
    "agent": c.AGENT_NAME,
    "cost_source": c.COST_SOURCE,
    "input": c.INPUT_VALUE,
    "output": c.OUTPUT_VALUE,
    "event_ids": c.EVENT_IDS,
}
"""Columns of text, and the attribute that each shows."""
_COLUMN_OF: Final = {key: column for column, key in TEXTS.items()} | dict.fromkeys(
    (c.SESSION_ID, c.USER_ID, c.RUN_ID, c.ENVIRONMENT)
)
"""Columns of attributes that are text; None for those that `session_cells` and `run_cells` make columns of."""
TOKENS: Final = {
    "input_tokens": c.USAGE_INPUT,
    "output_tokens": c.USAGE_OUTPUT,
    "cached_input_tokens": c.USAGE_CACHE_READ,
    "reasoning_tokens": c.USAGE_REASONING,
    "client_retries": c.HTTP_RESENDS,
}
"""Columns of a model call's numbers, and the attribute that each shows."""
_EMPTY: Final[Row] = dict.fromkeys(column.name for column in SPANS)


def span_row(span: Span, run: Row, step_key: str | None) -> Row:
    """The row of a span.

    Args:
        span: The span.
        run: What the rows of its run share (`run_cells`).
        step_key: Key of the step that it is, or is in.
    """
    row: Row = {**_EMPTY, **run}
    rest: dict[str, AttributeValue] = {}
    for key, value in span.attributes.items():
        if key not in _COLUMN_OF or not isinstance(value, str):
            rest[key] = value  # what is no text where a column has text stays among the other attributes
        elif (column := _COLUMN_OF[key]) is not None:
            row[column] = text_cell(value)
    if isinstance(rest.get(c.TAGS), tuple):
        del rest[c.TAGS]
    row["model"] = row["model"] or row["requested_model"]
    row["span_id"] = hex_id(span.span_id)
    row["parent_span_id"] = hex_id(span.parent_id)
    row["name"] = text_cell(span.name)
    row["kind"] = kind_of(span)
    row["step_key"] = text_cell(step_key)
    row["span_kind"] = span.kind.name.lower()
    row["status"] = span.status.name.lower()
    row["status_message"] = text_cell(span.status_message)
    row["attempt"] = _take_number(rest, c.ATTEMPT)
    row["queue_time_s"] = _take_seconds(rest, c.QUEUE_TIME)
    row["reused"] = rest.pop(c.REUSED) is True if isinstance(rest.get(c.REUSED), bool) else False
    row["scope"] = text_cell(span.scope)
    row["events"] = _events(span)
    row["links"] = _links(span)
    row["resource"] = object_cell(span.resource)
    row.update(time_cells(span.start, span.end))
    row.update(session_cells(span.attributes, span.resource))
    row.update(_usage(span, rest))
    row["attributes"] = object_cell(rest)
    return row


def run_cells(span: Span, run_id: str) -> Row:
    """What the rows of a run share."""
    attributes = span.attributes
    return {
        "trace_id": f"{span.trace_id:032x}",
        "run_id": text_cell(run_id),
        "workflow_id": text_cell(attributes.get(c.WORKFLOW_ID)),
        "workflow_type": text_cell(attributes.get(c.WORKFLOW_TYPE)),
        "namespace": text_cell(attributes.get(c.NAMESPACE)),
        "replay_id": text_cell(attributes.get(c.REPLAY_ID)),
    }


def hex_id(span_id: int | None) -> str | None:
    """A span ID in hex; null where there is none."""
    return f"{span_id:016x}" if span_id else None


def seconds(attributes: Mapping[str, AttributeValue], key: str) -> float | None:
    """A duration in seconds."""
    value = attributes.get(key)
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _usage(span: Span, rest: dict[str, AttributeValue]) -> Row:
    """Tokens and cost of a model call; null on all other spans, whose sums stay among the attributes."""
    usage = usage_of_call(span.attributes)
    row: Row = {}
    if not usage.calls:
        return row
    counted = (
        usage.input_tokens,
        usage.output_tokens,
        usage.cached_tokens,
        usage.reasoning_tokens,
        usage.client_retries,
    )
    for (column, key), number in zip(TOKENS.items(), counted, strict=True):
        # A number that no call could have used is not counted, here as little as in the account.
        if rest.get(key) == number:
            row[column] = number
            del rest[key]
    if not usage.unknown_cost_calls:
        row["cost_usd"] = usd_cell(usage.cost)
        del rest[c.COST]
    return row


def _events(span: Span) -> str | None:
    if not span.events:
        return None
    return as_json(
        [
            {"name": event.name, "time": event.time, "attributes": dict(sorted(event.attributes.items()))}
            for event in span.events
        ]
    )


def _links(span: Span) -> str | None:
    if not span.links:
        return None
    return as_json(
        [
            {
                "trace_id": f"{link.trace_id:032x}",
                "span_id": f"{link.span_id:016x}",
                "attributes": dict(sorted(link.attributes.items())),
            }
            for link in span.links
        ]
    )


def _take_number(rest: dict[str, AttributeValue], key: str) -> Cell:
    value = rest.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value == count_cell(value):
        return None
    del rest[key]
    return value


def _take_seconds(rest: dict[str, AttributeValue], key: str) -> Cell:
    value = seconds(rest, key)
    rest.pop(key, None) if value is not None else None
    return value
