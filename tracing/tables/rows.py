"""Which rows does a run have in the three tables?"""

from __future__ import annotations

from collections.abc import Iterable

from tracing import conventions as c
from tracing.cost import RunAccount, account
from tracing.cost.account import run_of
from tracing.cost.attributes import number
from tracing.cost.tree import SpanTree
from tracing.spans.model import Link, Span
from tracing.tables.account_rows import restarts, spent
from tracing.tables.cells import Row, count_cell, session_cells, strings_cell, text_cell, time_cells
from tracing.tables.columns import Table
from tracing.tables.span_rows import hex_id, run_cells, span_row
from tracing.tables.step_rows import Step, step_keys, step_row, steps_of

Rows = dict[Table, list[Row]]


def rows_of_run(run_id: str, spans: Iterable[Span]) -> Rows:
    """The rows of one run, or of spans that belong to none.

    Args:
        run_id: Run ID; "" for spans of no run, which are rows of the table of spans only.
        spans: All spans of that run in one trace. Of one that comes twice the finished one counts, else the first.
    """
    tree = SpanTree(spans)
    ordered = sorted(tree.spans, key=lambda span: (span.start, span.span_id))
    if not run_id:
        return {"spans": [span_row(span, run_cells(span, ""), None) for span in ordered], "steps": [], "runs": []}
    told = account(ordered)
    own = run_of(ordered)[0]
    shared = run_cells(own or ordered[0], run_id)
    steps = steps_of(told, ordered)
    keys = step_keys(steps)
    return {
        "spans": [span_row(span, shared, _step_of(tree, span, keys)) for span in ordered],
        "steps": [step_row(step, shared, own or ordered[0]) for step in steps],
        "runs": [_run_row(told, steps, shared, own, ordered[0])],
    }


def _step_of(tree: SpanTree, span: Span, keys: dict[int, str]) -> str | None:
    """Key of the step that a span is, or is in."""
    return next((keys[each.span_id] for each in tree.line(span) if each.span_id in keys), None)


def _run_row(told: RunAccount, steps: list[Step], shared: Row, own: Span | None, first: Span) -> Row:
    attributes = own.attributes if own is not None else {}
    continued, base = _runs_before(own, told.run_id)
    failed = sum(step.status in {"failed", "timed_out"} for step in steps)
    return {
        **shared,
        "status": text_cell(told.status),
        **time_cells(told.start, told.end if own is not None else None),
        "span_id": hex_id(own.span_id if own is not None else None),
        "parent_span_id": hex_id(own.parent_id if own is not None else None),
        "continued_run_id": continued,
        "reset_base_run_id": base,
        "attempt": count_cell(number(attributes, c.ATTEMPT)) or None,
        "task_queue": text_cell(attributes.get(c.TASK_QUEUE)),
        "error_type": text_cell(attributes.get(c.ERROR_TYPE)),
        "error_message": text_cell(own.status_message) if own is not None else None,
        "history_length": count_cell(number(attributes, c.HISTORY_LENGTH)) or None,
        "worker_identity": text_cell(attributes.get(c.WORKER_IDENTITY)),
        "build_id": text_cell(attributes.get(c.BUILD_ID)),
        "steps": len(steps),
        "reused_steps": sum(step.reused for step in steps),
        "failed_steps": failed,
        **spent(told.steps),
        "price_sources": strings_cell(told.price_sources),
        **restarts(told),
        **session_cells((own or first).attributes, (own or first).resource),
        "input": text_cell(attributes.get(c.INPUT_VALUE)),
        "output": text_cell(attributes.get(c.OUTPUT_VALUE)),
        "ui_url": text_cell(attributes.get(c.UI_URL)),
    }


def _runs_before(own: Span | None, run_id: str) -> tuple[str | None, str | None]:
    """The run that a run continues, and the one that it is a reset of."""
    if own is None:
        return None, None
    bases = [event.attributes[c.RESET_BASE_RUN_ID] for event in own.events if c.RESET_BASE_RUN_ID in event.attributes]
    base = text_cell(bases[-1]) if bases else None
    before = (linked_run(link) for link in own.links)
    continued = next((each for each in before if each not in {None, base, run_id}), None)
    return continued, base


def linked_run(link: Link) -> str | None:
    """Run ID that a link names."""
    return text_cell(link.attributes.get(c.RUN_ID))
