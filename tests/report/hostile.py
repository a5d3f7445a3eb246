"""Spans whose every text tries to break the page."""

from __future__ import annotations

import json

import msgspec

from tracing import conventions as c
from tracing.spans.model import Event, Link, Span, SpanKind, StatusCode

ATTACKS = (
    "</script><script>document.title='owned'</script>",
    "<img src=http://127.0.0.1:9/x onerror=\"document.title='owned'\">",
    "\"' onmouseover=\"document.title='owned'\" x='",
    "<!--<script>",
    "\u202egnp.exe\u2066 \x1b[31m \x00 \ud800 \U000e0041",
    "</style><style>*{display:none}</style>",
    "x;}*{display:none;background:url(http://127.0.0.1:9/x)}",
    "<a href=javascript:document.title='owned'>javascript:document.title='owned'</a>",
    "]]>&lt;script&gt; &#x3c;b&#x3e; \u2028 \u2029",
    "\u05d0\u0301" + "\u0302" * 40,
    "{{ 7 * 7 }} {% raw %}",
)
TEXT = " ".join(ATTACKS)


def hostile_spans() -> list[Span]:
    """A run and a model call with such text wherever text can be, and a model call whose messages are such."""
    attributes: dict[str, str | bool | int | float | tuple[str, ...]] = {
        c.RUN_ID: TEXT,
        c.WORKFLOW_ID: TEXT,
        c.WORKFLOW_TYPE: TEXT,
        c.NAMESPACE: TEXT,
        c.RUN_STATUS: TEXT,
        c.ERROR_TYPE: TEXT,
        c.INPUT_VALUE: TEXT,
        TEXT: (TEXT, TEXT),
        "__proto__": "__proto__",
        "constructor": TEXT,
        "": "",
        "megabyte": "<script>" + "x" * 1_000_000,
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
    said = json.dumps(
        [{"role": TEXT, "finish_reason": TEXT, "parts": [{"type": TEXT, "content": TEXT}, TEXT, *[[]] * 200_000]}]
    )
    asked = msgspec.structs.replace(
        call, span_id=3, attributes={c.OPERATION: "chat", c.INPUT_MESSAGES: said, c.OUTPUT_MESSAGES: said}
    )
    many = msgspec.structs.replace(
        run,
        span_id=4,
        parent_id=1,
        attributes={str(number): number for number in range(150_000)},
        links=tuple(Link(1, 1, {"n": number}) for number in range(20_000)),
    )
    return [run, call, asked, many]


def misshapen_spans() -> list[Span]:
    """Spans at the ends of time, that end before they begin, that are their own ancestors, and very deep ones."""

    def span(number: int, parent: int | None, start: int, end: int | None) -> Span:
        return Span(2, number, parent, f"span {number}", SpanKind.INTERNAL, start, end, {})

    late = 2**64 - 1
    ends = [span(1, None, 0, late), span(2, 1, late, 0), span(3, 1, 5, None), span(4, 5, 1, 2), span(5, 4, 1, 2)]
    return [*ends, *(span(number, number - 1, number, number + 1) for number in range(6, 3_000))]
