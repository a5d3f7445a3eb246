"""Which trace a run belongs to, and whether it is sampled, from what its start says."""

from __future__ import annotations

from typing import Any

import pytest

from tracing.headers import ClientStart, SpanReference, TraceHeader
from tracing.runs import Run, RunStart, StandaloneRun, run_of

RUN = "0199c0de-0000-7000-8000-000000000001"
EARLIER = "0199c0de-0000-7000-8000-000000000000"
OWN_TRACE = 0x0884FD559F037FEB254717F53BE6BB10
CLIENT_TRACE, CLIENT_SPAN = 0x11111111111111111111111111111111, 0x2222222222222222
TRACEPARENT = f"00-{CLIENT_TRACE:032x}-{CLIENT_SPAN:016x}-01"
UNSAMPLED = f"00-{CLIENT_TRACE:032x}-{CLIENT_SPAN:016x}-00"


def run(header: TraceHeader | None, *, sampled: bool = True, **changes: Any) -> Run:
    start = {
        "namespace": "default",
        "workflow_id": "research-1",
        "run_id": RUN,
        "workflow_type": "Research",
        "first_run_id": RUN,
        "header": header,
        **changes,
    }
    return run_of(RunStart(**start), resource={"service.name": "agents"}, sampled=sampled)


def test_without_a_header_the_run_id_decides() -> None:
    assert run(None) == Run(
        namespace="default",
        workflow_id="research-1",
        run_id=RUN,
        workflow_type="Research",
        trace_id=OWN_TRACE,
        resource={"service.name": "agents"},
    )
    assert f"{run(None).span_id:016x}" == "ba9a8c23fb2921d1"


def test_a_clients_span_is_continued() -> None:
    header = TraceHeader(
        traceparent=TRACEPARENT, session="chat-17", user="ada", tags=("beta",), start=ClientStart(5, "3" * 16)
    )
    assert run(header) == Run(
        namespace="default",
        workflow_id="research-1",
        run_id=RUN,
        workflow_type="Research",
        trace_id=CLIENT_TRACE,
        parent=CLIENT_SPAN,
        session_id="chat-17",
        user_id="ada",
        tags=("beta",),
        resource={"service.name": "agents"},
        start=ClientStart(5, "3" * 16),
    )


@pytest.mark.parametrize(
    "later",
    [{"first_run_id": EARLIER}, {"cron": True}, {"scheduled": True}],
    ids=["continued or retried", "cron", "schedule"],
)
def test_a_copied_header_does_not_put_other_runs_into_its_trace(later: dict[str, Any]) -> None:
    header = TraceHeader(traceparent=TRACEPARENT, session="chat-17", start=ClientStart(5))
    following = run(header, **later)
    assert (following.trace_id, following.parent, following.start) == (OWN_TRACE, None, None)
    assert following.session_id == "chat-17"


@pytest.mark.parametrize(
    ("header", "sampler", "sampled"),
    [
        (None, True, True),
        (None, False, False),
        (TraceHeader(), False, False),
        (TraceHeader(sampled=True), False, True),
        (TraceHeader(sampled=False), True, False),
        (TraceHeader(traceparent=TRACEPARENT), False, True),
        (TraceHeader(traceparent=UNSAMPLED), True, False),
        (TraceHeader(traceparent="broken"), False, False),
    ],
)
def test_the_header_carries_the_sampling_decision(header: TraceHeader | None, *, sampler: bool, sampled: bool) -> None:
    assert run(header, sampled=sampler).sampled is sampled


def test_a_retried_run_keeps_the_decision_of_its_chain() -> None:
    assert not run(TraceHeader(traceparent=UNSAMPLED), first_run_id=EARLIER).sampled


def test_every_span_repeats_the_run() -> None:
    assert run(TraceHeader(session="chat-17", user="ada", tags=("beta", "eu"))).common_attributes() == {
        "temporalWorkflowID": "research-1",
        "temporalRunID": RUN,
        "temporal.namespace": "default",
        "temporal.workflow.type": "Research",
        "session.id": "chat-17",
        "gen_ai.conversation.id": "chat-17",
        "user.id": "ada",
        "tag.tags": ("beta", "eu"),
        "langfuse.trace.tags": ("beta", "eu"),
    }


def test_without_a_session_the_workflow_id_is_one() -> None:
    assert run(None).common_attributes() == {
        "temporalWorkflowID": "research-1",
        "temporalRunID": RUN,
        "temporal.namespace": "default",
        "temporal.workflow.type": "Research",
        "session.id": "research-1",
        "gen_ai.conversation.id": "research-1",
    }


def test_an_environment_is_repeated_where_the_user_set_one() -> None:
    assert run(TraceHeader(environment="staging")).common_attributes()["deployment.environment.name"] == "staging"


@pytest.mark.parametrize("address", ["http://localhost:8233", "http://localhost:8233/"])
def test_so_is_the_runs_address_in_temporals_ui(address: str) -> None:
    start = RunStart(
        namespace="prod.acme",
        workflow_id="chat/17 ö?#",
        run_id=RUN,
        workflow_type="Research",
        first_run_id=RUN,
    )
    shown = run_of(start, resource={}, ui_address=address)
    assert shown.common_attributes()["temporal.ui.url"] == (
        f"http://localhost:8233/namespaces/prod.acme/workflows/chat%2F17%20%C3%B6%3F%23/{RUN}/history"
    )


def test_a_run_left_out_is_the_same_run_unsampled() -> None:
    assert run(None).left_out() == run(None, sampled=False)


def test_the_trace_of_a_chain_is_told_by_its_first_run_alone() -> None:
    start = RunStart(
        namespace="default",
        workflow_id="research-1",
        run_id=RUN,
        workflow_type="Research",
        first_run_id=EARLIER,
        header=TraceHeader(traceparent=TRACEPARENT),
    )
    assert start.parent is None
    assert start.first_parent == SpanReference(CLIENT_TRACE, CLIENT_SPAN)


def test_a_standalone_activity_is_no_workflow() -> None:
    activity = StandaloneRun(
        namespace="default", workflow_id="look-up-1", run_id=RUN, workflow_type="", trace_id=1, ui_address="http://ui"
    )
    assert activity.common_attributes() == {
        "temporal.activity.run_id": RUN,
        "temporal.namespace": "default",
        "session.id": "look-up-1",
        "gen_ai.conversation.id": "look-up-1",
    }
