"""What are a run's files called?

IDs come from outside, and a workflow ID may be any text. So a name is made of harmless characters only. Where that
changes an ID, a hash of both IDs keeps the name unique, also on file systems that do not tell upper from lower case.
"""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import Final

TRACE_SUFFIX: Final = ".otlp.jsonl"
HISTORY_SUFFIX: Final = ".history.json"

_MAX_ID: Final = 96
"""Longest part of a name that one ID gives, in characters: with suffixes the whole stays below 255 bytes."""

_OTHER: Final = re.compile(r"[^A-Za-z0-9._-]+")
_PLAIN_WORKFLOW_ID: Final = re.compile(r"[a-z0-9_][a-z0-9._-]*")
_RUN_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._~-]{0,219}")

_WINDOWS_DEVICES: Final = frozenset(
    {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))}
)
"""Windows opens these instead of a file, whatever follows their first dot."""


def run_name(workflow_id: str, run_id: str) -> str:
    """Name of a run's files, without suffix: workflow ID and run ID.

    Two different runs have two different names, also when case does not count.

    Args:
        workflow_id: Workflow ID: any text.
        run_id: The real run ID; a UUID, but any text is safe.
    """
    safe = _safe(workflow_id)
    name = f"{safe}_{_safe(run_id)}"
    # A UUID has a fixed length, so that no two pairs of IDs can share one name; anything else is told by the hash.
    if safe == workflow_id and _PLAIN_WORKFLOW_ID.fullmatch(workflow_id) and _RUN_ID.fullmatch(run_id):
        return name
    text = f"{len(workflow_id)}:{workflow_id}{run_id}"
    return f"{name}~{blake2b(text.encode('utf-8', 'surrogatepass'), digest_size=6).hexdigest()}"


def check_name(name: str) -> str:
    """The name, if it can be a file's in any folder.

    Raises:
        ValueError: When it could choose another folder, or a file that is none.
    """
    if not _NAME.fullmatch(name) or _stem(name) in _WINDOWS_DEVICES:
        raise ValueError(f"{name!a} cannot name a run's files: take the name that run_name() gives.")
    return name


def _safe(text: str) -> str:
    safe = _OTHER.sub("_", text)[:_MAX_ID].rstrip(".")
    # A dot would hide the file, a dash would make it look like an option to commands.
    if not safe or safe[0] in ".-" or _stem(safe) in _WINDOWS_DEVICES:
        safe = f"_{safe}"
    return safe


def _stem(name: str) -> str:
    return name.partition(".")[0].lower()
