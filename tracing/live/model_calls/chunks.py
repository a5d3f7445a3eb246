"""What do the chunks of a streamed answer add up to: which response, of which usage?

Read by their shape, as `responses`: chunks of OpenAI's chat completions, events of OpenAI's responses, Anthropic's
messages and Bedrock's converse, chunks of Google and LangChain, plain text. The sum is a response that
`response_attributes` understands; of a stream that was left half-way, what had come by then.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tracing.live.model_calls.fields import field_of, list_of

MAX_CHARACTERS: Final = 1 << 20
"""Characters of an answer that are kept; content is cut to less before it is recorded."""


class Chunks:
    """Adds up the chunks of one answer.

    Args:
        content: Whether to keep the answer's text.
    """

    def __init__(self, *, content: bool) -> None:
        self._content = content
        self._room = MAX_CHARACTERS
        self._whole: Any = None
        self._known: dict[str, Any] = {}
        self._usage: Any = None
        self._choices: dict[int, _Choice] = {}

    def add(self, chunk: Any) -> None:
        """Take in one chunk."""
        chunk = field_of(chunk, "chunk") or chunk  # an event of OpenAI's stream helpers
        kind = field_of(chunk, "type")
        if isinstance(chunk, str):
            self._text(0, chunk)
        elif kind == "AIMessageChunk":
            self._whole = chunk if self._whole is None else self._whole + chunk
        elif isinstance(kind, str) and kind.startswith("response."):
            self._openai_event(chunk, kind)
        elif isinstance(kind, str) and kind.startswith(("message_", "content_block_")):
            self._anthropic_event(chunk, kind)
        else:
            self._chunk(chunk)

    def response(self) -> Any:
        """The response so far."""
        if self._whole is not None and (field_of(self._whole, "usage", "usage_metadata") or not self._choices):
            return self._whole
        known = self._known or {
            "id": field_of(self._whole, "id"),
            "model": field_of(self._whole, "model"),
        }
        choices = [choice.as_dict() for _, choice in sorted(self._choices.items())]
        return {**known, "choices": choices, "usage": self._usage}

    def _chunk(self, chunk: Any) -> None:
        self._know(chunk, id=("id", "response_id", "responseId"), model=("model", "model_version", "modelVersion"))
        metadata = field_of(chunk, "metadata")  # Bedrock
        self._usage = field_of(chunk, "usage", "usage_metadata", "usageMetadata") or (
            field_of(metadata, "usage") or self._usage
        )
        for index, choice in enumerate(list_of(field_of(chunk, "choices", "candidates"))):
            number = field_of(choice, "index")
            delta = field_of(choice, "delta", "message", "content")
            self._delta(number if isinstance(number, int) else index, delta)
            self._finish(
                number if isinstance(number, int) else index, field_of(choice, "finish_reason", "finishReason")
            )
        self._delta(0, field_of(field_of(chunk, "contentBlockDelta"), "delta"))
        self._finish(0, field_of(field_of(chunk, "messageStop"), "stopReason"))

    def _openai_event(self, event: Any, kind: str) -> None:
        self._whole = field_of(event, "response") or self._whole
        if kind == "response.output_text.delta":
            self._text(0, field_of(event, "delta"))

    def _anthropic_event(self, event: Any, kind: str) -> None:
        message = field_of(event, "message")
        if message is not None:
            self._know(message, id=("id",), model=("model",))
        usage = field_of(message, "usage") or field_of(event, "usage")
        if usage is not None:
            # The end names what the start could not know, and not always what the start has named.
            self._usage = {**(self._usage or {}), **_named(usage)}
        delta = field_of(event, "delta")
        self._finish(0, field_of(delta, "stop_reason"))
        if kind == "content_block_start":
            self._tool_call(0, field_of(event, "index"), field_of(event, "content_block"))
        elif kind == "content_block_delta":
            self._text(0, field_of(delta, "text"))
            self._arguments(0, field_of(event, "index"), field_of(delta, "partial_json"))

    def _know(self, value: Any, **names: tuple[str, ...]) -> None:
        for key, spellings in names.items():
            found = field_of(value, *spellings)
            if found is not None:
                self._known[key] = found

    def _choice(self, index: int) -> _Choice:
        return self._choices.setdefault(index, _Choice())

    def _finish(self, index: int, reason: Any) -> None:
        if reason is not None:
            self._choice(index).reason = reason

    def _delta(self, index: int, delta: Any) -> None:
        if delta is None:
            return
        self._text(index, field_of(delta, "content", "text"))
        for part in list_of(field_of(delta, "parts")):
            self._text(index, field_of(part, "text"))
            called = field_of(part, "function_call", "functionCall")
            if called is not None:
                self._tool_call(index, len(self._choice(index).calls), called)
        for call in list_of(field_of(delta, "tool_calls")):
            function = field_of(call, "function")
            if field_of(call, "id") is not None:
                self._tool_call(index, field_of(call, "index"), {"id": field_of(call, "id"), **_named(function)})
            else:
                self._arguments(index, field_of(call, "index"), field_of(function, "arguments"))

    def _text(self, index: int, text: Any) -> None:
        choice = self._choice(index) if isinstance(text, str) else None
        if choice is not None and self._content and self._room > 0:
            choice.texts.append(text[: self._room])
            self._room -= len(text)

    def _tool_call(self, index: int, number: Any, call: Any) -> None:
        if not self._content or field_of(call, "name") is None:
            return
        given = field_of(call, "arguments", "args", "input")
        self._choice(index).calls[number] = {
            "id": field_of(call, "id"),
            "name": field_of(call, "name"),
            # Anthropic begins with an empty object, and sends the arguments as text thereafter.
            "arguments": given if isinstance(given, str) else given or "",
        }

    def _arguments(self, index: int, number: Any, text: Any) -> None:
        call = self._choice(index).calls.get(number) if isinstance(text, str) else None
        if call is not None and isinstance(call["arguments"], str) and self._room > 0:
            call["arguments"] += text[: self._room]
            self._room -= len(text)


class _Choice:
    """One of the answers."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.calls: dict[Any, dict[str, Any]] = {}
        self.reason: Any = None

    def as_dict(self) -> dict[str, Any]:
        message = {"role": "assistant", "content": "".join(self.texts) or None, "tool_calls": list(self.calls.values())}
        return {"finish_reason": self.reason, "message": message}


def _named(value: Any) -> dict[str, Any]:
    """The fields of an object or a dict that are known."""
    if value is None:
        return {}
    fields = value if isinstance(value, Mapping) else vars(value)
    return {str(key): found for key, found in fields.items() if found is not None}
