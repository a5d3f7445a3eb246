"""Live spans beside exported ones: what must be the same, and what the record of a failed attempt may lack."""

from __future__ import annotations

from agent.demo.pairs import paired
from tracing import conventions as c
from tracing.spans.model import Span, SpanKind

ATTEMPT, CALL = 1, 2
CONTENT: dict[str, str | int] = {c.INPUT_MESSAGES: "[]", c.USAGE_INPUT: 101}


def span(span_id: int, parent_id: int | None, **attributes: str | int) -> Span:
    return Span(
        1, span_id, parent_id, f"span {span_id}", SpanKind.INTERNAL, start=span_id, end=9, attributes={**attributes}
    )


def test_a_span_with_another_attribute_differs() -> None:
    [pair] = paired([span(CALL, None, a=1, b=1)], [span(CALL, None, a=1, b=2)])
    assert (pair.differences, pair.left_out) == (["b"], frozenset())


def test_an_attempt_whose_record_is_whole_lacks_nothing() -> None:
    live = [span(ATTEMPT, None), span(CALL, ATTEMPT, **CONTENT)]
    exported = [span(ATTEMPT, None), span(CALL, ATTEMPT, **{c.USAGE_INPUT: 101})]
    assert [pair.differences for pair in paired(live, exported)] == [[], [c.INPUT_MESSAGES]]


def test_what_is_inside_an_attempt_whose_record_was_cut_may_lack_attributes_but_not_change_them() -> None:
    live = [span(ATTEMPT, None, **{c.LEDGER_CUT: 1}), span(CALL, ATTEMPT, **CONTENT)]
    exported = [span(ATTEMPT, None, **{c.LEDGER_CUT: 1}), span(CALL, ATTEMPT, **{c.USAGE_INPUT: 103})]
    _, call = paired(live, exported)
    assert (call.differences, call.left_out) == ([c.USAGE_INPUT], frozenset({c.INPUT_MESSAGES}))
