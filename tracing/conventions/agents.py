"""What has OpenTelemetry no name for yet of agents in workflow code: handing over, being held back?"""

from __future__ import annotations

from typing import Final

from tracing.conventions.registry import define

WORKFLOW_CODE: Final = define(
    "durable.workflow_code",
    "string",
    "",
    "Library whose work in workflow code the span is: no event tells of it.",
    "handoff, guardrail, agents, tools",
    "live",
)
HANDOFF_FROM: Final = define(
    "durable.handoff.from", "string", "", "Agent that hands the conversation over.", "handoff", "live"
)
HANDOFF_TO: Final = define(
    "durable.handoff.to",
    "string",
    "",
    "Agent that takes it. On a step: the one to which the model's answer hands over (OpenAI Agents).",
    "handoff, StartActivity",
)
GUARDRAIL: Final = define("durable.guardrail.name", "string", "", "Name of the guardrail.", "guardrail", "live")
GUARDRAIL_TRIGGERED: Final = define(
    "durable.guardrail.triggered", "boolean", "", "Whether it held the agent back.", "guardrail", "live"
)
