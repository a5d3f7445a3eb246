"""``python -m agent.servers [NAME|all]...``: find the servers and the browser, or get what is missing."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Final

from agent.servers.chromium import find_chromium
from agent.servers.collector import find_collector
from agent.servers.locate import Address, ServerNotFoundError
from agent.servers.phoenix import find_phoenix
from agent.servers.progress import Progress
from agent.servers.temporal import find_temporal

if TYPE_CHECKING:
    from collections.abc import Sequence

_FINDERS: Final = {
    "temporal": find_temporal,
    "collector": find_collector,
    "phoenix": find_phoenix,
    "chromium": find_chromium,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Print where each server is; 1 where one is missing and could not be got."""
    parser = argparse.ArgumentParser(prog="python -m agent.servers", description=__doc__)
    parser.add_argument("servers", nargs="*", choices=[*_FINDERS, "all"], default="all", metavar="SERVER")
    parser.add_argument("--check", action="store_true", help="only look: neither download nor build")
    given = parser.parse_args(arguments)
    names = list(_FINDERS) if "all" in given.servers else dict.fromkeys(given.servers)
    # Each is looked for, also after one that is missing.
    found = [_report(name, quick=given.check) for name in names]
    return 0 if all(found) else 1


def _report(name: str, *, quick: bool) -> bool:
    try:
        found = _FINDERS[name](quick=quick)
    except ServerNotFoundError as error:
        Progress().say(str(error))
        return False
    Progress(sys.stdout).say(f"{name:<9} {'runs' if isinstance(found, Address) else 'is'} at {found}")
    return True


if __name__ == "__main__":
    try:
        status = main()
    except KeyboardInterrupt:
        status = 130
    sys.exit(status)
