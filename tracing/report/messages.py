"""What did a model and its caller say to each other?

Reads the messages of the GenAI semantic conventions (role and parts) and, where a span has none, those of OpenAI's API
(role and content) from its input and output. What has another shape is shown as it is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tracing import conventions as c
from tracing.report.text import visible
from tracing.runs import AttributeValue

LONGEST: Final = 50_000
"""Characters of one text on the page; what is longer stays whole in the trace file."""

MOST: Final = 1_000
"""Messages of one call, and parts of one message, on the page."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a message: what it is ("" for plain text) and its text."""

    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Message:
    """One turn: who speaks, what, and why the model stopped ("" where nobody says)."""

    role: str
    parts: tuple[Part, ...]
    finish_reason: str = ""


def conversation(attributes: Mapping[str, AttributeValue]) -> tuple[Message, ...]:
    """The messages of a model call, in the order they were said; none where none were captured."""
    system = _parsed(attributes.get(c.SYSTEM_INSTRUCTIONS))
    said = [Message("system", _parts(system))] if isinstance(system, list) and system else []
    for key, fallback in ((c.INPUT_MESSAGES, c.INPUT_VALUE), (c.OUTPUT_MESSAGES, c.OUTPUT_VALUE)):
        messages = _parsed(attributes.get(key))
        if not isinstance(messages, list):
            messages = _of_api(_parsed(attributes.get(fallback)))
        turns = [each for each in messages if isinstance(each, dict)]
        said += [_message(each) for each in turns[:MOST]]
        if len(turns) > MOST:
            said.append(Message("…", (Part("", f"{len(turns) - MOST:,} more are in the trace file"),)))
    return tuple(said)


def pretty(value: object) -> str:
    """A captured value: JSON indented, text as it is; cut where it is too long for a page."""
    parsed = _parsed(value)
    return _shown(parsed if isinstance(parsed, (str, dict, list)) else str(value))


def _of_api(value: Any) -> list[Any]:
    if not isinstance(value, dict):
        return []
    messages = value.get("messages")
    return messages if isinstance(messages, list) else [value] if "role" in value else []


def _message(message: dict[str, Any]) -> Message:
    parts = message.get("parts")
    if not isinstance(parts, list):
        parts = list(_parts_of_api(message))
    finish = message.get("finish_reason")
    return Message(
        visible(message.get("role", "message")),
        _parts(parts),
        visible(finish) if isinstance(finish, str) else "",
    )


def _parts(parts: list[Any]) -> tuple[Part, ...]:
    shown = tuple(_part(part) for part in parts[:MOST])
    left = len(parts) - MOST
    return shown if left <= 0 else (*shown, Part("", f"… {left:,} more parts are in the trace file"))


def _parts_of_api(message: dict[str, Any]) -> Iterator[Any]:
    content = message.get("content")
    if isinstance(content, list):
        yield from content
    elif content is not None:
        yield {"type": "text", "content": content}
    calls = message.get("tool_calls")
    for call in calls if isinstance(calls, list) else ():
        function = call.get("function") if isinstance(call, dict) else None
        yield {"type": "tool_call", **function} if isinstance(function, dict) else call


def _part(part: Any) -> Part:
    if not isinstance(part, dict):
        return Part("", _shown(part))
    match part:
        case {"type": "text" | "reasoning" as kind, "content": content} | {"type": "text" as kind, "text": content}:
            return Part("" if kind == "text" else "reasoning", _shown(content))
        case {"type": "tool_call", "name": name, "arguments": arguments}:
            return Part(
                f"tool call {visible(name)}", pretty(arguments) if isinstance(arguments, str) else _shown(arguments)
            )
        case {"type": "tool_call_response", "response": result} | {"type": "tool_call_response", "result": result}:
            return Part("tool result", pretty(result) if isinstance(result, str) else _shown(result))
    kind = part.get("type")
    return Part(visible(kind) if isinstance(kind, str) else "", _shown(part))


def _parsed(value: object) -> Any:
    """A JSON value; None where it is none. Parsers have limits that traces from anywhere may exceed."""
    if not isinstance(value, str):
        return None
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return None


def _shown(value: Any) -> str:
    if isinstance(value, str):
        text = value
    else:
        try:
            text = json.dumps(value, indent=2, ensure_ascii=False)
        except (ValueError, RecursionError):
            text = str(type(value).__name__)
    left = len(text) - LONGEST
    return (
        visible(text) if left <= 0 else f"{visible(text[:LONGEST])}\n… {left:,} more characters are in the trace file"
    )
