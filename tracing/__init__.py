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
    from tracing.exit import exit_process
    from tracing.live.plugin import TracingPlugin
    from tracing.live.providers import configure
    from tracing.live.session import session
    from tracing.live.wrappers import agent, llm_call, tool

__all__ = ["TracingConfig", "TracingPlugin", "agent", "configure", "exit_process", "llm_call", "session", "tool"]

_HOMES = {
    "TracingConfig": "tracing.config",
    "TracingPlugin": "tracing.live.plugin",
    "agent": "tracing.live.wrappers",
    "configure": "tracing.live.providers",
    "exit_process": "tracing.exit",
    "llm_call": "tracing.live.wrappers",
    "session": "tracing.live.session",
    "tool": "tracing.live.wrappers",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
