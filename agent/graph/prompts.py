"""What do the graph's writer and its critic ask the model?

The first line of each prompt names the step, as in `agent.research.prompts`, which has the planner's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.research.payloads import LLMRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

ACCEPT = "ACCEPT"
REVISE = "REVISE"


def draft_request(number: int, question: str, sources: Sequence[str], critique: str) -> LLMRequest:
    """Ask for a draft from the sources that mends what the critic said of the one before, if there was one."""
    listed = "\n".join(f"[{place}] {source}" for place, source in enumerate(sources, start=1))
    mend = f"The critic said of the last draft: {critique}\n\n" if critique else ""
    return LLMRequest(
        system="You answer questions from web sources. Use only the sources given, and cite them by their numbers.",
        prompt=f"# Draft {number}\n\nAnswer the question from these sources.\n\nQuestion: {question}\n\n"
        f"{mend}{listed or 'No source was found; say so.'}",
    )


def critique_request(number: int, question: str, draft: str, critique: str) -> LLMRequest:
    """Ask whether a draft will do, with what was said of the one before."""
    before = f"You said of the last draft: {critique}\n\n" if critique else ""
    return LLMRequest(
        system="You are the critic of a research team.",
        prompt=f"# Critique {number}\n\nDoes the draft answer the question, and cite a source for all it says? "
        f"Answer {REVISE} or {ACCEPT}, and say why.\n\nQuestion: {question}\n\n{before}Draft:\n{draft}",
    )


def is_accepted(critique: str) -> bool:
    """Whether a critique's verdict, its first word, is to accept the draft."""
    return critique.lstrip(" *#\n").upper().startswith(ACCEPT)
