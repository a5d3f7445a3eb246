"""Which attributes are content, which the content switch governs?"""

from __future__ import annotations

from typing import Final

from tracing.conventions.engine import LAST_FAILURE_MESSAGE, PENDING_HEARTBEAT, SUMMARY
from tracing.conventions.failures import EXCEPTION_MESSAGE, EXCEPTION_STACKTRACE
from tracing.conventions.genai import (
    INPUT_MESSAGES,
    OUTPUT_MESSAGES,
    PROMPT_NAME,
    PROMPT_VERSION,
    SYSTEM_INSTRUCTIONS,
    TOOL_ARGUMENTS,
    TOOL_DEFINITIONS,
    TOOL_RESULT,
)
from tracing.conventions.registry import define

# --- content (off by default) ---
INPUT_VALUE: Final = define(
    "input.value", "string", "", "Input (content).", "RunWorkflow, steps with input, model calls, tools"
)
INPUT_MIME: Final = define("input.mime_type", "string", "", "Media type of the input.", "as input.value")
OUTPUT_VALUE: Final = define("output.value", "string", "", "Output (content).", "as input.value")
OUTPUT_MIME: Final = define("output.mime_type", "string", "", "Media type of the output.", "as input.value")
OPENINFERENCE_KIND: Final = define(
    "openinference.span.kind", "string", "", "CHAIN, or AGENT, TOOL, GUARDRAIL where declared.", "all but model calls"
)

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
        SUMMARY,
        LAST_FAILURE_MESSAGE,
        PENDING_HEARTBEAT,
    }
)
"""Keys whose values are content: they obey the content switch."""

_CONTENT_PREFIXES: Final = (
    "gen_ai.prompt.",
    "gen_ai.completion.",
    "gen_ai.retrieval.query",
    "gen_ai.retrieval.documents",
    # OpenInference, OpenLLMetry and Langfuse, by whose instrumentations an application may be traced as well
    "llm.input_messages.",
    "llm.output_messages.",
    "llm.prompts",
    "llm.prompt_template.",
    "llm.tools.",
    "retrieval.documents.",
    "embedding.embeddings.",
    "traceloop.entity.input",
    "traceloop.entity.output",
    "langfuse.observation.input",
    "langfuse.observation.output",
    "langfuse.trace.input",
    "langfuse.trace.output",
    # HTTP, databases, messages: what is sent, and headers with their keys
    "url.query",
    "url.fragment",
    "http.request.header.",
    "http.request.body.content",
    "http.response.header.",
    "http.response.body.content",
    "rpc.request.metadata.",
    "rpc.response.metadata.",
    "db.statement",
    "db.query.text",
    "db.query.parameter.",
    "db.operation.parameter.",
)

URL_KEYS: Final = frozenset({"url.full", "url.original", "http.url", "http.target"})
"""Addresses that instrumentations of others record. Their user, query and fragment are content."""


def is_content(key: str) -> bool:
    """Whether an attribute's value is content, by its key.

    Besides `CONTENT_KEYS` these are prompt variables, retrieved documents, what instrumentations of other and older
    conventions set (``gen_ai.prompt.0.content``), and what requests and statements of others carry.
    """
    return key in CONTENT_KEYS or (key.startswith(_CONTENT_PREFIXES) and key not in {PROMPT_NAME, PROMPT_VERSION})


MESSAGE_EVENTS: Final = "gen_ai."
"""What names of events begin with in which older conventions put messages (``gen_ai.user.message``)."""
