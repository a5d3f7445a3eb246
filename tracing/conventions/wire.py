"""By which names do our records travel: header, payload metadata, instrumentation scope?"""

from __future__ import annotations

from typing import Final

HEADER: Final = "durable-trace"
"""Temporal header field and payload metadata key of this toolkit."""

KEPT_ENDS: Final = "durable-trace/ends"
"""Attribute of a DBOS workflow that tells how it had ended before it was resumed."""

FOREIGN_HEADER: Final = "_tracer-data"
"""Header field of Temporal's own OpenTelemetry integrations."""

SCOPE_NAME: Final = "durable-trace"
"""Instrumentation scope of the spans that this toolkit builds."""
