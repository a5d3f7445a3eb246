"""The code blocks of the documents, each with the language and the mark that its fence names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
DOCUMENTS: Final = tuple(sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")]))

FENCED: Final = re.compile(r"^```(\w*)(?: (\w+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
"""Language, mark (```bash docker), text."""


@dataclass(frozen=True)
class Block:
    """A code block.

    Attributes:
        document: Path of its document, from the root.
        number: Which of the document's blocks it is, from 1.
        language: What its fence says.
        mark: The word after it: why it is not run; empty where it is.
        text: Its lines.
    """

    document: str
    number: int
    language: str
    mark: str
    text: str

    def __str__(self) -> str:
        return f"{self.document}, block {self.number}"


def named(document: Path) -> str:
    """A document's path from the root."""
    return str(document.relative_to(ROOT))


def prose(document: Path) -> str:
    """A document without its code blocks."""
    return FENCED.sub("", document.read_text())


def _blocks() -> list[Block]:
    return [
        Block(named(document), number, *found)
        for document in DOCUMENTS
        for number, found in enumerate(FENCED.findall(document.read_text()), start=1)
    ]


BLOCKS: Final = tuple(_blocks())


def of(language: str, document: str | None = None) -> list[Block]:
    """The blocks of a language that are run, of one document or of all."""
    return [
        block
        for block in BLOCKS
        if block.language == language and not block.mark and document in {None, block.document}
    ]


RUN_ELSEWHERE: Final = {
    # What it prints is compared there, and the trace of its run.
    ("docs/agents.md", "DeepResearchWorkflow"): "tests/e2e/test_deep_research.py",
    # The agent and its test, which are files of their own there.
    ("docs/live.md", "class Agent"): "tests/e2e/test_guide.py",
    ("docs/live.md", "async def test_"): "tests/e2e/test_guide.py",
    # DBOS is one for each process, and so is its tracing.
    ("docs/dbos.md", "trace_dbos(DATABASE)"): "tests/dbos_live/test_guide.py",
    # S3's driver needs a client that is no dependency of ours.
    ("docs/decoding.md", "import aioboto3"): "tests/documents/test_formats.py",
}
"""Blocks that another test runs, by their document and what is in them."""
