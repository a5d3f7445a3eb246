"""The demo: an agent whose worker is killed, what it did, what it cost, and what its replay saved."""

from __future__ import annotations

from agent.demo.demo import run_demo

__all__ = ["run_demo"]
