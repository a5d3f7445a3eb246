"""Spans whose every text tries to break the page."""

from __future__ import annotations

from tracing import conventions as c
from tracing.spans.model import Event, Span, SpanKind, StatusCode

ATTACKS = (
    "</script><script>document.title='owned'</script>",
    "<img src=http://127.0.0.1:9/x onerror=\"document.title='owned'\">",
    "\"' onmouseover=\"document.title='owned'\" x='",
    "<!--<script>",
    "\u202egnp.exe\u2066 \x1b[31m \x00 \ud800 \U000e0041",
    "{{ 7 * 7 }} {% raw %}",
)
TEXT = " ".join(ATTACKS)


def hostile_spans() -> list[Span]:
    """A run and a model call with such text wherever text can be."""
    attributes: dict[str, str | bool | int | float | tuple[str, ...]] = {
        c.RUN_ID: TEXT,
        c.WORKFLOW_ID: TEXT,
        c.WORKFLOW_TYPE: TEXT,
        c.NAMESPACE: TEXT,
        c.RUN_STATUS: TEXT,
        c.ERROR_TYPE: TEXT,
        c.INPUT_VALUE: TEXT,
        TEXT: (TEXT, TEXT),
    }
    failed = Event(TEXT, 2_000_000, {c.EXCEPTION_MESSAGE: TEXT, c.EXCEPTION_STACKTRACE: TEXT, TEXT: TEXT})
    run = Span(1, 1, None, c.run_workflow(TEXT), SpanKind.SERVER, 1_000_000, 9_000_000, attributes)
    call = Span(
        1,
        2,
        1,
        TEXT,
        SpanKind.CLIENT,
        2_000_000,
        3_000_000,
        {**attributes, c.OPERATION: "chat", c.PROVIDER: TEXT, c.OUTPUT_VALUE: TEXT},
        status=StatusCode.ERROR,
        status_message=TEXT,
        events=(failed,),
        resource={TEXT: TEXT},
        scope=TEXT,
    )
    return [run, call]
