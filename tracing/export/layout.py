"""Where in the output folder does an export keep what is not finished?"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

MANIFEST: Final = "manifest.jsonl"
"""What the folder holds: a line for each history."""

WORK: Final = ".export"
"""Name of the folder in it that is there while an export is not finished."""


STAGED: Final = f"{WORK}{os.sep}staged"
"""Where files wait until their item is done, in the output folder."""


def work_folder(folder: Path) -> Path:
    """Where the journal and the staged files are."""
    return folder / WORK


def journal_file(folder: Path) -> Path:
    """The lines of the manifest so far, in the order in which items were done."""
    return work_folder(folder) / "journal.jsonl"


def staging_folder(folder: Path) -> Path:
    """Where files wait until their item is done."""
    return folder / STAGED
