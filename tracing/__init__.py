"""OpenTelemetry tracing for AI agents on durable execution: live, from their histories, and what replay saved.

    from tracing import TracingPlugin, configure, session

    configure()  # providers from OTEL_* variables; optional
    client = await Client.connect("localhost:7233", plugins=[TracingPlugin()])  # its workers inherit the plugin
    with session(id="chat-17", tags=["beta"]):
        await client.start_workflow(…)

Names are loaded when first used: reading histories needs nothing of the live side, and the other way round.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tracing.config import TracingConfig
    from tracing.dbos_live.install import session_attributes, trace_dbos
    from tracing.exit import exit_process
    from tracing.live.client.addresses import trace_url
    from tracing.live.client.session import session
    from tracing.live.delivery.providers import configure
    from tracing.live.model_calls.model_call import llm_call
    from tracing.live.model_calls.wrappers import agent, tool
    from tracing.live.plugin import TracingPlugin
    from tracing.live.workflows.openai_agents import OpenAIAgentsProcessor
    from tracing.waits import waiting_for_person

__all__ = [
    "OpenAIAgentsProcessor",
    "TracingConfig",
    "TracingPlugin",
    "agent",
    "configure",
    "exit_process",
    "llm_call",
    "session",
    "session_attributes",
    "tool",
    "trace_dbos",
    "trace_url",
    "waiting_for_person",
]

_HOMES = {
    "OpenAIAgentsProcessor": "tracing.live.workflows.openai_agents",
    "TracingConfig": "tracing.config",
    "TracingPlugin": "tracing.live.plugin",
    "agent": "tracing.live.model_calls.wrappers",
    "configure": "tracing.live.delivery.providers",
    "exit_process": "tracing.exit",
    "llm_call": "tracing.live.model_calls.model_call",
    "session": "tracing.live.client.session",
    "session_attributes": "tracing.dbos_live.install",
    "tool": "tracing.live.model_calls.wrappers",
    "trace_dbos": "tracing.dbos_live.install",
    "trace_url": "tracing.live.client.addresses",
    "waiting_for_person": "tracing.waits",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
