"""Which steps of a fork are reused?"""

from __future__ import annotations

from tests.dbos.conftest import MS, PORTABLE, Made, answer, converted
from tracing import conventions as c
from tracing.identity import run_trace_id


def reused(url: str, workflow_id: str) -> list[str]:
    spans = converted(url, workflow_id).spans
    return [str(span.attributes[c.ACTIVITY_ID]) for span in spans if c.REUSED in span.attributes]


def test_those_that_equal_the_bases_in_the_second_of_the_fork_too(made: Made) -> None:
    made.workflow("base")
    made.workflow("fork", forked_from="base")  # created in the same second, which is all that SQLite tells
    for workflow_id in ("base", "fork"):
        made.step(workflow_id, 1, output=answer(), serialization=PORTABLE)
    made.step("base", 2, started_at_epoch_ms=MS + 30, completed_at_epoch_ms=MS + 40)
    made.step("fork", 2, started_at_epoch_ms=MS + 530, completed_at_epoch_ms=MS + 540)
    assert reused(made.url, "fork") == ["1"]
    assert reused(made.url, "base") == []


def test_those_that_were_over_before_the_fork_where_the_base_is_gone(made: Made) -> None:
    made.workflow("fork", forked_from="gone", created_at=MS + 5_000, completed_at=MS + 9_000)
    made.step("fork", 1)
    made.step("fork", 2, started_at_epoch_ms=MS + 6_000, completed_at_epoch_ms=MS + 7_000)
    assert reused(made.url, "fork") == ["1"]
    [first, *_] = [span for span in converted(made.url, "fork").spans if c.REUSED in span.attributes]
    assert first.links == ()
    assert first.attributes[c.SESSION_ID] == "gone"


def test_none_that_the_fork_has_done_by_a_clock_that_is_behind_the_databases(made: Made) -> None:
    made.workflow("base")
    made.workflow("fork", forked_from="base", created_at=MS + 5_000, completed_at=MS + 9_000)
    for workflow_id in ("base", "fork"):
        made.step(workflow_id, 1)
    made.step("base", 2, output=answer(), serialization=PORTABLE)
    later = {"started_at_epoch_ms": MS + 4_700, "completed_at_epoch_ms": MS + 4_900}
    made.step("fork", 2, output=answer("chatcmpl-2"), serialization=PORTABLE, **later)
    assert reused(made.url, "fork") == ["1"]
    assert converted(made.url, "fork").spans[0].attributes[c.LLM_CALLS] == 1


def test_a_copy_of_a_copy(made: Made) -> None:
    made.workflow("first")
    made.workflow("second", forked_from="first", created_at=MS + 2_000)
    made.workflow("third", forked_from="second", created_at=MS + 4_000)
    for workflow_id in ("first", "second", "third"):
        made.step(workflow_id, 1)
    assert reused(made.url, "third") == ["1"]
    assert converted(made.url, "third").spans[0].attributes[c.SESSION_ID] == "first"


def test_a_reused_answer_that_a_later_step_hands_on_is_not_paid_for_again(made: Made) -> None:
    made.workflow("base")
    made.workflow("fork", forked_from="base", created_at=MS + 1_000)
    for workflow_id in ("base", "fork"):
        made.step(workflow_id, 1, output=answer(), serialization=PORTABLE)
    later = {"started_at_epoch_ms": MS + 1_500, "completed_at_epoch_ms": MS + 1_600}
    made.step("fork", 2, function_name="wrap", output=f'{{"said": {answer()}}}', serialization=PORTABLE, **later)
    made.step("fork", 3, output=answer("chatcmpl-2"), serialization=PORTABLE, **later)
    assert converted(made.url, "fork").spans[0].attributes[c.LLM_CALLS] == 1


def test_a_child_whose_start_is_in_no_row_is_below_its_parents_run(made: Made) -> None:
    made.workflow("parent")
    made.workflow("child", parent_workflow_id="parent")
    made.step("parent", 1, function_name="DBOS.getResult", child_workflow_id="child")
    parent, child = converted(made.url, "parent").spans[0], converted(made.url, "child").spans[0]
    assert (child.trace_id, child.parent_id) == (parent.trace_id, parent.span_id)


def test_a_child_whose_parent_is_gone_has_a_trace_of_its_own(made: Made) -> None:
    made.workflow("child", parent_workflow_id="gone")
    child = converted(made.url, "child").spans[0]
    assert (child.trace_id, child.parent_id) == (run_trace_id("child"), None)


def test_a_childs_answer_is_not_its_parents(made: Made) -> None:
    made.workflow("parent")
    made.step("parent", 1, function_name="child", child_workflow_id="child-1")
    waited = {"function_name": "DBOS.getResult", "child_workflow_id": "child-1"}
    made.step("parent", 2, output=answer(), serialization=PORTABLE, **waited)
    made.step("parent", 3, function_name="wrap", output=answer(), serialization=PORTABLE)
    assert c.LLM_CALLS not in converted(made.url, "parent").spans[0].attributes
