"""What do the rows of the three tables say of a run?"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cost.runs import Attempt, RecordedRun, at
from tests.history.recording import BASE_RUN_ID, RUN_ID, Recording, payload, step_header
from tests.tables.fleet import FLEET, lost_calls, research, reset, rows, support, tables_of
from tracing import conventions as c
from tracing.config import TracingConfig
from tracing.cost import accounts
from tracing.history import History, read, to_spans
from tracing.spans.model import Event, Link, Span, SpanKind, StatusCode
from tracing.tables import TABLES
from tracing.tables.cells import usd_cell
from tracing.tables.parquet import TableFile
from tracing.tables.rows import rows_of_run

if TYPE_CHECKING:
    from collections.abc import Iterable

DATA = Path(__file__).parents[1] / "data"


def recorded_histories() -> list[Span]:
    found = read(*(path for path in DATA.iterdir() if path.is_dir()))
    return [span for history in found if isinstance(history, History) for span in to_spans(history, TracingConfig())]


def test_the_steps_of_the_worked_example(tmp_path: Path) -> None:
    folder = tables_of(tmp_path, research()).folder

    columns = ("key", "type", "status", "attempts", "llm_calls", "cost_usd", "cost_at_least", "retry_waste_usd")
    assert [tuple(map(str, row)) for row in rows(folder, "steps", *columns)] == [
        ("activity:1", "call_llm", "completed", "1", "1", "0.004632500000000000", "False", "0E-18"),
        ("activity:2", "search_web", "completed", "1", "0", "0E-18", "False", "0E-18"),
        ("activity:3", "call_llm", "completed", "2", "1", "0.008077500000000000", "True", "None"),
        ("activity:4", "call_llm", "completed", "2", "2", "0.013780000000000000", "False", "0.002267500000000000"),
        ("activity:5", "generate_report", "completed", "1", "0", "0E-18", "False", "0E-18"),
    ]


def test_the_run_of_the_worked_example(tmp_path: Path) -> None:
    folder = tables_of(tmp_path, research()).folder

    (run,) = (row for row in rows(folder, "runs", *(column.name for column in TABLES["runs"])))
    named = dict(zip((column.name for column in TABLES["runs"]), run, strict=True))
    assert {name: value for name, value in named.items() if value is not None} == {
        "trace_id": f"{research()[0].trace_id:032x}",
        "span_id": f"{research()[0].span_id:016x}",
        "run_id": "run-1",
        "workflow_id": "research-1",
        "workflow_type": "ResearchAgentWorkflow",
        "namespace": "default",
        "status": "completed",
        "start_time": _time(0),
        "end_time": _time(60),
        "duration_s": 60.0,
        "attempt": 1,
        "task_queue": "research-agent-queue",
        "history_length": 60,
        "worker_identity": "4242@agent-host",
        "steps": 5,
        "reused_steps": 0,
        "failed_steps": 0,
        "attempts": 7,
        "llm_calls": 4,
        "failed_calls": 0,
        "client_retries": 0,
        "input_tokens": 1009 + 2003 + 503 + 3001,
        "output_tokens": 211 + 307 + 101 + 401,
        "cached_input_tokens": 0,
        "reasoning_tokens": 0,
        "cost_usd": Decimal("0.02649"),
        "cost_at_least": True,
        "unknown_cost_calls": 0,
        "unknown_attempts": 1,
        "wasted_attempts": 2,
        "retry_waste_usd": Decimal("0.0022675"),
        "retry_waste_at_least": True,
        "models": ["gpt-4o-2024-08-06"],
        "providers": ["openai"],
        "price_sources": ["genai-prices 0.2.3"],
        "recovery_points": 2,
        "counterfactual_usd": Decimal("0.055345"),
        "counterfactual_at_least": True,
        "session_id": "chat-17",
        "user_id": "ada",
        "tags": ["beta", "eu"],
        "service": "research-agent",
    }


def test_the_spans_of_a_step(tmp_path: Path) -> None:
    folder = tables_of(tmp_path, research()).folder

    columns = ("name", "kind", "step_key", "span_kind", "status", "attempt", "queue_time_s", "input_tokens", "cost_usd")
    assert [row for row in rows(folder, "spans", *columns) if row[2] in {None, "activity:4"}] == [
        ("RunWorkflow:ResearchAgentWorkflow", "run", None, "server", "unset", 1, None, None, None),
        ("StartActivity:call_llm", "activity", "activity:4", "client", "unset", None, None, None, None),
        ("RunActivity:call_llm", "attempt", "activity:4", "server", "error", 1, 0.5, None, None),
        ("chat gpt-4o", "model_call", "activity:4", "client", "unset", None, None, 503, Decimal("0.0022675")),
        ("RunActivity:call_llm", "attempt", "activity:4", "server", "unset", 2, None, None, None),
        ("chat gpt-4o", "model_call", "activity:4", "client", "unset", None, None, 3001, Decimal("0.0115125")),
    ]


def test_every_kind_of_step(tmp_path: Path) -> None:
    recording = Recording()
    task = recording.task()
    recording.add(
        "timer_started", timer_id="7", start_to_fire_timeout={"seconds": 1}, workflow_task_completed_event_id=task
    )
    recording.add("timer_canceled", timer_id="7", started_event_id=5)
    child = recording.add(
        "start_child_workflow_execution_initiated",
        workflow_id="child-1",
        workflow_type={"name": "Child"},
        workflow_task_completed_event_id=task,
    )
    recording.add(
        "child_workflow_execution_started",
        initiated_event_id=child,
        workflow_execution={"workflow_id": "child-1", "run_id": "child-run"},
    )
    recording.add("child_workflow_execution_timed_out", initiated_event_id=child)
    recording.add("workflow_execution_signaled", signal_name="hurry")
    recording.add("workflow_execution_signaled", signal_name="hurry")
    recording.add(
        "signal_external_workflow_execution_initiated",
        signal_name="wake",
        workflow_execution={"workflow_id": "other", "run_id": "other-run"},
        workflow_task_completed_event_id=task,
    )
    recording.add(
        "request_cancel_external_workflow_execution_initiated",
        workflow_execution={"workflow_id": "other"},
        workflow_task_completed_event_id=task,
    )
    recording.add(
        "nexus_operation_scheduled",
        endpoint="payments",
        service="Payments",
        operation="charge",
        workflow_task_completed_event_id=task,
    )
    recording.add(
        "workflow_execution_update_accepted",
        accepted_request={"meta": {"update_id": "u-1"}, "input": {"name": "rename", "args": {"payloads": [payload()]}}},
    )
    recording.task()

    folder = tables_of(tmp_path, recording.spans()).folder

    columns = ("kind", "key", "type", "status", "error_type", "target_workflow_id", "cost_usd")
    zero = Decimal(0)
    assert sorted(rows(folder, "steps", *columns), key=lambda row: row[1]) == [
        ("child_workflow", "child_workflow:child-1", "Child", "timed_out", "TimeoutError", "child-1", zero),
        ("external_cancel", "external_cancel:other", None, "open", None, "other", zero),
        ("external_signal", "external_signal:wake", "wake", "open", None, "other", zero),
        ("nexus_operation", "nexus_operation:payments/Payments/charge", "Payments/charge", "open", None, None, zero),
        ("signal", "signal:hurry", "hurry", "completed", None, None, zero),
        ("signal", "signal:hurry#2", "hurry", "completed", None, None, zero),
        ("timer", "timer:7", None, "canceled", None, None, zero),
        ("update", "update:u-1", "rename", "open", None, None, zero),
    ]


def test_a_reused_step_says_whose_result_it_took(tmp_path: Path) -> None:
    folder = tables_of(tmp_path, reset()).folder

    columns = ("key", "reused", "reused_run_id", "attempts", "cost_usd", "result_cost_usd")
    assert rows(folder, "steps", *columns) == [
        ("activity:1", True, "run-1", 0, Decimal(0), None),
        ("activity:2", True, "run-1", 0, Decimal(0), None),
        ("activity:3", True, "run-1", 0, Decimal(0), None),
        ("activity:4", False, None, 1, Decimal("0.25"), Decimal(0)),
    ]


def test_a_run_says_which_run_it_continues_and_of_which_it_is_a_reset(tmp_path: Path) -> None:
    continued = Recording(continued_execution_run_id="run-before", first_execution_run_id="run-before")
    continued.task()
    again = Recording(run_id="5f0e4f7e-0000-4000-8000-000000000002", continued_execution_run_id="run-before")
    again.task()
    again.reset()

    folder = tables_of(tmp_path, continued.spans(), again.spans()).folder

    assert rows(folder, "runs", "run_id", "continued_run_id", "reset_base_run_id") == [
        (RUN_ID, "run-before", None),
        ("5f0e4f7e-0000-4000-8000-000000000002", "run-before", BASE_RUN_ID),
    ]


def test_a_childs_run_names_the_step_of_its_parent(tmp_path: Path) -> None:
    parent = Recording()
    task = parent.task()
    parent.add(
        "start_child_workflow_execution_initiated",
        workflow_id="child-1",
        workflow_type={"name": "Child"},
        workflow_task_completed_event_id=task,
        header=step_header("child-1", kind="child_workflow"),
    )
    child = Recording(run_id="child-run", header=step_header("child-1", kind="child_workflow"))

    folder = tables_of(tmp_path, parent.spans(), child.spans()).folder

    (step,) = rows(folder, "steps", "trace_id", "span_id")
    assert [row[1:] for row in rows(folder, "runs", "run_id", "trace_id", "parent_span_id")] == [
        (step[0], None),
        step,
    ]


def test_unknown_cost_is_null_and_counted(tmp_path: Path) -> None:
    folder = tables_of(tmp_path, support()).folder

    spent = ("cost_usd", "cost_at_least", "unknown_cost_calls")
    assert rows(folder, "steps", "key", *spent) == [
        ("activity:1", Decimal("0.5"), False, 0),
        ("activity:2", None, True, 1),
    ]
    assert rows(folder, "runs", *spent) == [(Decimal("0.5"), True, 1)]
    assert [row for row in rows(folder, "spans", "model", "cost_usd", "input_tokens") if row[0]] == [
        ("gpt-4o-2024-08-06", Decimal("0.5"), 1000),
        ("llama-4", None, 70),
    ]


def test_an_open_run_has_no_end(tmp_path: Path) -> None:
    folder = tables_of(tmp_path, lost_calls()).folder

    assert rows(folder, "runs", "status", "end_time", "duration_s", "cost_usd", "cost_at_least") == [
        ("running", None, None, Decimal("0.1875"), True)
    ]
    assert rows(folder, "steps", "key", "status", "end_time", "cost_usd") == [
        ("activity:1", "completed", _time(4), Decimal("0.1875")),
        ("activity:2", "open", None, None),
    ]


def test_a_run_whose_own_span_was_lost(tmp_path: Path) -> None:
    folder = tables_of(tmp_path, research()[1:]).folder

    assert rows(folder, "runs", "run_id", "workflow_id", "status", "span_id", "end_time", "cost_usd") == [
        ("run-1", "research-1", "unknown", None, None, Decimal("0.02649"))
    ]


def test_model_calls_of_no_activity_are_a_step_of_their_own(tmp_path: Path) -> None:
    run = RecordedRun()
    root = run.spans()[0]
    call = Span(
        trace_id=root.trace_id,
        span_id=7,
        parent_id=root.span_id,
        name="chat gpt-4o",
        kind=SpanKind.CLIENT,
        start=at(1),
        end=at(2),
        attributes={c.RUN_ID: "run-1", c.OPERATION: "chat", c.COST: 0.125},
    )

    folder = tables_of(tmp_path, [root, call]).folder

    assert rows(folder, "steps", "key", "kind", "type", "span_id", "cost_usd") == [
        ("workflow", "workflow_code", None, None, Decimal("0.125"))
    ]
    assert rows(folder, "spans", "name", "step_key")[1] == ("chat gpt-4o", "workflow")


def test_spans_of_no_run_are_spans_only(tmp_path: Path) -> None:
    request = Span(1, 2, None, "GET /chat", SpanKind.SERVER, at(0), at(1), {"http.request.method": "GET"})

    folder = tables_of(tmp_path, [request]).folder

    assert rows(folder, "spans", "span_id", "run_id", "kind", "attributes") == [
        ("0000000000000002", None, "other", '{"http.request.method":"GET"}')
    ]
    assert rows(folder, "steps", "key") == rows(folder, "runs", "run_id") == []


def test_what_has_no_column_is_kept_as_json(tmp_path: Path) -> None:
    recording = Recording()
    recording.add("workflow_execution_signaled", signal_name="hurry")
    recording.add("workflow_execution_cancel_requested")
    recording.task()

    folder = tables_of(tmp_path, recording.spans()).folder

    columns = ("attributes", "events", "links", "resource")
    attributes, events, links, resource = rows(folder, "spans", *columns)[0]
    assert json.loads(attributes) == {
        "durable.unclosed": True,
        "gen_ai.conversation.id": "wf",
        "langfuse.trace.name": "Research",
        "openinference.span.kind": "CHAIN",
        "temporal.history_length": 5,
        "temporal.run.status": "running",
    }
    assert [event["name"] for event in json.loads(events)] == ["WorkflowExecutionCancelRequested"]
    assert links is None
    assert json.loads(resource) == {"service.name": "unknown_service"}


def test_content_is_there_where_it_was_captured(tmp_path: Path) -> None:
    run = RecordedRun().step("plan", 1, 2, Attempt(1, 2), given='{"topic": "x"}', result='"a plan"')
    spans = run.spans(given='"question"', result='"answer"')

    folder = tables_of(tmp_path, spans).folder

    assert rows(folder, "runs", "input", "output") == [("question", "answer")]
    assert rows(folder, "steps", "input", "output") == [('{"topic": "x"}', "a plan")]


def test_hostile_values_are_cells_of_their_columns_type(tmp_path: Path) -> None:
    odd = {
        c.RUN_ID: "r",
        c.WORKFLOW_TYPE: "W",
        c.WORKFLOW_ID: 5,
        c.ATTEMPT: 1 << 70,
        c.LLM_CALLS: 1 << 70,
        c.TOTAL_COST: 1e300,
        c.QUEUE_TIME: "long",
        c.REUSED: "yes",
        c.TAGS: "a",
        c.HISTORY_LENGTH: 1 << 70,
    }
    activity = odd | {c.ACTIVITY_ID: "1", c.ACTIVITY_TYPE: "A"}
    run = Span(1, 1, None, "RunWorkflow:W", SpanKind.SERVER, 0, (1 << 64) - 1, odd)
    step = Span(1, 2, 1, "StartActivity:A", SpanKind.CLIENT, (1 << 64) - 1, 1, activity | {c.ATTEMPTS: 1 << 70})

    # A file of ours cannot hold some of these; a file of others can.
    found = rows_of_run("r", [run, step])
    for table, columns in TABLES.items():
        (tmp_path / table).mkdir()
        with TableFile(tmp_path / table / "part-00000.parquet", columns) as file:
            for row in found[table]:
                file.write(row)

    assert rows(tmp_path, "runs", "workflow_id", "llm_calls", "cost_usd", "cost_at_least", "history_length") == [
        (None, (1 << 63) - 1, None, True, (1 << 63) - 1)
    ]
    assert rows(tmp_path, "steps", "key", "reused", "tags", "duration_s") == [("activity:1", False, None, 0.0)]
    kept = json.loads(rows(tmp_path, "spans", "attributes")[0][0])
    assert (kept[c.WORKFLOW_ID], kept[c.ATTEMPT], kept[c.QUEUE_TIME], kept[c.REUSED]) == (5, 1 << 70, "long", "yes")


KEYS = sorted({*c.REFERENCE, c.OPERATION, c.PROVIDER, c.REQUEST_MODEL, c.RESPONSE_MODEL, c.USAGE_INPUT, c.USAGE_OUTPUT})
TEXT = st.text(st.sampled_from("a:\x00é\ud800"), max_size=3)
NAMES = ["RunWorkflow:", "StartActivity:", "RunActivity:", "Timer", "HandleSignal:", "StartChildWorkflow:", "chat"]
VALUES = st.one_of(
    TEXT,
    st.just("chat"),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.lists(TEXT, max_size=2).map(tuple),
)
IDS = st.integers(1, 4)
ANY_SPAN = st.builds(
    Span,
    trace_id=st.just(1),
    span_id=IDS,
    parent_id=st.none() | IDS,
    name=st.sampled_from(NAMES) | TEXT,
    kind=st.sampled_from(SpanKind),
    start=st.integers(0, (1 << 64) - 1),
    end=st.none() | st.integers(0, (1 << 64) - 1),
    attributes=st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=8).map(lambda values: values | {c.RUN_ID: "r"}),
    status=st.sampled_from(StatusCode),
    status_message=TEXT,
    events=st.lists(
        st.builds(Event, TEXT, st.integers(0, 1 << 64), st.dictionaries(TEXT, VALUES, max_size=1)), max_size=1
    ).map(tuple),
    links=st.lists(st.builds(Link, IDS, IDS, st.dictionaries(st.just(c.RUN_ID), VALUES)), max_size=2).map(tuple),
    resource=st.dictionaries(st.sampled_from([c.SERVICE_NAME, "x"]), VALUES, max_size=1),
)


@pytest.mark.slow
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(ANY_SPAN, min_size=1, max_size=4))
def test_whatever_a_trace_holds_fits_the_columns(tmp_path: Path, spans: list[Span]) -> None:
    found = rows_of_run("r", spans)

    for table, columns in TABLES.items():
        with TableFile(tmp_path / f"{table}.parquet", columns) as file:
            for row in found[table]:
                file.write(row)
        read_back = pq.read_table(tmp_path / f"{table}.parquet").to_pydict()
        assert read_back["run_id"] == ["r"] * len(found[table])
        for column in columns:
            if column.type == "json":
                assert all(text is None or isinstance(json.loads(text), dict | list) for text in read_back[column.name])


@pytest.mark.parametrize("spans", [*(run() for run in FLEET.values()), recorded_histories()], ids=[*FLEET, "recorded"])
def test_sums_are_those_of_the_accounts(spans: Iterable[Span], tmp_path: Path) -> None:
    spans = list(spans)
    found = accounts(spans)
    assert found

    folder = tables_of(tmp_path, spans).folder

    spent = ("llm_calls", "input_tokens", "output_tokens", "cost_usd", "unknown_cost_calls", "retry_waste_usd")
    expected = {
        (run.run_id, run.replay_id or None): (
            run.usage.calls,
            run.usage.input_tokens,
            run.usage.output_tokens,
            usd_cell(run.amount.usd),
            run.usage.unknown_cost_calls,
            usd_cell(run.waste.usd),
        )
        for run in found
    }
    told = {row[:2]: row[2:] for row in rows(folder, "runs", "run_id", "replay_id", *spent)}
    assert told == expected
    by_run: dict[tuple[str, str | None], list[Decimal]] = {}
    for run_id, replay_id, *numbers in rows(folder, "steps", "run_id", "replay_id", *spent):
        sums = by_run.setdefault((run_id, replay_id), [Decimal(0)] * len(spent))
        by_run[run_id, replay_id] = [sum_ + (number or 0) for sum_, number in zip(sums, numbers, strict=True)]
    assert {run: [number or 0 for number in numbers] for run, numbers in expected.items() if run in by_run} == by_run


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(at(seconds) / 1e9, tz=UTC)
