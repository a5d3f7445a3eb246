"""``python -m tracing.reference FILE``: writes the reference page."""

from __future__ import annotations

import sys
from pathlib import Path

from tracing.reference.page import page

if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")
