"""What travels between the research workflow, its activities and its callers?"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SearchResult:
    """One source that a search found."""

    title: str
    text: str
    url: str


@dataclass(frozen=True)
class LLMRequest:
    """What a model is asked: its role, and the task, whose first line names the step."""

    system: str
    prompt: str


@dataclass(frozen=True)
class Finding:
    """What one search contributes to the report."""

    query: str
    synthesis: str
    sources: list[SearchResult]


@dataclass(frozen=True)
class ReportInput:
    """Everything that the report is made of."""

    question: str
    summary: str
    findings: list[Finding]


@dataclass(frozen=True)
class Progress:
    """How far a run is: the step it is at, and the steps done so far.

    Attributes:
        step: The step that the run waits for, or `Done`.
        completed_steps: How many activities have completed.
        total_steps: How many there will be; none before the plan is made.
        notes: How many notes have been added.
    """

    step: str
    completed_steps: int
    total_steps: int | None
    notes: int
