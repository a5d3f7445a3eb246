"""Runs `make test`, or the target given, on the oldest and the newest supported Python that this machine has."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

OLDEST = (3, 11)


def interpreters() -> dict[tuple[int, int], str]:
    """Every Python from the oldest supported on, by version: on PATH, and beside each other under pyenv."""
    names = [f"python3.{minor}" for minor in range(OLDEST[1], 30)]
    found = [shutil.which(name) for name in names]
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found += [str(path) for path in sorted(pyenv.glob("3.*/bin/python"))]
    return {version: path for path in filter(None, found) if (version := _version(path)) and version >= OLDEST}


def _version(path: str) -> tuple[int, int] | None:
    # A pyenv shim exists for every version and works only for the active ones: asking is the only way to know.
    asked = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
    match = re.match(r"Python (\d+)\.(\d+)\.\d+$", asked.stdout.strip()) if asked.returncode == 0 else None
    return (int(match[1]), int(match[2])) if match else None


def main() -> int:
    """Run the tests on both; the first failure's exit code."""
    target = sys.argv[1] if len(sys.argv) > 1 else "test"
    pythons = interpreters()
    if not pythons:
        sys.stderr.write("No Python from 3.11 on was found on PATH.\n")
        return 1
    for version in dict.fromkeys((min(pythons), max(pythons))):
        name = f"{version[0]}.{version[1]}"
        sys.stderr.write(f"== Python {name} ({pythons[version]})\n")
        status = subprocess.run(["make", target, f"PYTHON={pythons[version]}", f"VENV=.venv-{name}"], check=False)
        if status.returncode:
            return status.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())
