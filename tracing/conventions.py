"""Which attribute keys, span names and header names do we use?

The only module that spells them. Engine mechanics carry the names of Temporal's own OpenTelemetry integration
(``temporalio.contrib.opentelemetry``), AI operations those of the OpenTelemetry GenAI semantic conventions
(schema 1.42.0-dev, in development), content those of OpenInference and Langfuse, as far as their backends need them.
What nobody has a name for is ours: ``temporal.*`` for Temporal's facts, ``durable.*`` for facts of any durable engine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

AttributeType = Literal["string", "int", "double", "boolean", "string[]"]


@dataclass(frozen=True, slots=True)
class Attribute:
    """One line of the attribute reference.

    Attributes:
        key: The attribute's key.
        type: Its type, in OpenTelemetry's words.
        unit: UCUM unit, or "" where the value has none.
        meaning: What it says.
        on: The spans that carry it.
        reader: "both" where live spans and exported spans carry it alike; else the one reader that can know it.
    """

    key: str
    type: AttributeType
    unit: str
    meaning: str
    on: str
    reader: Literal["both", "live", "history"] = "both"


REFERENCE: Final[dict[str, Attribute]] = {}
"""Every attribute that the toolkit sets itself, by key."""


def _define(  # noqa: PLR0917 - a table row reads best in one line
    key: str,
    type_: AttributeType,
    unit: str,
    meaning: str,
    on: str,
    reader: Literal["both", "live", "history"] = "both",
) -> str:
    REFERENCE[key] = Attribute(key, type_, unit, meaning, on, reader)
    return key


HEADER: Final = "durable-trace"
"""Temporal header field and payload metadata key of this toolkit."""

FOREIGN_HEADER: Final = "_tracer-data"
"""Header field of Temporal's own OpenTelemetry integrations."""

SCOPE_NAME: Final = "durable-trace"
"""Instrumentation scope of the spans that this toolkit builds."""

# --- identity, on every span of a run ---
WORKFLOW_ID: Final = _define("temporalWorkflowID", "string", "", "Workflow ID.", "every span")
RUN_ID: Final = _define("temporalRunID", "string", "", "Run ID: the real one, also for reset runs.", "every span")
NAMESPACE: Final = _define("temporal.namespace", "string", "", "Namespace of the run.", "every span")
WORKFLOW_TYPE: Final = _define("temporal.workflow.type", "string", "", "Workflow type.", "every span")
SESSION_ID: Final = _define(
    "session.id", "string", "", "Session: as set at start, else the workflow ID; shared by a chain.", "every span"
)
CONVERSATION_ID: Final = _define(
    "gen_ai.conversation.id", "string", "", "The same as session.id, by GenAI's name.", "every span"
)
USER_ID: Final = _define("user.id", "string", "", "User, where `session(user=…)` set one.", "every span")
TAGS: Final = _define("tag.tags", "string[]", "", "Tags, where `session(tags=…)` set some.", "every span")
LANGFUSE_TAGS: Final = _define("langfuse.trace.tags", "string[]", "", "The same tags, for Langfuse.", "every span")

# --- engine mechanics ---
ACTIVITY_ID: Final = _define("temporalActivityID", "string", "", "Activity ID.", "StartActivity, RunActivity, inner")
ACTIVITY_TYPE: Final = _define("temporal.activity.type", "string", "", "Activity type.", "StartActivity, RunActivity")
TASK_QUEUE: Final = _define(
    "temporal.task_queue", "string", "", "Task queue.", "RunWorkflow, StartActivity, RunActivity"
)
ATTEMPT: Final = _define(
    "temporal.attempt", "int", "{attempt}", "Number of this attempt, from 1.", "RunWorkflow, RunActivity"
)
ATTEMPTS: Final = _define(
    "temporal.attempts", "int", "{attempt}", "Attempts the step took, where its result says so.", "StartActivity"
)
MAX_ATTEMPTS: Final = _define(
    "temporal.max_attempts",
    "int",
    "{attempt}",
    "Limit of the retry policy; 0 is no limit.",
    "StartActivity, RunActivity",
)
QUEUE_TIME: Final = _define(
    "temporal.queue_time", "double", "s", "Scheduled until started; first attempts only.", "RunActivity"
)
WORKER_IDENTITY: Final = _define(
    "temporal.worker.identity", "string", "", "Identity of the worker.", "RunWorkflow, RunActivity"
)
HISTORY_LENGTH: Final = _define(
    "temporal.history_length", "int", "{event}", "Events before the run's last workflow task was done.", "RunWorkflow"
)
RUN_STATUS: Final = _define(
    "temporal.run.status",
    "string",
    "",
    "completed, failed, canceled, terminated, timed_out, continued_as_new or running.",
    "RunWorkflow",
)
SIGNAL_NAME: Final = _define("temporal.signal.name", "string", "", "Signal name.", "HandleSignal")
TIMER_ID: Final = _define("temporal.timer.id", "string", "", "Timer ID.", "Timer")
TIMER_TIMEOUT: Final = _define("temporal.timer.timeout", "double", "s", "Time the timer was set to.", "Timer")
TIMER_CANCELED: Final = _define("temporal.timer.canceled", "boolean", "", "True where it never fired.", "Timer")
RETRY_STATE: Final = _define(
    "temporal.retry_state", "string", "", "Why a failed activity is not tried again.", "StartActivity"
)
EVENT_IDS: Final = _define(
    "temporal.event_ids",
    "string",
    "",
    "Event IDs that this span was read from. Only history has them: workers are not told.",
    "every exported span",
    "history",
)
REUSED: Final = _define(
    "durable.reused", "boolean", "", "True where the result was taken from history, not made by this run.", "steps"
)
UNCLOSED: Final = _define(
    "durable.unclosed", "boolean", "", "True where the history ends before the step does.", "exported spans", "history"
)

# --- the client's StartWorkflow span, for targets that lack it ---
CLIENT_START_TIME: Final = _define(
    "durable.client_start.time", "int", "us", "Start of the client's span, since the epoch.", "RunWorkflow under it"
)
CLIENT_START_PARENT: Final = _define(
    "durable.client_start.parent", "string", "", "Span ID of that span's parent, in hex.", "RunWorkflow under it"
)
REBUILT: Final = _define(
    "durable.rebuilt",
    "boolean",
    "",
    "True on a span made again, when a trace is sent, from what another says of it; its end is the other's start.",
    "StartWorkflow",
    "history",
)

# --- events of a run's span: what happened to the run and has no span of its own ---
MARKER_NAME: Final = _define("temporal.marker.name", "string", "", "Marker name.", "events of RunWorkflow", "history")
CAUSE: Final = _define(
    "temporal.cause", "string", "", "Why it failed, as Temporal spells it.", "events of RunWorkflow", "history"
)
TARGET_WORKFLOW_ID: Final = _define(
    "temporal.target.workflow_id", "string", "", "Workflow ID of the other run.", "events of RunWorkflow", "history"
)
TARGET_RUN_ID: Final = _define(
    "temporal.target.run_id", "string", "", "Run ID of the other run.", "events of RunWorkflow", "history"
)
TARGET_WORKFLOW_TYPE: Final = _define(
    "temporal.target.workflow_type", "string", "", "Workflow type of the other run.", "events of RunWorkflow", "history"
)
UPDATE_ID: Final = _define("temporal.update.id", "string", "", "Update ID.", "events of RunWorkflow", "history")
UPDATE_NAME: Final = _define("temporal.update.name", "string", "", "Update name.", "events of RunWorkflow", "history")
NEXUS_ENDPOINT: Final = _define(
    "temporal.nexus.endpoint", "string", "", "Nexus endpoint.", "events of RunWorkflow", "history"
)
NEXUS_SERVICE: Final = _define(
    "temporal.nexus.service", "string", "", "Nexus service.", "events of RunWorkflow", "history"
)
NEXUS_OPERATION: Final = _define(
    "temporal.nexus.operation", "string", "", "Nexus operation.", "events of RunWorkflow", "history"
)
CHANGED_KEYS: Final = _define(
    "temporal.changed_keys",
    "string[]",
    "",
    "Search attributes or memo fields that were set.",
    "events of RunWorkflow",
    "history",
)
RESET_BASE_RUN_ID: Final = _define(
    "temporal.reset.base_run_id", "string", "", "Run that was reset.", "events of RunWorkflow", "history"
)
DEFECT: Final = _define(
    "durable.defect", "string", "", "What is wrong with a damaged event.", "events of RunWorkflow", "history"
)

# --- replays ---
REPLAY_ID: Final = _define("durable.replay.id", "string", "", "ID of the replay.", "ReplayWorkflow")
REPLAY_OUTCOME: Final = _define(
    "durable.replay.outcome",
    "string",
    "",
    "reproduced, diverged (the code asks for something else than history has) or failed (it could not be replayed).",
    "ReplayWorkflow",
)
REPLAY_EVENT_ID: Final = _define(
    "durable.replay.event_id", "int", "", "Event at which it diverged, where the SDK names it.", "ReplayWorkflow"
)

# --- failures ---
ERROR_TYPE: Final = _define("error.type", "string", "", "Class of the error.", "failed spans")
EXCEPTION_TYPE: Final = "exception.type"
EXCEPTION_MESSAGE: Final = "exception.message"
EXCEPTION_STACKTRACE: Final = "exception.stacktrace"
EXCEPTION_EVENT: Final = "exception"
TIMEOUT_TYPE: Final = _define("temporal.timeout_type", "string", "", "Which timeout struck.", "timed-out spans")

# --- sums over inner model calls; never gen_ai.usage.*, which backends add up themselves ---
LLM_CALLS: Final = _define(
    "durable.llm.calls", "int", "{call}", "Model calls inside.", "RunActivity, StartActivity, RunWorkflow"
)
INPUT_TOKENS: Final = _define(
    "durable.llm.input_tokens", "int", "{token}", "Input tokens inside.", "as durable.llm.calls"
)
OUTPUT_TOKENS: Final = _define(
    "durable.llm.output_tokens", "int", "{token}", "Output tokens inside.", "as durable.llm.calls"
)
CACHED_TOKENS: Final = _define(
    "durable.llm.cached_input_tokens", "int", "{token}", "Part of the input read from a cache.", "as durable.llm.calls"
)
REASONING_TOKENS: Final = _define(
    "durable.llm.reasoning_tokens", "int", "{token}", "Part of the output spent on reasoning.", "as durable.llm.calls"
)
UNKNOWN_COST_CALLS: Final = _define(
    "durable.llm.unknown_cost_calls", "int", "{call}", "Calls whose cost is unknown.", "as durable.llm.calls"
)
TOTAL_COST: Final = _define(
    "durable.llm.cost", "double", "USD", "Cost of the calls inside whose price is known.", "as durable.llm.calls"
)
COST: Final = _define(
    "durable.cost.usd", "double", "USD", "Cost of this call, at the price of its time.", "model calls"
)
COST_SOURCE: Final = _define(
    "durable.cost.source", "string", "", "Where the price is from, with its version.", "model calls"
)
UNRECORDED: Final = _define(
    "durable.unrecorded",
    "boolean",
    "",
    "True where no ledger says what the attempt did: whether it called a model is unknown.",
    "RunActivity",
    "history",
)
LEDGER_CUT: Final = _define(
    "durable.ledger.cut", "int", "{attribute}", "Attributes left out of the ledger to keep it small.", "RunActivity"
)

# --- content (off by default) ---
INPUT_VALUE: Final = _define(
    "input.value", "string", "", "Input (content).", "RunWorkflow, StartActivity, HandleSignal, model calls"
)
INPUT_MIME: Final = _define("input.mime_type", "string", "", "Media type of the input.", "as input.value")
OUTPUT_VALUE: Final = _define("output.value", "string", "", "Output (content).", "as input.value")
OUTPUT_MIME: Final = _define("output.mime_type", "string", "", "Media type of the output.", "as input.value")
OPENINFERENCE_KIND: Final = _define(
    "openinference.span.kind", "string", "", "CHAIN, or AGENT, TOOL where declared.", "all but model calls"
)

# --- GenAI semantic conventions ---
OPERATION: Final = "gen_ai.operation.name"
PROVIDER: Final = "gen_ai.provider.name"
REQUEST_MODEL: Final = "gen_ai.request.model"
RESPONSE_MODEL: Final = "gen_ai.response.model"
RESPONSE_ID: Final = "gen_ai.response.id"
FINISH_REASONS: Final = "gen_ai.response.finish_reasons"
USAGE_INPUT: Final = "gen_ai.usage.input_tokens"
USAGE_OUTPUT: Final = "gen_ai.usage.output_tokens"
USAGE_CACHE_READ: Final = "gen_ai.usage.cache_read.input_tokens"
USAGE_CACHE_WRITE: Final = "gen_ai.usage.cache_write.input_tokens"
USAGE_REASONING: Final = "gen_ai.usage.reasoning.output_tokens"
INPUT_MESSAGES: Final = "gen_ai.input.messages"
OUTPUT_MESSAGES: Final = "gen_ai.output.messages"
SYSTEM_INSTRUCTIONS: Final = "gen_ai.system_instructions"
TOOL_DEFINITIONS: Final = "gen_ai.tool.definitions"
TOOL_NAME: Final = "gen_ai.tool.name"
TOOL_TYPE: Final = "gen_ai.tool.type"
TOOL_DESCRIPTION: Final = "gen_ai.tool.description"
TOOL_ARGUMENTS: Final = "gen_ai.tool.call.arguments"
TOOL_RESULT: Final = "gen_ai.tool.call.result"
AGENT_NAME: Final = "gen_ai.agent.name"
AGENT_DESCRIPTION: Final = "gen_ai.agent.description"
SERVER_ADDRESS: Final = "server.address"
SERVER_PORT: Final = "server.port"

CONTENT_KEYS: Final = frozenset(
    {
        INPUT_MESSAGES,
        OUTPUT_MESSAGES,
        SYSTEM_INSTRUCTIONS,
        TOOL_DEFINITIONS,
        TOOL_ARGUMENTS,
        TOOL_RESULT,
        INPUT_VALUE,
        OUTPUT_VALUE,
        EXCEPTION_MESSAGE,
        EXCEPTION_STACKTRACE,
    }
)
"""Keys whose values are content: they obey the content switch."""

MODEL_OPERATIONS: Final = frozenset({"chat", "text_completion", "generate_content", "embeddings"})
"""Values of `gen_ai.operation.name` that are calls of a model, which cost money."""

USAGE_KEY_PREFIXES: Final = ("gen_ai.usage.", "durable.cost.")
"""Attributes of a model call that a ledger keeps when it must leave out others."""

LEDGER_KEY_PREFIXES: Final = (
    "gen_ai.",
    "openai.",
    "server.",
    "error.",
    "http.request.method",
    "http.response.",
    "durable.cost.",
)
"""Attributes of inner spans that the ledger keeps. Others (full URLs, SQL, headers) may hold secrets and stay live."""

# --- what single backends need on model calls ---
PHOENIX_REASONING_TOKENS: Final = _define(
    "llm.token_count.completion_details.reasoning", "int", "{token}", "Reasoning tokens, for Phoenix.", "model calls"
)
LANGFUSE_USAGE: Final = _define(
    "langfuse.observation.usage_details", "string", "", "Usage as JSON, for Langfuse 3.", "model calls"
)

# --- resource ---
SERVICE_KEYS: Final = ("service.name", "service.namespace", "service.version", "deployment.environment.name")
"""Resource attributes that travel with headers and ledgers, so that exported spans name the same service."""
SERVICE_NAME: Final = "service.name"


def start_workflow(workflow_type: str) -> str:
    """Name of the client's span that starts a run."""
    return f"StartWorkflow:{workflow_type}"


def run_workflow(workflow_type: str) -> str:
    """Name of the span of a run."""
    return f"RunWorkflow:{workflow_type}"


def start_activity(activity_type: str) -> str:
    """Name of an activity's step span, issued until closed."""
    return f"StartActivity:{activity_type}"


def run_activity(activity_type: str) -> str:
    """Name of the span of one attempt."""
    return f"RunActivity:{activity_type}"


def replay_workflow(workflow_type: str) -> str:
    """Name of the span of a replay."""
    return f"ReplayWorkflow:{workflow_type}"


def handle_signal(signal_name: str) -> str:
    """Name of the span of a signal received."""
    return f"HandleSignal:{signal_name}"


TIMER: Final = "Timer"
"""Name of a timer's span."""

WORKFLOW_TASK_TIMED_OUT: Final = "WorkflowTaskTimedOut"
"""Name of the event on a run's span that says that a workflow task timed out, as Temporal calls it."""


READER_ONLY: Final = frozenset(key for key, attribute in REFERENCE.items() if attribute.reader != "both")
"""Attributes that only one of the two readers can know: all others are the same live and exported."""
