"""The OTLP receiver of the trace file's tests."""

from __future__ import annotations

from tests.tracefile.conftest import receiver

__all__ = ["receiver"]
