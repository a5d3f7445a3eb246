"""Which files are objects of Temporal Cloud's history export, and of which namespace?

They have no extension and do not name their namespace: both follow from the path,
``temporal-workflow-history/export/NAMESPACE/YYYY/MM/DD/HH/MM/NAME``.
"""

from __future__ import annotations

import re
from typing import Final

_EXPORT: Final = re.compile(r"(?:^|/)temporal-workflow-history/export/([^/]+)/")
_MINUTE: Final = re.compile(r"(?:^|/)[0-9]{4}(?:/[0-9]{2}){4}/[^/]+$")


def namespace_of(path: str) -> str:
    """Namespace that a path of an export names, or "".

    Args:
        path: Whole path or URL of a file, with slashes.
    """
    found = _EXPORT.search(path)
    return found[1] if found else ""


def is_object(path: str) -> bool:
    """Whether a file with this path is an object of an export, as far as its path can say."""
    name = path.rpartition("/")[2]
    return "." not in name and bool(_EXPORT.search(path) or _MINUTE.search(path))
