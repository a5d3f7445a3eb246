"""What is a score: one finding about a trace, as Langfuse (scores) and Phoenix (annotations) keep it?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Score:
    """One finding about a trace. Written again it takes the place of the one with its ID.

    Attributes:
        id: 32 hexadecimal digits, the same whenever the same is found out about.
        name: Name, of ``conventions.SCORES``.
        value: A number, or a category; None is unknown.
        comment: What it means, for people.
        time: When what it is about began, in ns since the epoch; never when it was found out.
        at_least: Whether the number is the known part only.
        metadata: What it was found out from.
    """

    id: str
    name: str
    value: float | str | None
    comment: str
    time: int
    at_least: bool = False
    metadata: Mapping[str, str] = field(default_factory=dict)
