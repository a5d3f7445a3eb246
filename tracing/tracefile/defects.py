"""What of trace files could not be read, where, and what is to be done about it?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Defect:
    """Something that could not be read.

    Attributes:
        file: The file.
        line: Its line, from 1; 0 where the whole file is meant.
        reason: What is wrong.
        mend: What to do about it.
    """

    file: Path
    line: int
    reason: str
    mend: str

    def __str__(self) -> str:
        place = f"{self.file}, line {self.line}" if self.line else f"{self.file}"
        return f"{place}: {self.reason}. {self.mend}"
