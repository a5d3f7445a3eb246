"""Which spans does the sampling decision of their run let go?

The decision is made once for a run, live. Files hold what was sampled out as well, flagged; sending obeys the flag.
"""

from __future__ import annotations

from collections.abc import Iterable

from tracing import conventions as c
from tracing.spans.model import Span


def sampled(spans: Iterable[Span]) -> tuple[list[Span], int]:
    """The spans of runs that are not sampled out, and how many closed ones were left out."""
    spans = list(spans)
    out = {span.attributes.get(c.RUN_ID) for span in spans if span.attributes.get(c.SAMPLED) is False}
    kept = [span for span in spans if span.attributes.get(c.RUN_ID) not in out] if out else spans
    return kept, sum(span.end is not None for span in spans) - sum(span.end is not None for span in kept)
