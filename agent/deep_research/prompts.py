"""What is the model asked, and how is its plan read?

The first line of each prompt is a heading that names the step, for readers of traces and histories.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from agent.deep_research.payloads import SubQuestion
from agent.research.prompts import summary_request

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from agent.deep_research.payloads import Assignment
    from agent.research.payloads import Finding, SearchResult

PLAN = "Plan"
SUB_QUESTIONS = "Sub-questions"
SUMMARY = "Summary"
REPORT = "Report"
DONE = "Done"
_LIST_MARK = re.compile(r"^\s*(?:[-*•]|\d+[.)])\s+")
_AFTER = re.compile(r"\s*\[after ([\d, and]+)\]\s*$", re.IGNORECASE)


def step_of(assignment: Assignment) -> str:
    """Name the step that answers a sub-question."""
    return f"Sub-question {assignment.question.number} of {assignment.of}"


def plan_messages(question: str, number: int) -> list[dict[str, Any]]:
    """Ask for the sub-questions whose answers together answer a question."""
    return _messages(
        "You plan research. Answer with sub-questions only, one per line, without numbering.",
        f"# {PLAN}\n\nWrite {number} sub-questions whose answers together answer the question. Where one can only be "
        "answered once earlier ones are, end its line with their numbers: [after 1, 2].\n\n"
        f"Question: {question}",
    )


def parse_plan(plan: str, question: str, number: int) -> list[SubQuestion]:
    """Read the sub-questions from a plan: one a line, without list marks and repetitions.

    One may come after earlier ones only, so that every plan can be carried out. A plan without any sub-question is
    replaced by the question itself.
    """
    lines = [_LIST_MARK.sub("", line).strip() for line in plan.splitlines()]
    lines = list(dict.fromkeys(line for line in lines if line))[:number] or [question]
    return [_sub_question(number, line) for number, line in enumerate(lines, start=1)]


def _sub_question(number: int, line: str) -> SubQuestion:
    after = _AFTER.search(line)
    named = [int(each) for each in re.findall(r"\d+", after[1])] if after else []
    return SubQuestion(number, _AFTER.sub("", line), sorted({each for each in named if 0 < each < number}))


def sub_question_messages(assignment: Assignment) -> list[dict[str, Any]]:
    """Begin the conversation that answers a sub-question."""
    known = [f"- {finding.query}: {finding.synthesis}" for finding in assignment.known]
    return _messages(
        "You answer one question of a research project. Call search_web to find sources. Call calculate where the "
        'question asks for what can be "measured". Then answer in a few sentences, from what the tools returned only, '
        "and cite the sources by their numbers.",
        f"# {step_of(assignment)}\n\nQuestion: {assignment.question.text}"
        + "".join(["\n\nAnswers to earlier questions:\n\n", *known] if known else []),
    )


def tool_message(call_id: str, result: Any, *, first: int) -> dict[str, Any]:
    """What a tool returned, for the model.

    Args:
        call_id: ID of the model's call.
        result: A text, or sources.
        first: Number of the first source.
    """
    text = result if isinstance(result, str) else _sources(result, first)
    return {"role": "tool", "tool_call_id": call_id, "content": text}


def summary_messages(question: str, findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """Ask for the answer to the question, from the answers to all sub-questions."""
    request = summary_request(question, findings)
    return _messages(request.system, request.prompt)


def _sources(sources: Iterable[SearchResult], first: int) -> str:
    listed = (
        f"[{number}] {source.title}: {source.text} ({source.url})" for number, source in enumerate(sources, start=first)
    )
    return "\n".join(listed) or "Nothing was found."


def _messages(system: str, user: str) -> list[dict[str, Any]]:
    return [{"role": "system", "content": system}, {"role": "user", "content": user}]
