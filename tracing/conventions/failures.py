"""How is an error said?"""

from __future__ import annotations

from typing import Final

from tracing.conventions.registry import define

# --- failures ---
ERROR_TYPE: Final = define("error.type", "string", "", "Class of the error.", "failed spans")
WORKER_LOST: Final = "worker_lost"
"""Value of `error.type` on a span that was open when its worker died; only a spool knows of it."""
EXCEPTION_TYPE: Final = "exception.type"
EXCEPTION_MESSAGE: Final = "exception.message"
EXCEPTION_STACKTRACE: Final = "exception.stacktrace"
EXCEPTION_EVENT: Final = "exception"
TIMEOUT_TYPE: Final = define("temporal.timeout_type", "string", "", "Which timeout struck.", "timed-out spans")
