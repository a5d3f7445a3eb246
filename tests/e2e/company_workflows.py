"""The workflows of the tests that look at other plugins' and users' own telemetry."""

from __future__ import annotations

from typing import Any

from temporalio import activity, workflow

with workflow.unsafe.imports_passed_through():
    from opentelemetry import _logs, metrics, trace
    from opentelemetry.trace import SpanKind

    from tests.e2e.live_workflows import SHORT, SOON, classify


@workflow.defn
class Planned:
    """Traces, counts and logs in its own code, as users and libraries do."""

    def __init__(self) -> None:
        self._notes: list[str] = []

    @workflow.run
    async def run(self, topic: str) -> str:
        tracer = trace.get_tracer("app")
        with tracer.start_as_current_span("plan", attributes={"topic": topic}):
            workflow.logger.info("planning %s", topic)
            metrics.get_meter("app").create_counter("plans").add(1)
            _logs.get_logger("app").emit(body="planned", event_name="plan")
            said = await workflow.execute_activity(classify, topic, start_to_close_timeout=SHORT)
        await workflow.sleep(SOON)
        await workflow.wait_condition(lambda: bool(self._notes))
        with tracer.start_as_current_span("wrap up", kind=SpanKind.INTERNAL):
            workflow.logger.info("done")
        return f"{said}; {self._notes}"

    @workflow.signal
    async def note(self, text: str) -> None:
        with trace.get_tracer("app").start_as_current_span("take note"):
            self._notes.append(text)

    @workflow.update
    async def ask(self, text: str) -> str:
        with trace.get_tracer("app").start_as_current_span("answer"):
            workflow.logger.info("answering")
        return text.upper()

    @workflow.query
    def notes(self) -> dict[str, Any]:
        span = trace.get_current_span().get_span_context()
        return {"notes": self._notes, "span": f"{span.span_id:016x}"}


@workflow.defn
class Held:
    """Waits inside spans of its own, of its run and of a handler."""

    def __init__(self) -> None:
        self._released = False

    @workflow.run
    async def run(self) -> None:
        with trace.get_tracer("app").start_as_current_span("hold"):
            await workflow.wait_condition(lambda: self._released)

    @workflow.signal
    async def look(self) -> None:
        with trace.get_tracer("app").start_as_current_span("look"):
            await workflow.wait_condition(lambda: self._released)

    @workflow.update
    async def held(self) -> bool:
        return not self._released

    @workflow.signal
    def release(self) -> None:
        self._released = True


@activity.defn
async def logs(text: str) -> str:
    """Logs a line."""
    activity.logger.info("said %s", text)
    return text


@activity.defn
def logs_in_a_thread(text: str) -> str:
    """Logs a line, in a thread."""
    activity.logger.info("said %s", text)
    return text


@workflow.defn
class Logging:
    """Its activities log."""

    @workflow.run
    async def run(self) -> None:
        for each in (logs, logs_in_a_thread):
            await workflow.execute_activity(each, "hello", start_to_close_timeout=SHORT)


COMPANY_WORKFLOWS = [Planned, Held, Logging]
COMPANY_ACTIVITIES = [classify, logs, logs_in_a_thread]
