"""Which of a backend's IDs are span IDs?"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

_SPAN_ID: Final = re.compile(r"[0-9a-fA-F]{16}")


def parsed_ids(texts: Iterable[str]) -> set[int]:
    """The span IDs among texts; backends also hold items that came by other ways, with IDs of other forms."""
    return {int(text, 16) for text in texts if _SPAN_ID.fullmatch(text)}
