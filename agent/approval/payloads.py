"""What travels between the approval gate, its activities and the people who decide?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

DAY_S = 86_400.0

Stage = Literal["research", "waiting", "escalated", "approved", "rejected", "timed_out"]
"""Where a run is: `waiting` for the reviewer, `escalated` to the contact behind them, or decided."""


@dataclass(frozen=True)
class GateRequest:
    """What to research, and who decides on it by when.

    Attributes:
        question: The question.
        reviewer: Who is asked first.
        escalation_contact: Who is asked when the reviewer does not answer in time.
        decide_within_s: How long the reviewer has, in seconds.
        escalate_for_s: How long the escalation contact has, in seconds.
    """

    question: str
    reviewer: str = "reviewer"
    escalation_contact: str = "escalation contact"
    decide_within_s: float = DAY_S
    escalate_for_s: float = DAY_S


@dataclass(frozen=True)
class Review:
    """Who looked at the draft, and what they say."""

    reviewer: str
    comment: str = ""


@dataclass(frozen=True)
class Decision:
    """A review with its outcome."""

    review: Review
    approved: bool


@dataclass(frozen=True)
class GateStatus:
    """How a run stands.

    Attributes:
        stage: Where it is.
        waits_for: Whose decision it waits for; none where it waits for nobody.
        draft: What there is to decide on; none before the research is done.
        decision: What was decided; none where nobody decided yet.
    """

    stage: Stage
    waits_for: str | None
    draft: str | None
    decision: Decision | None


@dataclass(frozen=True)
class Notice:
    """Tells somebody that a draft waits for their decision."""

    to: str
    question: str
    workflow_id: str


@dataclass(frozen=True)
class GateResult:
    """How a run ended.

    Attributes:
        outcome: What became of the draft. A draft that nobody decided on is `timed_out`: it is rejected, too.
        report: The report; none unless the draft was approved.
        decision: The decision; none where nobody decided.
    """

    outcome: Literal["approved", "rejected", "timed_out"]
    report: str | None
    decision: Decision | None
