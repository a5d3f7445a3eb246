"""OpenAI Agents (``temporalio-openai-agents``): ``invoke_model_activity``, and its streaming twin.

The result is the SDK's `ModelResponse`: output, usage, ``response_id``, without the model that answered. The streaming
activity's is the list of the API's events, of which the last holds the whole response.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tracing.recognisers.json_values import object_of, text_of
from tracing.recognisers.model import Call, Completed
from tracing.recognisers.openai_results import PROVIDER, openai_tokens, response_call

_TYPE: Final = "invoke_model_activity"
_STREAMING: Final = "invoke_model_activity_streaming"


def recognise(completed: Completed) -> Iterator[Call]:
    """Find the one call of a model activity."""
    result = completed.result
    if completed.activity_type == _TYPE and isinstance(result, dict) and {"output", "usage"} <= result.keys():
        yield Call(
            # Its agents can be given any model; that it is OpenAI's is known only where nobody named another kind.
            provider=PROVIDER if "/" not in completed.asked_model else "",
            request_model=completed.asked_model,
            response_id=text_of(result, "response_id"),
            tokens=openai_tokens(object_of(result, "usage")),
        )
    elif completed.activity_type == _STREAMING and isinstance(result, list):
        for event in reversed(result):
            if text_of(event, "type") in {"response.completed", "response.incomplete", "response.failed"}:
                yield response_call(object_of(event, "response"), completed.asked_model)
                return
