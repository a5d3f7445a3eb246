"""What does a recogniser get, and what does it give?"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from tracing import conventions as c
from tracing.runs import Attributes

MAX_TOKENS = 1 << 48
"""No call has so many tokens."""
MAX_NAME = 256
"""Longest model name, ID or finish reason, in characters; longer ones are none."""
MAX_REASONS = 16
"""Finish reasons of one call."""


@dataclass(frozen=True, slots=True)
class Completed:
    """A completed activity, as a recogniser sees it. Everything in it comes from outside.

    Attributes:
        activity_type: Activity type.
        result: Its result: decoded JSON.
        asked_model: Model that its input names (``model`` or ``model_name`` of the first argument), or "".
    """

    activity_type: str
    result: Any
    asked_model: str = ""


@dataclass(frozen=True, slots=True)
class Tokens:
    """Usage of one call, as the GenAI conventions count it; None is unknown.

    Attributes:
        input: Input, cached tokens included.
        output: Output, reasoning included.
        cache_read: Part of the input that was read from a cache.
        cache_write: Part of the input that was written to a cache.
        reasoning: Part of the output spent on reasoning.
    """

    input: int | None = None
    output: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None
    reasoning: int | None = None

    def attributes(self) -> Attributes:
        """The counts as a span carries them. Where input and output are both 0, nobody counted."""
        if not self.input and not self.output:
            return {}
        counts = {
            c.USAGE_INPUT: self.input,
            c.USAGE_OUTPUT: self.output,
            c.USAGE_CACHE_READ: self.cache_read,
            c.USAGE_CACHE_WRITE: self.cache_write,
            c.USAGE_REASONING: self.reasoning,
        }
        return {key: count for key, count in counts.items() if count is not None and 0 <= count < MAX_TOKENS}


@dataclass(frozen=True, slots=True)
class Call:
    """A recognised model call.

    Attributes:
        operation: By the GenAI conventions: chat, generate_content, embeddings.
        provider: By the GenAI conventions (openai, anthropic, gcp.gemini …), or "" where it is unknown.
        request_model: Model asked for, or "".
        response_model: Model that answered, or "".
        response_id: ID of the response, or "". One that stands in the activity's input is no call of this activity.
        finish_reasons: Why it ended.
        tokens: Its usage.
    """

    operation: str = "chat"
    provider: str = ""
    request_model: str = ""
    response_model: str = ""
    response_id: str = ""
    finish_reasons: tuple[str, ...] = ()
    tokens: Tokens = Tokens()

    def attributes(self) -> Attributes:
        """The call as a span carries it."""
        texts = {
            c.PROVIDER: self.provider,
            c.REQUEST_MODEL: self.request_model,
            c.RESPONSE_MODEL: self.response_model,
            c.RESPONSE_ID: self.response_id,
        }
        attributes: Attributes = {c.OPERATION: self.operation}
        attributes.update({key: text for key, text in texts.items() if text and len(text) <= MAX_NAME})
        reasons = tuple(reason.lower() for reason in self.finish_reasons[:MAX_REASONS] if len(reason) <= MAX_NAME)
        if reasons:
            attributes[c.FINISH_REASONS] = reasons
        return attributes | self.tokens.attributes()

    @property
    def span_name(self) -> str:
        """Name of its span, by the GenAI conventions."""
        model = self.request_model or self.response_model
        return f"{self.operation} {model}" if model and len(model) <= MAX_NAME else self.operation


Recogniser = Callable[[Completed], Iterable[Call]]
"""Finds the model calls in an activity's result; none where it does not know type or shape."""
