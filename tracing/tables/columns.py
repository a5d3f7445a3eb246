"""Which columns do the tables have, of which type, and what do they mean?

The only place that lists them: files are written by it, and the page docs/parquet.md is held to it by a test.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

Table = Literal["spans", "steps", "runs"]
ColumnType = Literal["string", "int64", "double", "boolean", "timestamp", "decimal", "strings", "json"]

TYPES: Final[dict[ColumnType, str]] = {
    "string": "string",
    "int64": "int64",
    "double": "double",
    "boolean": "boolean",
    "timestamp": "timestamp(µs, UTC)",
    "decimal": "decimal(38, 18)",
    "strings": "list of string",
    "json": "string (JSON)",
}
"""Types as a reader of the files sees them."""

USD_SCALE: Final = 18
"""Decimals of amounts. Doubles would add up differently from one query to the next, as their order differs."""
USD_PRECISION: Final = 38


class Column(NamedTuple):
    """A column.

    Attributes:
        name: Name.
        type: Type.
        meaning: What it holds, with its unit, and when it is null.
    """

    name: str
    type: ColumnType
    meaning: str


_RUN: Final = (
    Column("trace_id", "string", "Trace ID, 32 hex digits."),
    Column("run_id", "string", "Run ID: the real one, also for reset runs."),
    Column("workflow_id", "string", "Workflow ID."),
    Column("workflow_type", "string", "Workflow type."),
    Column("namespace", "string", "Namespace."),
    Column("replay_id", "string", "ID of the replay, where it is one of `durable-trace replay`."),
)

_TIMES: Final = (
    Column("start_time", "timestamp", "Begin."),
    Column("end_time", "timestamp", "End; null while open."),
    Column("duration_s", "double", "Seconds from begin to end, exact to the ns; null while open."),
)

_SESSION: Final = (
    Column("session_id", "string", "Session: as set at start, else the workflow ID."),
    Column("user_id", "string", "User, where one was set."),
    Column("tags", "strings", "Tags, where some were set."),
    Column("environment", "string", "Environment, where one was set."),
    Column("service", "string", "`service.name` of the worker."),
    Column("service_version", "string", "`service.version` of the worker."),
)

_CONTENT: Final = (
    Column("input", "string", "Input, where content was captured."),
    Column("output", "string", "Output, where content was captured."),
)

_SPENT: Final = (
    Column("llm_calls", "int64", "Model calls of all attempts."),
    Column("failed_calls", "int64", "Model calls that failed, of those that have a span."),
    Column("client_retries", "int64", "Requests that model clients sent again by themselves, inside these calls."),
    Column("input_tokens", "int64", "Input tokens, cached ones included."),
    Column("output_tokens", "int64", "Output tokens, reasoning included."),
    Column("cached_input_tokens", "int64", "Part of the input read from a cache."),
    Column("reasoning_tokens", "int64", "Part of the output spent on reasoning."),
    Column("cost_usd", "decimal", "USD of all attempts; null where nothing of it is known."),
    Column("cost_at_least", "boolean", "True where a part of the cost is unknown, so that it may be higher."),
    Column("unknown_cost_calls", "int64", "Model calls whose cost is unknown."),
    Column("unknown_attempts", "int64", "Attempts of which nobody recorded all that they did."),
    Column("wasted_attempts", "int64", "Attempts whose result did not close their step."),
    Column("retry_waste_usd", "decimal", "USD of the wasted attempts; null where nothing of it is known."),
    Column("retry_waste_at_least", "boolean", "True where a part of that is unknown."),
    Column("models", "strings", "Models that answered, sorted."),
    Column("providers", "strings", "Their providers, sorted."),
)

RUNS: Final = (
    *_RUN,
    Column("status", "string", "completed, failed, canceled, terminated, timed_out, continued_as_new, running; a replay's outcome; unknown without its span."),  # noqa: E501 - one cell of the page
    *_TIMES,
    Column("span_id", "string", "Span ID of the run, 16 hex digits; null where its span is missing."),
    Column("parent_span_id", "string", "What started it: of a child the `span_id` of its parent's step."),
    Column("continued_run_id", "string", "Run that it continues or retries, or the cron's last."),
    Column("reset_base_run_id", "string", "Run that was reset, where this one came of it."),
    Column("attempt", "int64", "Attempt of the workflow, from 1."),
    Column("task_queue", "string", "Task queue."),
    Column("error_type", "string", "Class of the error it failed with."),
    Column("error_message", "string", "Its message, where content was captured."),
    Column("history_length", "int64", "Events before its last workflow task was done."),
    Column("worker_identity", "string", "Worker that did its last workflow task."),
    Column("build_id", "string", "Build ID of that worker."),
    Column("steps", "int64", "Steps, of every kind."),
    Column("reused_steps", "int64", "Steps whose result came from history."),
    Column("failed_steps", "int64", "Steps that failed or timed out."),
    Column("attempts", "int64", "Attempts of all activities, those without a span included."),
    *_SPENT,
    Column("price_sources", "strings", "Price lists that its calls were priced by, sorted."),
    Column("recovery_points", "int64", "Crashes that its history shows (docs/cost.md)."),
    Column("counterfactual_usd", "decimal", "USD it would have cost, begun again at each of these; null is unknown."),
    Column("counterfactual_at_least", "boolean", "True where a part of that is unknown."),
    *_SESSION,
    *_CONTENT,
    Column("ui_url", "string", "Its address in Temporal's UI, where the base is set."),
)  # fmt: skip
"""One row a run, or a replay of one."""

STEPS: Final = (
    *_RUN,
    Column("key", "string", "Kind and ID in the run: `activity:3`; `activity:3#2` where the ID was used before."),
    Column("kind", "string", "activity, local_activity, timer, child_workflow, signal, update, query, external_signal, external_cancel, nexus_operation; workflow_code for model calls of no activity."),  # noqa: E501 - one cell of the page
    Column("type", "string", "Activity type, child's workflow type, name of signal, update or query, Nexus service/operation."),  # noqa: E501 - one cell of the page
    Column("status", "string", "completed, failed, timed_out, canceled, open, or unclosed where its run ended first; unknown without its span."),  # noqa: E501 - one cell of the page
    *_TIMES,
    Column("span_id", "string", "Span ID of the step, 16 hex digits; null where it has none."),
    Column("activity_id", "string", "Activity ID."),
    Column("task_queue", "string", "Task queue."),
    Column("reused", "boolean", "True where its result came from history: it then cost nothing."),
    Column("reused_run_id", "string", "Run whose result that is."),
    Column("reused_span_id", "string", "`span_id` of that run's step."),
    Column("error_type", "string", "Class of the error it failed with."),
    Column("error_message", "string", "Its message, where content was captured."),
    Column("timeout_type", "string", "Which timeout struck."),
    Column("retry_state", "string", "Why a failed activity is not tried again."),
    Column("attempts", "int64", "Attempts it took, those without a span included; 0 where reused."),
    Column("max_attempts", "int64", "Limit of its retry policy; 0 is no limit."),
    Column("queue_time_s", "double", "Seconds that its first attempt waited for a worker, where known."),
    Column("target_workflow_id", "string", "Workflow ID of the child, or of the other workflow."),
    Column("target_run_id", "string", "Its run ID, where known."),
    *_SPENT,
    Column("result_cost_usd", "decimal", "USD of the attempt whose result closed it; null is unknown."),
    Column("result_cost_at_least", "boolean", "True where a part of that is unknown."),
    *_SESSION,
    *_CONTENT,
    Column("summary", "string", "Summary that the workflow's code gave it, where content was captured."),
)  # fmt: skip
"""One row a step."""

SPANS: Final = (
    *_RUN,
    Column("span_id", "string", "Span ID, 16 hex digits."),
    Column("parent_span_id", "string", "Parent's span ID in the same trace; null for a root."),
    Column("name", "string", "Name."),
    Column("kind", "string", "run, replay, attempt, a kind of step, model_call, tool, agent, or other."),
    Column("step_key", "string", "`key` of the step that it is, or is in."),
    Column("span_kind", "string", "OpenTelemetry's kind: internal, server, client, producer, consumer."),
    Column("status", "string", "OpenTelemetry's status: unset, ok, error."),
    Column("status_message", "string", "Description of an error, where content was captured."),
    *_TIMES,
    Column("activity_id", "string", "Activity ID."),
    Column("activity_type", "string", "Activity type."),
    Column("attempt", "int64", "Number of the attempt, from 1."),
    Column("task_queue", "string", "Task queue."),
    Column("queue_time_s", "double", "Seconds that the attempt waited for a worker, where known."),
    Column("worker_identity", "string", "Worker that ran it."),
    Column("build_id", "string", "Build ID of that worker."),
    Column("reused", "boolean", "True where the result came from history."),
    Column("error_type", "string", "Class of the error."),
    Column("timeout_type", "string", "Which timeout struck."),
    Column("operation", "string", "GenAI operation: chat, embeddings, execute_tool, invoke_agent …"),
    Column("provider", "string", "Provider of the model."),
    Column("model", "string", "Model that answered, else the one that was asked."),
    Column("requested_model", "string", "Model that was asked."),
    Column("tool", "string", "Name of the tool."),
    Column("agent", "string", "Name of the agent."),
    Column("input_tokens", "int64", "Input tokens of a model call, cached ones included."),
    Column("output_tokens", "int64", "Output tokens of a model call, reasoning included."),
    Column("cached_input_tokens", "int64", "Part of the input read from a cache."),
    Column("reasoning_tokens", "int64", "Part of the output spent on reasoning."),
    Column("client_retries", "int64", "Requests that the model client sent again inside the call."),
    Column("cost_usd", "decimal", "USD of a model call; null is unknown, or no model call."),
    Column("cost_source", "string", "Price list that it was priced by, with its version."),
    *_SESSION,
    *_CONTENT,
    Column("event_ids", "string", "Event IDs that it was read from: `1-4,8`; exported spans only."),
    Column("scope", "string", "Instrumentation scope."),
    Column("attributes", "json", "All other attributes, as an object."),
    Column("events", "json", "Its events: name, time (ns since the epoch), attributes."),
    Column("links", "json", "Its links: trace_id, span_id, attributes."),
    Column("resource", "json", "Resource attributes, as an object."),
)
"""One row a span. Tokens and cost stand on model calls only, so that a sum counts nothing twice."""

TABLES: Final[dict[Table, tuple[Column, ...]]] = {"spans": SPANS, "steps": STEPS, "runs": RUNS}
"""The tables by the names of their folders."""
