"""What do spans say of the engine: activities, timers, children, updates, what befell a run, its replays?"""

from __future__ import annotations

from typing import Final

from tracing.conventions.registry import define

# --- engine mechanics ---
ACTIVITY_ID: Final = define("temporalActivityID", "string", "", "Activity ID.", "StartActivity, RunActivity, inner")
ACTIVITY_RUN_ID: Final = define(
    "temporal.activity.run_id",
    "string",
    "",
    "Run ID of a standalone activity.",
    "StartActivity, RunActivity, inner",
    "live",
)
ACTIVITY_TYPE: Final = define("temporal.activity.type", "string", "", "Activity type.", "StartActivity, RunActivity")
TASK_QUEUE: Final = define(
    "temporal.task_queue", "string", "", "Task queue.", "RunWorkflow, StartActivity, RunActivity, StartChildWorkflow"
)
ATTEMPT: Final = define(
    "temporal.attempt", "int", "{attempt}", "Number of this attempt, from 1.", "RunWorkflow, RunActivity"
)
ATTEMPTS: Final = define(
    "temporal.attempts",
    "int",
    "{attempt}",
    "Attempts the step took, where its result says so; of a pending one, those that have begun.",
    "StartActivity",
)
MAX_ATTEMPTS: Final = define(
    "temporal.max_attempts",
    "int",
    "{attempt}",
    "Limit of the retry policy; 0 is no limit.",
    "StartActivity, RunActivity",
)
QUEUE_TIME: Final = define(
    "temporal.queue_time", "double", "s", "Scheduled until started; first attempts only.", "RunActivity"
)
WORKER_IDENTITY: Final = define(
    "temporal.worker.identity",
    "string",
    "",
    "Identity of the worker; of a pending activity, of the one that had it last.",
    "RunWorkflow, RunActivity, StartActivity",
)
BUILD_ID: Final = define(
    "temporal.worker.build_id", "string", "", "Build ID of the worker.", "RunWorkflow, RunActivity"
)
HEARTBEATS: Final = define(
    "temporal.heartbeats", "int", "{heartbeat}", "How often the attempt heartbeat, where it did.", "RunActivity"
)
HISTORY_LENGTH: Final = define(
    "temporal.history_length", "int", "{event}", "Events before the run's last workflow task was done.", "RunWorkflow"
)
RUN_STATUS: Final = define(
    "temporal.run.status",
    "string",
    "",
    "completed, failed, canceled, terminated, timed_out, continued_as_new or running.",
    "RunWorkflow",
)
SIGNAL_NAME: Final = define("temporal.signal.name", "string", "", "Signal name.", "HandleSignal, signals sent")
TIMER_ID: Final = define("temporal.timer.id", "string", "", "Timer ID.", "Timer")
TIMER_TIMEOUT: Final = define("temporal.timer.timeout", "double", "s", "Time the timer was set to.", "Timer")
TIMER_CANCELED: Final = define("temporal.timer.canceled", "boolean", "", "True where it never fired.", "Timer")
LOCAL: Final = define("temporal.local", "boolean", "", "True for a local activity.", "StartActivity, RunActivity")
STREAM_PUBLISHES: Final = define(
    "temporal.stream.publishes",
    "int",
    "{batch}",
    "Batches that signals published to the run's stream: they are no spans of their own.",
    "RunWorkflow",
)
STREAM_POLLS: Final = define(
    "temporal.stream.polls",
    "int",
    "{update}",
    "Updates that waited for the next batch: they are no spans of their own, unless they fail.",
    "RunWorkflow",
)
SUMMARY: Final = define(
    "temporal.summary", "string", "", "Summary that the workflow's code gave to the step (content).", "steps"
)
LAST_FAILURE: Final = define(
    "temporal.last_failure.type",
    "string",
    "",
    "Class of the error of the attempt before. Workers are not told it.",
    "RunActivity, StartActivity",
    "history",
)
LAST_FAILURE_MESSAGE: Final = define(
    "temporal.last_failure.message",
    "string",
    "",
    "What the attempt before a pending one failed with (content).",
    "StartActivity",
    "history",
)
RETRY_STATE: Final = define(
    "temporal.retry_state",
    "string",
    "",
    "Why what failed is not tried again.",
    "StartActivity, StartChildWorkflow",
)
EVENT_IDS: Final = define(
    "temporal.event_ids",
    "string",
    "",
    "Event IDs that this span was read from. Only history has them: workers are not told.",
    "every exported span",
    "history",
)
REUSED: Final = define(
    "durable.reused", "boolean", "", "True where the result was taken from history, not made by this run.", "steps"
)
UNCLOSED: Final = define(
    "durable.unclosed",
    "boolean",
    "",
    "True where the step had not ended: its span ends with the run, or, in files, is open where the run is.",
    "RunWorkflow, steps",
)
SAMPLED: Final = define(
    "durable.sampled",
    "boolean",
    "",
    "False where the run was sampled out: no live span was sent, and sending and repair leave it out, too.",
    "RunWorkflow",
    "history",
)

# --- activities that a run still open waits for, as the server describes them ---
PENDING_STATE: Final = define(
    "temporal.pending.state",
    "string",
    "",
    "How a pending activity stands: scheduled, started, cancel_requested, paused or pause_requested.",
    "StartActivity",
    "history",
)
PENDING_ATTEMPT: Final = define(
    "temporal.pending.attempt",
    "int",
    "{attempt}",
    "Number of its attempt that runs or is the next, from 1.",
    "StartActivity",
    "history",
)
PENDING_SCHEDULED_TIME: Final = define(
    "temporal.pending.scheduled_time",
    "int",
    "us",
    "When that attempt of it was scheduled, since the epoch.",
    "StartActivity",
    "history",
)
PENDING_STARTED_TIME: Final = define(
    "temporal.pending.started_time",
    "int",
    "us",
    "When its last attempt began, since the epoch.",
    "StartActivity",
    "history",
)
PENDING_HEARTBEAT_TIME: Final = define(
    "temporal.pending.heartbeat_time",
    "int",
    "us",
    "When it last gave a sign of life, since the epoch.",
    "StartActivity",
    "history",
)
PENDING_NEXT_TIME: Final = define(
    "temporal.pending.next_time",
    "int",
    "us",
    "When its next attempt is due, since the epoch.",
    "StartActivity",
    "history",
)
PENDING_HEARTBEAT: Final = define(
    "temporal.pending.heartbeat_details",
    "string",
    "",
    "What its last heartbeat said (content).",
    "StartActivity",
    "history",
)

# --- the client's StartWorkflow span, for targets that lack it ---
CLIENT_START_CALL: Final = define(
    "durable.client_start.call",
    "string",
    "",
    "The client's call that started the run: start, signal_with_start or update_with_start.",
    "RunWorkflow under it",
)
CLIENT_START_TIME: Final = define(
    "durable.client_start.time", "int", "us", "Start of the client's span, since the epoch.", "RunWorkflow under it"
)
CLIENT_START_PARENT: Final = define(
    "durable.client_start.parent", "string", "", "Span ID of that span's parent, in hex.", "RunWorkflow under it"
)
REBUILT: Final = define(
    "durable.rebuilt",
    "boolean",
    "",
    "True on a span made again, when a trace is sent, from what another says of it; its end is the other's start.",
    "StartWorkflow",
    "history",
)

# --- events of a run's span: what happened to the run and has no span of its own ---
MARKER_NAME: Final = define("temporal.marker.name", "string", "", "Marker name.", "events of RunWorkflow")
CAUSE: Final = define(
    "temporal.cause", "string", "", "Why it failed, as Temporal spells it.", "events of RunWorkflow", "history"
)
TARGET_WORKFLOW_ID: Final = define(
    "temporal.target.workflow_id",
    "string",
    "",
    "Workflow ID of the other run.",
    "StartChildWorkflow, SignalChildWorkflow, SignalExternalWorkflow, RequestCancelExternalWorkflow",
)
TARGET_RUN_ID: Final = define(
    "temporal.target.run_id",
    "string",
    "",
    "Run ID of the other run, where it is known.",
    "as temporal.target.workflow_id",
)
TARGET_WORKFLOW_TYPE: Final = define(
    "temporal.target.workflow_type", "string", "", "Workflow type of the other run.", "StartChildWorkflow"
)
UPDATE_ID: Final = define("temporal.update.id", "string", "", "Update ID.", "HandleUpdate, StartWorkflowUpdate")
UPDATE_NAME: Final = define("temporal.update.name", "string", "", "Update name.", "HandleUpdate, StartWorkflowUpdate")
QUERY_NAME: Final = define("temporal.query.name", "string", "", "Query name.", "HandleQuery, QueryWorkflow", "live")
NEXUS_ENDPOINT: Final = define(
    "temporal.nexus.endpoint", "string", "", "Nexus endpoint.", "StartNexusOperation, Nexus handlers"
)
NEXUS_SERVICE: Final = define("temporal.nexus.service", "string", "", "Nexus service.", "as temporal.nexus.endpoint")
NEXUS_OPERATION: Final = define(
    "temporal.nexus.operation", "string", "", "Nexus operation.", "as temporal.nexus.endpoint"
)
NEXUS_OPERATION_ID: Final = define(
    "temporal.nexus.operation_id",
    "string",
    "",
    "ID of a Nexus operation that a client started.",
    "the client's StartNexusOperation, CancelNexusOperation, TerminateNexusOperation",
    "live",
)
NEXUS_RUN_ID: Final = define(
    "temporal.nexus.run_id", "string", "", "Run ID of that operation.", "as temporal.nexus.operation_id", "live"
)
SCHEDULE_ID: Final = define("temporal.schedule.id", "string", "", "Schedule ID.", "schedule calls", "live")
PATCH_ID: Final = define(
    "temporal.patch.id", "string", "", "ID of a patch, or of a change that has versions.", "events of RunWorkflow"
)
PATCH_VERSION: Final = define(
    "temporal.patch.version", "int", "", "Version of the change.", "events of RunWorkflow", "history"
)
SIDE_EFFECT_ID: Final = define(
    "temporal.side_effect.id", "string", "", "ID of a side effect.", "events of RunWorkflow", "history"
)
CHANGED_KEYS: Final = define(
    "temporal.changed_keys", "string[]", "", "Search attributes or memo fields that were set.", "events of RunWorkflow"
)
RESET_BASE_RUN_ID: Final = define(
    "temporal.reset.base_run_id", "string", "", "Run that was reset.", "events of RunWorkflow", "history"
)
EVENT_ATTRIBUTES: Final = define(
    "temporal.event.attributes",
    "string",
    "",
    "What an event says whose type this toolkit does not read, such as a new one, as JSON (content).",
    "events of RunWorkflow",
    "history",
)
DEFECTS: Final = define(
    "durable.history.defects",
    "string[]",
    "",
    "What the history has lost or damaged, a sentence each, and how many more there are.",
    "RunWorkflow",
    "history",
)
UNDECODED: Final = define(
    "durable.undecoded",
    "int",
    "{value}",
    "Stored values that are not decoded, so that what they say is unknown: of a run on DBOS all but portable JSON; of "
    "a step its result or failure, where a codec encoded it or it is stored elsewhere.",
    "RunWorkflow, StartActivity",
)
RESUMPTION: Final = define(
    "durable.resumption",
    "int",
    "",
    "Which part of a run that was over and was resumed (DBOS), from 1; its parent is the span of what was before.",
    "RunWorkflow",
)
UNKNOWN_FIELDS: Final = define(
    "durable.history.unknown_fields",
    "string[]",
    "",
    "Fields of events that the installed API does not know: TimerFired.newField, or by number in binary histories.",
    "RunWorkflow",
    "history",
)
DEFECT: Final = define(
    "durable.defect", "string", "", "What is wrong with a damaged event.", "events of RunWorkflow", "history"
)

# --- replays ---
REPLAY_ID: Final = define("durable.replay.id", "string", "", "ID of the replay.", "ReplayWorkflow")
REPLAY_OUTCOME: Final = define(
    "durable.replay.outcome",
    "string",
    "",
    "reproduced, diverged (the code asks for something else than history has) or failed (it could not be replayed).",
    "ReplayWorkflow",
)
REPLAY_EVENT_ID: Final = define(
    "durable.replay.event_id", "int", "", "Event at which it diverged.", "ReplayWorkflow, steps"
)
REPLAY_EXPECTED: Final = define(
    "durable.replay.expected",
    "string",
    "",
    "What the history has there: kind, type and ID of a command, or the type of the event.",
    "as durable.replay.event_id",
)
REPLAY_ACTUAL: Final = define(
    "durable.replay.actual",
    "string",
    "",
    "What the code asked for instead, likewise; `nothing`; or the class of what it raised.",
    "as durable.replay.event_id",
)
REPLAY_WORKFLOW_TASKS: Final = define(
    "durable.replay.workflow_tasks", "int", "{task}", "Workflow tasks that were replayed.", "ReplayWorkflow"
)

# --- the line of workflow code that asked for a step, as OpenTelemetry's code attributes have it ---
CODE_FILE: Final = define(
    "code.file.path",
    "string",
    "",
    "File of the workflow code that asked for a step of a replay, raised or waits; relative to the current folder.",
    "ReplayWorkflow, steps",
)
CODE_LINE: Final = define("code.line.number", "int", "", "Its line, from 1.", "as code.file.path")
CODE_FUNCTION: Final = define("code.function.name", "string", "", "The function it is in.", "as code.file.path")
