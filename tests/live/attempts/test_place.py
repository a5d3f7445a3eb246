"""Where an attempt stands: by the header of its step, else by its own info."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Any

import pytest

from tests.live.attempts.attempts import ATTEMPT_SPAN, INFO, LOCAL_STEP_SPAN, RUN_ID, STARTED, STARTED_NS, STEP_SPAN
from tracing.config import TracingConfig
from tracing.headers import SpanReference, TraceHeader
from tracing.live.attempts.place import AttemptPlace, place_attempt

TRACE = 0x0884FD559F037FEB254717F53BE6BB10
STANDALONE: dict[str, Any] = {
    "workflow_id": None,
    "workflow_run_id": None,
    "workflow_type": None,
    "activity_run_id": RUN_ID,
}


def place(header: TraceHeader | None = None, *, sampled: bool = True, **info: Any) -> AttemptPlace:
    config = TracingConfig(temporal_ui="http://localhost:8233")
    return place_attempt(config, dataclasses.replace(INFO, **info), header, resource={}, sampled=sampled)


class TestOfAWorkflow:
    def test_by_its_info(self) -> None:
        found = place()
        assert (found.run.trace_id, found.activity.step_id(found.run), found.span_id) == (
            TRACE,
            STEP_SPAN,
            ATTEMPT_SPAN,
        )

    def test_by_its_header(self) -> None:
        header = TraceHeader(traceparent=str(SpanReference(7, STEP_SPAN, sampled=False)), environment="staging")
        run = place(header).run
        assert (run.trace_id, run.sampled, run.environment) == (7, False, "staging")

    def test_a_later_attempt_waited_from_when_its_retry_was_due(self) -> None:
        due = STARTED - timedelta(microseconds=5)
        found = place(attempt=2, current_attempt_scheduled_time=due)
        assert (found.scheduled_us, found.history_lacks_scheduled) == (STARTED_NS // 1_000 - 5, True)

    def test_of_the_first_attempt_history_has_that_time(self) -> None:
        found = place()
        assert (found.scheduled_us, found.history_lacks_scheduled) == (STARTED_NS // 1_000 - 7_440, False)


class TestLocal:
    def test_it_is_another_step_than_an_activity_of_the_same_id(self) -> None:
        found = place(is_local=True)
        assert found.activity.step_id(found.run) == LOCAL_STEP_SPAN

    def test_one_that_backed_off_stays_under_its_first_step(self) -> None:
        header = TraceHeader(traceparent=str(SpanReference(TRACE, LOCAL_STEP_SPAN)))
        found = place(header, is_local=True, activity_id="2", attempt=2)
        assert (found.run.trace_id, found.activity.step_id(found.run)) == (TRACE, LOCAL_STEP_SPAN)

    def test_its_ledger_must_have_the_time_it_was_scheduled(self) -> None:
        assert place(is_local=True).history_lacks_scheduled


class TestStandalone:
    def test_it_goes_on_under_the_clients_span(self) -> None:
        header = TraceHeader(traceparent=str(SpanReference(7, 8)), session="chat-17", tags=("beta",))
        found = place(header, **STANDALONE)
        assert (found.run.trace_id, found.activity.span_id, found.span_id) == (7, 8, ATTEMPT_SPAN)
        assert found.run.common_attributes() == {
            "temporal.namespace": "default",
            "temporal.activity.run_id": RUN_ID,
            "session.id": "chat-17",
            "gen_ai.conversation.id": "chat-17",
            "tag.tags": ("beta",),
            "langfuse.trace.tags": ("beta",),
        }

    @pytest.mark.parametrize("sampled", [True, False])
    def test_without_one_it_has_a_trace_of_its_own(self, *, sampled: bool) -> None:
        found = place(sampled=sampled, **STANDALONE)
        assert (found.run.trace_id, found.activity.span_id, found.run.sampled) == (
            0x9637F881410C26130C5C48A05B182CB8,
            None,
            sampled,
        )
        assert found.run.common_attributes()["session.id"] == "1"
