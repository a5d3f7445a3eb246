"""What do we set under keys of OpenTelemetry's own conventions?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tracing import conventions as c
from tracing.conventions import Attribute, AttributeType

STANDARD: Final[dict[str, Attribute]] = {}
"""Attributes of OpenTelemetry's conventions that our wrappers set, or that we read where instrumentations set them."""


def _standard(key: str, type_: AttributeType, unit: str, meaning: str, on: str = "model calls") -> None:
    STANDARD[key] = Attribute(key, type_, unit, meaning, on)


_standard(c.OPERATION, "string", "", "chat, embeddings, execute_tool, invoke_agent …", "inner")
_standard(c.PROVIDER, "string", "", "Provider, such as openai or aws.bedrock; decides the price, with the model.")
_standard(c.REQUEST_MODEL, "string", "", "Model asked for.")
_standard(c.REQUEST_MAX_TOKENS, "int", "{token}", "Limit of the answer.")
_standard(c.REQUEST_TEMPERATURE, "double", "", "Temperature.")
_standard(c.REQUEST_TOP_P, "double", "", "Top p.")
_standard(c.REQUEST_TOP_K, "double", "", "Top k.")
_standard(c.REQUEST_SEED, "int", "", "Seed.")
_standard(c.REQUEST_STOP, "string[]", "", "Texts that end the answer.")
_standard(c.REQUEST_FREQUENCY_PENALTY, "double", "", "Frequency penalty.")
_standard(c.REQUEST_PRESENCE_PENALTY, "double", "", "Presence penalty.")
_standard(c.REQUEST_CHOICES, "int", "{choice}", "Answers asked for, where not 1.")
_standard(c.REQUEST_STREAM, "boolean", "", "True where the answer is streamed.")
_standard(c.REQUEST_DIMENSIONS, "int", "{dimension}", "Dimensions of an embedding.")
_standard(c.OUTPUT_TYPE, "string", "", "What is asked for: text, json …")
_standard(c.RESPONSE_MODEL, "string", "", "Model that answered; decides the price where it is known.")
_standard(c.RESPONSE_ID, "string", "", "ID of the answer.")
_standard(c.FINISH_REASONS, "string[]", "", "Why each answer ended.")
_standard(c.TIME_TO_FIRST_CHUNK, "double", "s", "Until the first chunk of a streamed answer.")
_standard(c.PROMPT_NAME, "string", "", "Name of the prompt that the call used.")
_standard(c.PROMPT_VERSION, "string", "", "Version of that prompt.")
_standard(c.USAGE_INPUT, "int", "{token}", "Input tokens, cached ones included.")
_standard(c.USAGE_OUTPUT, "int", "{token}", "Output tokens, reasoning included.")
_standard(c.USAGE_CACHE_READ, "int", "{token}", "Part of the input read from a cache.")
_standard(c.USAGE_CACHE_WRITE, "int", "{token}", "Part of the input written to a cache.")
_standard(c.USAGE_REASONING, "int", "{token}", "Part of the output spent on reasoning.")
_standard(c.USAGE_AUDIO_INPUT, "int", "{token}", "Part of the input that is audio.")
_standard(c.USAGE_AUDIO_OUTPUT, "int", "{token}", "Part of the output that is audio.")
_standard(c.USAGE_AUDIO_CACHE_READ, "int", "{token}", "Part of the cached input that is audio.")
_standard(c.USAGE_IMAGE_INPUT, "int", "{token}", "Part of the input that is images.")
_standard(c.USAGE_IMAGE_OUTPUT, "int", "{token}", "Part of the output that is images.")
_standard(c.USAGE_IMAGE_CACHE_READ, "int", "{token}", "Part of the cached input that is images.")
_standard(c.USAGE_TEXT_INPUT, "int", "{token}", "Part of the input that is text.")
_standard(c.USAGE_TEXT_OUTPUT, "int", "{token}", "Part of the output that is text.")
_standard(c.USAGE_TEXT_CACHE_READ, "int", "{token}", "Part of the cached input that is text.")
_standard(c.INPUT_MESSAGES, "string", "", "Messages sent, as JSON: role and parts (content).")
_standard(c.OUTPUT_MESSAGES, "string", "", "Answers, as JSON: role, parts and finish_reason (content).")
_standard(c.SYSTEM_INSTRUCTIONS, "string", "", "System instructions that are no messages, as JSON (content).")
_standard(c.TOOL_DEFINITIONS, "string", "", "Tools offered to the model, as JSON (content).")
_standard(c.LANGFUSE_TYPE, "string", "", "span, on what a library shows of a model call in workflow code.", "inner")
_standard(c.TOOL_NAME, "string", "", "Tool.", "tools")
_standard(c.TOOL_TYPE, "string", "", "function.", "tools")
_standard(c.TOOL_DESCRIPTION, "string", "", "What the tool does.", "tools")
_standard(c.TOOL_ARGUMENTS, "string", "", "Arguments, as JSON (content).", "tools")
_standard(c.TOOL_RESULT, "string", "", "Result, as JSON (content).", "tools")
_standard(c.AGENT_NAME, "string", "", "Agent.", "agents")
_standard(c.AGENT_DESCRIPTION, "string", "", "What the agent does.", "agents")
_standard(c.SERVER_ADDRESS, "string", "", "Host that was asked.")
_standard(c.SERVER_PORT, "int", "", "Its port.")
_standard(c.HTTP_STATUS, "int", "", "HTTP status of the answer.", "inner")
_standard(c.HTTP_RESENDS, "int", "{request}", "Which time the client sends this request again.", "inner")
_standard(c.EXCEPTION_TYPE, "string", "", "Class of an error or of one of its causes.", "failed spans")
_standard(c.EXCEPTION_MESSAGE, "string", "", "Its text (content).", "failed spans")
_standard(c.EXCEPTION_STACKTRACE, "string", "", "Its stack trace (content).", "failed spans")

OF_EVENTS: Final = frozenset({c.EXCEPTION_TYPE, c.EXCEPTION_MESSAGE, c.EXCEPTION_STACKTRACE})
"""Attributes that stand on the event `exception` of a span."""

OF_METRICS: Final[Mapping[str, str]] = {
    c.TOKEN_TYPE: "input or output.",
    c.METRIC_OUTCOME: "completed, failed or canceled.",
    c.METRIC_STEP_KIND: "What stands before the colon in the names of steps' spans: StartActivity, Timer …",
    c.METRIC_RECOVERY_CAUSE: "worker_change (another worker had it before), reset (of DBOS: forked), resume (of DBOS: "
    "it was cancelled), or evicted (from this worker's cache).",
    c.METRIC_DROP_REASON: "Why they were dropped.",
}
"""Attributes of metrics, which no span has, and what they say."""

_ORIGINS: Final = (
    (("temporalWorkflowID", "temporalRunID", "temporalActivityID"), "Temporal's OpenTelemetry integration"),
    (("temporal.", "durable."), "durable-trace"),
    (("gen_ai.", "openai."), "OpenTelemetry GenAI"),
    (("langfuse.",), "Langfuse"),
    (("input.", "output.", "openinference.", "llm.", "tag.", "session.", "user."), "OpenInference"),
)


def origin(key: str) -> str:
    """Whose convention a key is of."""
    return next((name for prefixes, name in _ORIGINS if key.startswith(prefixes)), "OpenTelemetry")
