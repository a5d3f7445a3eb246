"""What does `durable-trace doctor` say of each thing it looks at?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "off", "failed"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: what it is, how it stands, what was found, and how to mend it where that is needed."""

    name: str
    state: State
    found: str
    mend: str = ""
