"""Which failures of a service are worth another attempt, and when?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import httpx2
import openai
from temporalio.exceptions import ApplicationError

if TYPE_CHECKING:
    from collections.abc import Mapping

# Of the 4xx, those that another attempt can mend: timeout, conflict, too early, rate limit.
_RETRYABLE = frozenset({408, 409, 425, 429})
# A service may ask for any delay; beyond this, the retry policy's own is the better guess.
_LONGEST_DELAY = timedelta(minutes=10)


def status_failure(
    service: str, status: int, detail: str, *, kind: str, headers: Mapping[str, str], final: bool = False
) -> ApplicationError:
    """Turn an HTTP error status into the failure of an activity.

    400, 401, 403, 404 and most other 4xx are not retried, because the same request would fail again. 5xx and rate
    limits are, when the service's `Retry-After` says, if it says.

    Args:
        service: What answered, for the message.
        status: The HTTP status.
        detail: What the service said, and how to mend it.
        kind: The failure's type.
        headers: The answer's headers.
        final: Whether the failure is known to be final, whatever its status.
    """
    retryable = not final and (status in _RETRYABLE or status >= HTTPStatus.INTERNAL_SERVER_ERROR)
    return ApplicationError(
        f"{service} answered {status}: {detail}",
        type=kind,
        non_retryable=not retryable,
        next_retry_delay=retry_after(headers, datetime.now(UTC)) if retryable else None,
    )


def retry_after(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """Read how long a service asks to wait: `Retry-After`, in seconds or as a date.

    Returns:
        The delay; none if there is no header, or none that makes sense.
    """
    value = headers.get("retry-after", "").strip()
    if not value:
        return None
    try:
        delay = timedelta(seconds=float(value))
    except (ValueError, OverflowError):
        try:
            delay = parsedate_to_datetime(value) - now
        except (TypeError, ValueError):
            return None
    return delay if timedelta(0) < delay <= _LONGEST_DELAY else None


def unreachable(service: str, url: str, error: Exception, variable: str) -> ApplicationError:
    """Turn the failure of a connection into that of an activity, which is retried.

    Args:
        service: What was asked, for the message.
        url: Where.
        error: What the client raised.
        variable: The variable that says where the service is.
    """
    slow: tuple[type[Any], ...] = (openai.APITimeoutError, httpx2.TimeoutException)
    problem = "did not answer in time" if isinstance(error, slow) else "cannot be reached"
    return ApplicationError(f"The {service} at {url} {problem}. Is {variable} right?", type=type(error).__name__)
