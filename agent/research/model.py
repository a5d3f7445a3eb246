"""How does an activity ask the model?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import openai
from temporalio import activity
from temporalio.exceptions import ApplicationError

from agent.research.failures import status_failure, unreachable
from agent.research.heartbeats import heartbeats
from agent.research.services import Services, http_client, request_timeout_s

if TYPE_CHECKING:
    from collections.abc import Iterable

    from openai.types.chat import ChatCompletion, ChatCompletionMessageParam, ChatCompletionToolParam

_HOW_TO_MEND = {
    401: " Check OPENAI_API_KEY.",
    403: " Check what the key of OPENAI_API_KEY may do.",
    404: " Check RESEARCH_MODEL and OPENAI_BASE_URL.",
}


async def chat(
    messages: Iterable[ChatCompletionMessageParam], tools: Iterable[ChatCompletionToolParam] | None = None
) -> ChatCompletion:
    """Ask the model to go on with a conversation, as one request of the activity's attempt.

    Temporal's retries are the only ones: the client's own are off, for they would hide failed requests from the
    history, and two layers of retries multiply.

    Args:
        messages: The conversation, in OpenAI's format.
        tools: The tools that the model may ask for; none by default.

    Raises:
        ApplicationError: The service refused, failed, or could not be reached in time.
    """
    services, info, timeout_s = Services.from_environment(), activity.info(), request_timeout_s()
    if services.openai_key is None:
        message = "No key for the model: set OPENAI_API_KEY, or OPENAI_BASE_URL to a model server on this machine."
        raise ApplicationError(message, type="NoKey", non_retryable=True)
    client = openai.AsyncOpenAI(
        api_key=services.openai_key,
        base_url=services.openai_url,
        max_retries=0,
        timeout=timeout_s,
        http_client=http_client(services.openai_url, timeout_s),
    )
    try:
        async with heartbeats(), client:
            return await client.chat.completions.create(
                model=services.model,
                messages=messages,
                tools=openai.omit if tools is None else tools,
                # OpenAI keeps it in its logs: it leads from a request there to the attempt that made it.
                extra_headers={"X-Client-Request-Id": f"{info.workflow_run_id}/{info.activity_id}/{info.attempt}"},
            )
    except openai.APIStatusError as error:
        raise _refused(error) from error
    except openai.APIConnectionError as error:
        raise unreachable("model", services.openai_url, error, "OPENAI_BASE_URL") from error


def no_text(completion: ChatCompletion) -> ApplicationError:
    """The failure of an answer that was to have text and has none; it is worth another attempt."""
    choice = completion.choices[0]
    reason = choice.message.refusal or f"it finished with {choice.finish_reason}"
    return ApplicationError(f"The model answered without text: {reason}.", type="NoText")


def _refused(error: openai.APIStatusError) -> ApplicationError:
    # The client's own message repeats the status.
    said = error.body.get("message") if isinstance(error.body, dict) else None
    detail = (said or error.message) + _HOW_TO_MEND.get(error.status_code, "")
    # Out of credit is a 429, too, but no delay mends it.
    final = error.code == "insufficient_quota"
    kind, headers = type(error).__name__, error.response.headers
    return status_failure("The model", error.status_code, detail, kind=kind, headers=headers, final=final)
