"""What processes of demos and experiments inherit."""

from __future__ import annotations

from agent.servers.environment import without_settings

ENVIRON = {
    "PATH": "/usr/bin",
    "OPENAI_API_KEY": "sk-real",
    "APPROVAL_WEBHOOK": "https://chat.example/hook",
    "DURABLE_TRACE_SPOOL": "/spool",
    "DURABLE_TRACE_CACHE_DIR": "/cache",
    "TEMPORAL_ADDRESS": "temporal.example:7233",
    "TEMPORAL_WORKER_BUILD_ID": "7",
}


def test_settings_stay_outside_and_built_servers_are_found() -> None:
    assert without_settings(ENVIRON) == {
        "PATH": "/usr/bin",
        "DURABLE_TRACE_CACHE_DIR": "/cache",
        "TEMPORAL_ADDRESS": "temporal.example:7233",
    }


def test_more_can_be_left_out() -> None:
    assert without_settings(ENVIRON, "TEMPORAL_") == {"PATH": "/usr/bin", "DURABLE_TRACE_CACHE_DIR": "/cache"}
