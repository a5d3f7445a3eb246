"""What do all spans of a run repeat, and what names the service that ran it?"""

from __future__ import annotations

from typing import Final

from tracing.conventions.registry import define

# --- identity, on every span of a run ---
WORKFLOW_ID: Final = define("temporalWorkflowID", "string", "", "Workflow ID.", "every span")
RUN_ID: Final = define("temporalRunID", "string", "", "Run ID: the real one, also for reset runs.", "every span")
NAMESPACE: Final = define("temporal.namespace", "string", "", "Namespace of the run.", "every span")
WORKFLOW_TYPE: Final = define("temporal.workflow.type", "string", "", "Workflow type.", "every span")
SESSION_ID: Final = define(
    "session.id", "string", "", "Session: as set at start, else the workflow ID; shared by a chain.", "every span"
)
CONVERSATION_ID: Final = define(
    "gen_ai.conversation.id", "string", "", "The same as session.id, by GenAI's name.", "every span"
)
USER_ID: Final = define("user.id", "string", "", "User, where `session(user=…)` set one.", "every span")
TAGS: Final = define("tag.tags", "string[]", "", "Tags, where `session(tags=…)` set some.", "every span")
LANGFUSE_TAGS: Final = define("langfuse.trace.tags", "string[]", "", "The same tags, for Langfuse.", "every span")

ENVIRONMENT: Final = define(
    "deployment.environment.name",
    "string",
    "",
    "Environment, where `session(environment=…)` set one; else on the resource only.",
    "every span",
)
UI_URL: Final = define(
    "temporal.ui.url", "string", "", "Address of the run in Temporal's UI, where its base is set.", "every span"
)

ENGINE: Final = define(
    "durable.engine",
    "string",
    "",
    "dbos, on spans of a DBOS workflow; absent where the engine is Temporal.",
    "every span",
)
ENGINE_DBOS: Final = "dbos"

# --- resource ---
SERVICE_KEYS: Final = ("service.name", "service.namespace", "service.version", "deployment.environment.name")
"""Resource attributes that travel with headers and ledgers, so that exported spans name the same service."""
SERVICE_NAME: Final = "service.name"
SERVICE_VERSION: Final = "service.version"
