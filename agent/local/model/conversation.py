"""What does a request say to the model, whichever endpoint it came by?"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

ToolChoice = Literal["auto", "none", "required"]


@dataclass(frozen=True)
class Tool:
    """A function that the model may call, with the JSON schema of its arguments."""

    name: str
    parameters: dict[str, Any]


@dataclass(frozen=True)
class Message:
    """One message: who says what. A tool's output has the role `tool`, a wish that one be called `call`: its name."""

    role: str
    text: str


@dataclass(frozen=True)
class Conversation:
    """A request in the terms that an answer depends on.

    Attributes:
        messages: All messages in order, instructions first.
        tools: The functions that the model may call.
        tool_choice: Whether it must or must not call one, or the name of the one that it must call.
        output_schema: The JSON schema that the answer must have; unset where it may be any text.
    """

    messages: tuple[Message, ...]
    tools: tuple[Tool, ...] = field(default=())
    tool_choice: ToolChoice | str = "auto"
    output_schema: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET

    @property
    def prompt(self) -> str:
        """Everything that is said, one message after the other."""
        return "\n\n".join(message.text for message in self.messages)

    @property
    def instructions(self) -> str:
        """What the model has been told to do, whatever the user says."""
        return "\n".join(message.text for message in self.messages if message.role in ("system", "developer"))

    @property
    def user(self) -> str:
        """What the user said last; empty if nothing."""
        return next((message.text for message in reversed(self.messages) if message.role == "user"), "")

    @property
    def step(self) -> str:
        """The first line of what the user said last, without a Markdown heading's marks: it names the step."""
        return self.user.lstrip("# \n").partition("\n")[0].strip()

    @property
    def tool_outputs(self) -> tuple[str, ...]:
        """What tools have returned since the user spoke last."""
        return tuple(message.text for message in self._since_user() if message.role == "tool")

    @property
    def tools_called(self) -> frozenset[str]:
        """Names of the tools that have been called since the user spoke last."""
        return frozenset(message.text for message in self._since_user() if message.role == "call")

    def _since_user(self) -> list[Message]:
        last = max((at for at, message in enumerate(self.messages) if message.role == "user"), default=-1)
        return list(self.messages[last + 1 :])


def text_of(content: str | list[dict[str, Any]] | None) -> str:
    """Return the text of a message's content, which may come in typed parts."""
    if content is None or isinstance(content, str):
        return content or ""
    return "".join(str(part.get("text", "")) for part in content)
