"""How does the approval gate reach the people it waits for?"""

from __future__ import annotations

import dataclasses
import os

import httpx2
from temporalio import activity
from temporalio.exceptions import ApplicationError

from agent.approval.payloads import Notice
from agent.research.failures import status_failure
from agent.research.services import http_client

_TIMEOUT_S = 10.0


@activity.defn
async def notify(notice: Notice) -> None:
    """Tell somebody that a draft waits for their decision.

    Where `APPROVAL_WEBHOOK` is set, the notice is posted there as JSON (a chat's incoming webhook, a ticket system);
    else it is only logged. An attempt whose answer got lost is made again: let the receiver expect a second notice.

    Args:
        notice: Whom to tell of what.

    Raises:
        ApplicationError: The webhook refused, failed, or could not be reached in time.
    """
    activity.logger.info("%s: run %s waits for a decision", notice.to, notice.workflow_id)
    url = os.environ.get("APPROVAL_WEBHOOK")
    if not url:
        return
    try:
        async with http_client(url, _TIMEOUT_S) as http:
            response = await http.post(url, json=dataclasses.asdict(notice))
            response.raise_for_status()
    except httpx2.HTTPStatusError as error:
        status, headers = error.response.status_code, error.response.headers
        detail = "Check APPROVAL_WEBHOOK."  # not its address, which may hold a secret
        raise status_failure("The webhook", status, detail, kind=type(error).__name__, headers=headers) from None
    except httpx2.RequestError as error:
        message = "The webhook of APPROVAL_WEBHOOK cannot be reached."
        raise ApplicationError(message, type=type(error).__name__) from None
