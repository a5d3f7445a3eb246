"""What does the agent ask the model, and how does it read the plan?

The first line of each prompt is a heading that names the step. It tells a reader of traces and histories, and the local
model server's count of requests, which step asked.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from agent.research.payloads import Finding, LLMRequest, SearchResult

if TYPE_CHECKING:
    from collections.abc import Sequence

PLAN = "Plan"
SUMMARY = "Summary"
_LIST_MARK = re.compile(r"^\s*(?:[-*•]|\d+[.)])\s+")


def synthesis_step(number: int, total: int) -> str:
    """Name the synthesis of one search."""
    return f"Synthesis {number} of {total}"


def plan_request(question: str, searches: int) -> LLMRequest:
    """Ask for the search queries that together answer a question."""
    return LLMRequest(
        system="You plan web research. Answer with search queries only, one per line, without numbering.",
        prompt=f"# {PLAN}\n\nWrite {searches} web search queries that together answer the question.\n\n"
        f"Question: {question}",
    )


def parse_plan(plan: str, question: str, searches: int) -> list[str]:
    """Read the queries from a plan: one a line, without list marks and repetitions.

    A plan without any is replaced by the question itself, which is a search query, too.
    """
    lines = [_LIST_MARK.sub("", line).strip().strip('"') for line in plan.splitlines()]
    return list(dict.fromkeys(line for line in lines if line))[:searches] or [question]


def synthesis_request(step: str, query: str, sources: Sequence[SearchResult]) -> LLMRequest:
    """Ask what the sources of one search say."""
    listed = [f"{source.title}: {source.text} ({source.url})" for source in sources]
    return LLMRequest(
        system="You synthesise web sources. Use only the sources given, and cite them by their numbers.",
        prompt=f"# {step}\n\nSay in a few sentences what these sources find about: {query}\n\n"
        f"{_numbered(listed) or 'No source was found; say so.'}",
    )


def summary_request(question: str, findings: Sequence[Finding]) -> LLMRequest:
    """Ask for the answer to the question, from what was found."""
    listed = [f"{finding.query}: {finding.synthesis}" for finding in findings]
    return LLMRequest(
        system="You write the opening summary of a research report. Use only the findings given.",
        prompt=f"# {SUMMARY}\n\nAnswer the question from these findings.\n\n"
        f"Question: {question}\n\n{_numbered(listed)}",
    )


def _numbered(items: Sequence[str]) -> str:
    return "\n".join(f"[{number}] {item}" for number, item in enumerate(items, start=1))
