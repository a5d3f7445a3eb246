"""What do single backends need beside the GenAI attributes?"""

from __future__ import annotations

from typing import Final

from tracing.conventions.registry import define

# --- what single backends need on model calls ---
PHOENIX_REASONING_TOKENS: Final = define(
    "llm.token_count.completion_details.reasoning", "int", "{token}", "Reasoning tokens, for Phoenix.", "model calls"
)
LANGFUSE_TYPE: Final = "langfuse.observation.type"
"""Set to `span` on what libraries show in workflow code of a model call: an activity makes the call."""

LANGFUSE_USAGE: Final = define(
    "langfuse.observation.usage_details", "string", "", "Usage as JSON, for Langfuse 3.", "model calls"
)
LANGFUSE_COST: Final = define(
    "langfuse.observation.cost_details",
    "string",
    "",
    "Cost as JSON, for Langfuse: else it computes its own.",
    "model calls",
)
LANGFUSE_COMPLETION_START: Final = define(
    "langfuse.observation.completion_start_time",
    "string",
    "",
    "Time of the first chunk of a streamed answer, ISO 8601, for Langfuse.",
    "model calls",
)
LANGFUSE_PROMPT_NAME: Final = define(
    "langfuse.observation.prompt.name",
    "string",
    "",
    "Name of the prompt in Langfuse; with its version, a link to it.",
    "model calls",
)
LANGFUSE_PROMPT_VERSION: Final = define(
    "langfuse.observation.prompt.version", "int", "", "Version of that prompt.", "model calls"
)

# --- what Langfuse takes for a whole trace ---
LANGFUSE_TRACE_NAME: Final = define(
    "langfuse.trace.name", "string", "", "Workflow type, as the trace's name in Langfuse.", "RunWorkflow of no child"
)
LANGFUSE_RELEASE: Final = define(
    "langfuse.release", "string", "", "service.version, as the release in Langfuse.", "RunWorkflow of no child"
)
