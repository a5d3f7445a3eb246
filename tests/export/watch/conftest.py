"""The receiver of the trace files' tests, for batches, too."""

from __future__ import annotations

from tests.tracefile.conftest import receiver

__all__ = ["receiver"]
