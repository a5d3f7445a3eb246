"""Which attributes has one of the two readers from the ledger only?"""

from __future__ import annotations

from typing import Final

from tracing.conventions.engine import ATTEMPTS, BUILD_ID, HEARTBEATS, QUEUE_TIME
from tracing.conventions.usage import (
    CACHED_TOKENS,
    INPUT_TOKENS,
    LEDGER_CUT,
    LLM_CALLS,
    OUTPUT_TOKENS,
    REASONING_TOKENS,
    TOTAL_COST,
    UNKNOWN_COST_CALLS,
)

LEDGER_CARRIED: Final = frozenset(
    {
        ATTEMPTS,
        BUILD_ID,
        HEARTBEATS,
        LEDGER_CUT,
        QUEUE_TIME,
        LLM_CALLS,
        INPUT_TOKENS,
        OUTPUT_TOKENS,
        CACHED_TOKENS,
        REASONING_TOKENS,
        UNKNOWN_COST_CALLS,
        TOTAL_COST,
    }
)
"""Attributes that the other reader has from the ledger. Of an attempt without one (a cancelled one leaves none, nor
does one whose worker or client lacks the plugin) history knows nothing of what the worker knew, and its step live
nothing of what history counts."""
