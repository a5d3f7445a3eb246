"""What is the root of a trace for a target that lacks the recorded one?

Files keep true parents. A target may lack the parent of a run: the client's telemetry was lost, or went elsewhere. Then
the client's ``StartWorkflow`` is rebuilt from what the run's span says of it, with the same ID, and any other parent
becomes a link. The outcome depends on the trace and on what the target has, on nothing else.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

from msgspec.structs import replace

from tracing import conventions as c
from tracing.identity import run_span_id
from tracing.runs import Attributes
from tracing.spans.model import NS_PER_US, Link, Span, SpanKind, not_before

_REPEATED: Final = (
    c.WORKFLOW_ID,
    c.RUN_ID,
    c.NAMESPACE,
    c.WORKFLOW_TYPE,
    c.SESSION_ID,
    c.CONVERSATION_ID,
    c.USER_ID,
    c.TAGS,
    c.LANGFUSE_TAGS,
    c.ENVIRONMENT,
    c.OPENINFERENCE_KIND,
    # Backends show the root's input and output as the trace's.
    c.INPUT_VALUE,
    c.INPUT_MIME,
    c.OUTPUT_VALUE,
    c.OUTPUT_MIME,
)
"""What a rebuilt span takes over from its run's span."""


def reroot(spans: Iterable[Span], known: Collection[int] = ()) -> list[Span]:
    """Give each trace a root that the target has or gets.

    Only closed runs change: the span of one that is still open is not sent, so nothing may be made of it yet.

    Args:
        spans: All spans that are at hand of one or more traces, open ones included.
        known: Span IDs that the target has of these traces.

    Returns:
        The spans in the same order, each rebuilt one before its run's.
    """
    spans = list(spans)
    present = {(span.trace_id, span.span_id) for span in spans}
    result: list[Span] = []
    for span in spans:
        parent = span.parent_id
        if parent is None or parent in known or (span.trace_id, parent) in present or not _is_closed_run(span):
            result.append(span)
        elif (start := _client_start(span, parent)) is not None:
            present.add((span.trace_id, parent))
            above = start.parent_id
            has_above = above is not None and (above in known or (span.trace_id, above) in present)
            result += [start if has_above else _unparented(start), span]
        else:
            result.append(_unparented(span))
    return result


def parents_to_come(spans: Iterable[Span]) -> set[int]:
    """Parents of runs that no client started: steps of other runs of the trace, which are sent with those.

    Whoever sends each run by itself must not make roots of children: their parents' steps would come too late for them.

    Args:
        spans: All spans that are at hand of one or more runs.
    """
    return {
        span.parent_id
        for span in spans
        if span.parent_id is not None and c.CLIENT_START_TIME not in span.attributes and _is_closed_run(span)
    }


def _is_closed_run(span: Span) -> bool:
    run_id = span.attributes.get(c.RUN_ID)
    return span.end is not None and isinstance(run_id, str) and span.span_id == run_span_id(run_id)


def _client_start(run: Span, span_id: int) -> Span | None:
    """The client's span as far as its run's span tells of it; None where this does not."""
    time, workflow_type = run.attributes.get(c.CLIENT_START_TIME), run.attributes.get(c.WORKFLOW_TYPE)
    if not isinstance(time, int) or not isinstance(workflow_type, str):
        return None
    start = time * NS_PER_US
    attributes: Attributes = {key: run.attributes[key] for key in _REPEATED if key in run.attributes}
    return Span(
        trace_id=run.trace_id,
        span_id=span_id,
        parent_id=_span_id(run.attributes.get(c.CLIENT_START_PARENT)),
        name=c.CLIENT_STARTS.get(run.attributes.get(c.CLIENT_START_CALL), c.start_workflow)(workflow_type),
        kind=SpanKind.CLIENT,
        start=start,
        # The client knows when the server answered; of that, the run's start is all that a history has.
        end=not_before(start, run.start),
        attributes=attributes | {c.REBUILT: True},
        resource=run.resource,
    )


def _span_id(text: object) -> int | None:
    try:
        return int(text, 16) or None if isinstance(text, str) and len(text) == 16 else None  # noqa: PLR2004 - 8 bytes in hex
    except ValueError:
        return None


def _unparented(span: Span) -> Span:
    if span.parent_id is None:
        return span
    return replace(span, parent_id=None, links=(*span.links, Link(span.trace_id, span.parent_id)))
