"""What travels between the workflows of the research, their activities and their callers?"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from agent.research.payloads import Finding


@dataclass(frozen=True)
class SubQuestion:
    """A part of the question.

    Attributes:
        number: Its place in the plan, from 1.
        text: What is asked.
        after: Numbers of the sub-questions whose answers it needs; all of them stand before it in the plan.
    """

    number: int
    text: str
    after: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Answer:
    """The answer to a sub-question.

    Attributes:
        number: Number of the sub-question.
        finding: What was found, with its sources.
        tokens: Tokens that the model used for it, input and output together.
    """

    number: int
    finding: Finding
    tokens: int


@dataclass(frozen=True)
class Research:
    """What a run begins with: the question, and what the runs before it in the chain hand on to it.

    Attributes:
        question: The question.
        plan: The sub-questions; empty before the first run has made the plan.
        answers: The answers so far.
        tokens: Tokens used so far.
    """

    question: str
    plan: list[SubQuestion] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    tokens: int = 0


@dataclass(frozen=True)
class Assignment:
    """What a child workflow begins with: one sub-question, and the answers that it builds upon."""

    question: SubQuestion
    of: int
    known: list[Finding]


@dataclass(frozen=True)
class Progress:
    """How far the research is.

    Attributes:
        step: `Plan`, `Sub-questions`, `Summary`, `Report` or `Done`.
        answered: Sub-questions that are answered.
        researching: Sub-questions that are worked on now.
        waiting: Sub-questions whose turn is still to come.
        tokens: Tokens used so far; a sub-question's are added when it is answered.
    """

    step: str
    answered: list[str]
    researching: list[str]
    waiting: list[str]
    tokens: int


@dataclass(frozen=True)
class Turn:
    """What the model is asked: to go on with a conversation in OpenAI's format, with or without tools."""

    messages: list[dict[str, Any]]
    may_call_tools: bool = False


@dataclass(frozen=True)
class ToolCall:
    """The model's wish that a tool be called; the arguments are JSON, if the model wrote them well."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True)
class Reply:
    """What the model says: a text, or the tools that it wants called first."""

    text: str
    calls: list[ToolCall]
    tokens: int
