"""What log records of workflows and activities say of their trace."""

from __future__ import annotations

import logging

import pytest
import temporalio.activity
import temporalio.workflow
from opentelemetry import context, trace

from tracing.live.log_records import TraceFields, add_trace_fields

SPAN = trace.SpanContext(0x0123456789ABCDEF0123456789ABCDEF, 0x00DCBA9876543210, is_remote=False)


@pytest.fixture
def _in_a_span() -> object:
    token = context.attach(trace.set_span_in_context(trace.NonRecordingSpan(SPAN)))
    yield
    context.detach(token)


def record(**fields: object) -> logging.LogRecord:
    made = logging.makeLogRecord({"msg": "hello", **fields})
    assert TraceFields().filter(made)
    return made


@pytest.mark.usefixtures("_in_a_span")
def test_they_name_the_current_span() -> None:
    made = record()
    assert (made.trace_id, made.span_id) == ("0123456789abcdef0123456789abcdef", "00dcba9876543210")


def test_without_a_span_a_format_string_still_works() -> None:
    assert logging.Formatter("[%(trace_id)s/%(span_id)s] %(message)s").format(record()) == "[/] hello"


@pytest.mark.usefixtures("_in_a_span")
def test_what_whoever_logs_has_set_stays() -> None:
    assert record(trace_id="theirs").trace_id == "theirs"


@pytest.mark.parametrize("adapter", [temporalio.workflow.logger, temporalio.activity.logger])
def test_both_loggers_get_them_however_often_it_is_asked(adapter: temporalio.workflow.LoggerAdapter) -> None:
    add_trace_fields()
    add_trace_fields()
    assert [type(each) for each in adapter.base_logger.filters].count(TraceFields) == 1
