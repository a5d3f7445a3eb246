"""Which metrics are recorded? Counted live, in attempts and committed workflow tasks, so that replays count nothing."""

from __future__ import annotations

from typing import Final

from tracing.conventions.engine import ACTIVITY_TYPE, RUN_STATUS, TASK_QUEUE
from tracing.conventions.failures import ERROR_TYPE
from tracing.conventions.genai import (
    AGENT_NAME,
    OPERATION,
    PROVIDER,
    REQUEST_MODEL,
    RESPONSE_MODEL,
    SERVER_ADDRESS,
    SERVER_PORT,
    TOKEN_TYPE,
    TOOL_NAME,
)
from tracing.conventions.registry import define_metric
from tracing.conventions.runs import ENGINE, NAMESPACE, WORKFLOW_TYPE

METRIC_OUTCOME: Final = "durable.outcome"
METRIC_STEP_KIND: Final = "durable.step.kind"
METRIC_DROP_REASON: Final = "durable.drop.reason"
METRIC_RECOVERY_CAUSE: Final = "durable.recovery.cause"
PLACE: Final = (ENGINE, NAMESPACE, WORKFLOW_TYPE, ACTIVITY_TYPE, TASK_QUEUE)
"""Where something happens, as metrics say it: types only, never IDs."""
_MODEL: Final = (OPERATION, PROVIDER, REQUEST_MODEL, RESPONSE_MODEL)
_CALL: Final = (*_MODEL, SERVER_ADDRESS, SERVER_PORT)

TOKEN_USAGE: Final = define_metric(
    "gen_ai.client.token.usage",
    "histogram",
    "{token}",
    "Input and output tokens of model calls by our wrappers; instrumentations of model clients record those of theirs.",
    (*_CALL, TOKEN_TYPE),
)
OPERATION_DURATION: Final = define_metric(
    "gen_ai.client.operation.duration", "histogram", "s", "Duration of these calls.", (*_CALL, ERROR_TYPE)
)
FIRST_CHUNK: Final = define_metric(
    "gen_ai.client.operation.time_to_first_chunk", "histogram", "s", "Wait for the first chunk, where streamed.", _CALL
)
TOOL_DURATION: Final = define_metric(
    "gen_ai.execute_tool.duration", "histogram", "s", "Duration of calls of tools.", (OPERATION, TOOL_NAME, ERROR_TYPE)
)
AGENT_DURATION: Final = define_metric(
    "gen_ai.invoke_agent.duration",
    "histogram",
    "s",
    "Duration of calls of agents.",
    (OPERATION, AGENT_NAME, ERROR_TYPE),
)
SPENT: Final = define_metric(
    "durable.cost", "counter", "USD", "Cost of model calls whose price is known.", (*PLACE, *_MODEL)
)
FAILED_COST: Final = define_metric(
    "durable.failed_cost",
    "counter",
    "USD",
    "The part of durable.cost that was spent in attempts which failed or were canceled.",
    (*PLACE, *_MODEL),
)
CALLS_MADE: Final = define_metric("durable.calls", "counter", "{call}", "Model calls in attempts.", (*PLACE, *_MODEL))
UNKNOWN_COST: Final = define_metric(
    "durable.unknown_cost_calls", "counter", "{call}", "Model calls whose cost is unknown.", (*PLACE, *_MODEL)
)
TOKENS_USED: Final = define_metric(
    "durable.tokens",
    "counter",
    "{token}",
    "Input and output tokens of model calls in attempts, whoever recorded them.",
    (*PLACE, *_MODEL, TOKEN_TYPE),
)
RETRIES: Final = define_metric(
    "durable.client_retries",
    "counter",
    "{request}",
    "Requests that model clients sent again by themselves.",
    (*PLACE, *_MODEL),
)
ATTEMPTS_MADE: Final = define_metric(
    "durable.attempts",
    "counter",
    "{attempt}",
    "Attempts of activities that ended on their worker: completed, failed or canceled.",
    (*PLACE, METRIC_OUTCOME, ERROR_TYPE),
)
ATTEMPT_DURATION: Final = define_metric(
    "durable.attempt.duration", "histogram", "s", "How long these attempts took.", (*PLACE, METRIC_OUTCOME)
)
ATTEMPT_QUEUE_TIME: Final = define_metric(
    "durable.attempt.queue_time",
    "histogram",
    "s",
    "How long attempts were ready before a worker began them, by the server's clock.",
    PLACE,
)
LOST_ATTEMPTS: Final = define_metric(
    "durable.lost_attempts",
    "observable counter",
    "{attempt}",
    "Attempts whose worker died, as the worker finds them that takes over its spool.",
    PLACE,
)
STEPS_TAKEN: Final = define_metric(
    "durable.steps",
    "counter",
    "{step}",
    "Steps of sampled runs that were executed and closed.",
    (*PLACE, METRIC_STEP_KIND, METRIC_OUTCOME),
)
STEP_DURATION: Final = define_metric(
    "durable.step.duration",
    "histogram",
    "s",
    "How long these steps took, with queue time, all attempts and the waits between them.",
    (*PLACE, METRIC_STEP_KIND, METRIC_OUTCOME),
)
RUN_DURATION: Final = define_metric(
    "durable.run.duration",
    "histogram",
    "s",
    "How long sampled runs took that their worker saw close.",
    (ENGINE, NAMESPACE, WORKFLOW_TYPE, TASK_QUEUE, RUN_STATUS, ERROR_TYPE),
)
RECOVERIES: Final = define_metric(
    "durable.recoveries",
    "counter",
    "{recovery}",
    "How often a worker rebuilt a run from its history and went on with it.",
    (ENGINE, NAMESPACE, WORKFLOW_TYPE, TASK_QUEUE, METRIC_RECOVERY_CAUSE),
)
REUSED_STEPS: Final = define_metric(
    "durable.reused_steps",
    "counter",
    "{step}",
    "Activities whose outcome a recovered run took from its history; none where it was only evicted from the cache.",
    (*PLACE, METRIC_RECOVERY_CAUSE),
)
REUSED_COST: Final = define_metric(
    "durable.reused_cost",
    "counter",
    "USD",
    "What the closing attempts of these had cost, as far as their ledgers say: spent once, and not again.",
    (*PLACE, METRIC_RECOVERY_CAUSE),
)
LEDGER_SIZE: Final = define_metric(
    "durable.ledger.size", "histogram", "By", "Size of ledgers, as they are stored in histories.", PLACE
)
SPANS_DROPPED: Final = define_metric(
    "durable.spans.dropped", "observable counter", "{span}", "Spans that were not exported.", (METRIC_DROP_REASON,)
)
SPOOL_SIZE: Final = define_metric(
    "durable.spool.size", "observable gauge", "By", "Size of all files in the spool's folder.", ()
)
SPOOL_LIMIT: Final = define_metric("durable.spool.limit", "observable gauge", "By", "Its limit.", ())
SPOOL_WAITING: Final = define_metric(
    "durable.spool.waiting", "observable gauge", "{span}", "Spans that this process keeps until they have arrived.", ()
)
