"""What each backend needs: addresses, keys, and which spans it already has."""

from __future__ import annotations

from tracing.backends.registry import BACKENDS, target_for
from tracing.backends.target import Target, TargetError

__all__ = ["BACKENDS", "Target", "TargetError", "target_for"]
