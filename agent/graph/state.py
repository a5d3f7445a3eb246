"""What do the graph's nodes know of each other's work?"""

from __future__ import annotations

from typing import TypedDict


class ResearchState(TypedDict, total=False):
    """The graph's state. Each node returns the keys that it sets.

    Plain JSON values only: where nodes are activities, the state travels through the history.

    Attributes:
        question: What to research.
        queries: Search queries that together answer it.
        sources: What the searches found, a line a source.
        draft: The newest draft of the answer.
        drafts: How many drafts there have been.
        critique: What the critic said of the newest draft: its verdict, then why.
        report: The report, in Markdown.
    """

    question: str
    queries: list[str]
    sources: list[str]
    draft: str
    drafts: int
    critique: str
    report: str
