"""What does a provider bill for an answer? By the model server's own count of tokens, at published prices."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.local.journal import RequestRecord

PER_MILLION = {
    "gpt-4o": (Decimal("2.5"), Decimal("1.25"), Decimal(10)),
    "gpt-4o-mini": (Decimal("0.15"), Decimal("0.075"), Decimal("0.6")),
}
"""USD for a million input, cached and output tokens: as the providers publish them, not as the price list says."""


def billed(request: RequestRecord) -> Decimal:
    """USD for the answer to a request."""
    usage, (fresh, cached, output) = request.usage, PER_MILLION[request.asked.model]
    assert usage is not None
    return (
        (usage.input_tokens - usage.cached_tokens) * fresh + usage.cached_tokens * cached + usage.output_tokens * output
    ) / 1_000_000
