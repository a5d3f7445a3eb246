"""Accounts of thousands of runs: wherever they are, one after the other, on all cores."""

from __future__ import annotations

from tracing.fleet.adding import sums
from tracing.fleet.inputs import inputs
from tracing.fleet.reading import Readers
from tracing.fleet.sums import Sums

__all__ = ["Readers", "Sums", "inputs", "sums"]
