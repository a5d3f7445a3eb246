"""What do the model calls inside a span add up to, and what does one cost?"""

from __future__ import annotations

from typing import Final

from tracing.conventions.registry import define

# --- sums over inner model calls; never gen_ai.usage.*, which backends add up themselves ---
LLM_CALLS: Final = define(
    "durable.llm.calls",
    "int",
    "{call}",
    "Model calls inside; 0 on a replay that tried no connection.",
    "RunActivity, StartActivity, RunWorkflow, ReplayWorkflow",
)
INPUT_TOKENS: Final = define(
    "durable.llm.input_tokens", "int", "{token}", "Input tokens inside.", "as durable.llm.calls"
)
OUTPUT_TOKENS: Final = define(
    "durable.llm.output_tokens", "int", "{token}", "Output tokens inside.", "as durable.llm.calls"
)
CACHED_TOKENS: Final = define(
    "durable.llm.cached_input_tokens", "int", "{token}", "Part of the input read from a cache.", "as durable.llm.calls"
)
REASONING_TOKENS: Final = define(
    "durable.llm.reasoning_tokens", "int", "{token}", "Part of the output spent on reasoning.", "as durable.llm.calls"
)
UNKNOWN_COST_CALLS: Final = define(
    "durable.llm.unknown_cost_calls", "int", "{call}", "Calls whose cost is unknown.", "as durable.llm.calls"
)
TOTAL_COST: Final = define(
    "durable.llm.cost", "double", "USD", "Cost of the calls inside whose price is known.", "as durable.llm.calls"
)
CLIENT_RETRIES: Final = define(
    "durable.llm.client_retries",
    "int",
    "{request}",
    "Requests that model clients sent again by themselves: no attempts of Temporal's. Absent where there was none.",
    "as durable.llm.calls",
)
COST: Final = define("durable.cost.usd", "double", "USD", "Cost of this call, at the price of its time.", "model calls")
INPUT_COST: Final = define("durable.cost.input_usd", "double", "USD", "The input's part of it.", "model calls")
OUTPUT_COST: Final = define("durable.cost.output_usd", "double", "USD", "The output's part of it.", "model calls")
COST_SOURCE: Final = define(
    "durable.cost.source", "string", "", "Where the price is from, with its version.", "model calls"
)
RECOGNISED: Final = define(
    "durable.recognised",
    "string",
    "",
    "Recogniser that read the call off its activity's result, as nobody had recorded it; its times are the attempt's.",
    "model calls",
)
UNRECORDED: Final = define(
    "durable.unrecorded",
    "boolean",
    "",
    "True where no ledger says what the attempt did: whether it called a model is unknown.",
    "RunActivity",
    "history",
)
INTERRUPTED: Final = define(
    "durable.interrupted",
    "boolean",
    "",
    "True where a step of DBOS may have been running when its process died: what that attempt did is unknown.",
    "StartActivity",
)
LEDGER_CUT: Final = define(
    "durable.ledger.cut", "int", "{attribute}", "Attributes left out of the ledger to keep it small.", "RunActivity"
)
