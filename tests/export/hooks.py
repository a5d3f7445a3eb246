"""A redactor that does to its process what a text says: worker processes import it by its name."""

from __future__ import annotations

import os
import signal
from pathlib import Path


def obey(_key: str, text: str) -> str:
    """`die`: be killed. `die once: FILE`: be killed unless the file is there. `wait: FIFO`: until somebody writes."""
    command, _, path = text.strip('"').partition(": ")
    if command == "die" or (command == "die once" and not Path(path).exists()):
        if path:
            Path(path).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    elif command == "wait":
        Path(path).read_bytes()
    return text
