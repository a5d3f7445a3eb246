"""``python -m agent.servers [NAME|all]...``: find the servers and the browser, or get what is missing."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Final

from agent.servers.chromium import find_chromium
from agent.servers.collector import find_collector
from agent.servers.locate import Address, ServerNotFoundError
from agent.servers.phoenix import find_phoenix
from agent.servers.postgresql import find_postgresql
from agent.servers.progress import Progress
from agent.servers.prometheus import find_prometheus
from agent.servers.temporal import find_temporal
from agent.servers.time_skipping import find_time_skipping

if TYPE_CHECKING:
    from collections.abc import Sequence

_FINDERS: Final = {
    "temporal": find_temporal,
    "time-skipping": find_time_skipping,
    "collector": find_collector,
    "phoenix": find_phoenix,
    "chromium": find_chromium,
    "prometheus": find_prometheus,
    "postgresql": find_postgresql,
}
_OPTIONAL: Final = frozenset({"time-skipping", "postgresql"})
"""Only some failures of the failure table need them; their tests are skipped where they are missing."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print where each server is; 1 where one that more than a few tests need is missing and could not be got."""
    parser = argparse.ArgumentParser(prog="python -m agent.servers", description=__doc__)
    parser.add_argument("servers", nargs="*", choices=[*_FINDERS, "all"], default="all", metavar="SERVER")
    parser.add_argument("--check", action="store_true", help="only look: neither download nor build")
    given = parser.parse_args(arguments)
    names = list(_FINDERS) if "all" in given.servers else dict.fromkeys(given.servers)
    # Each is looked for, also after one that is missing.
    missing = [name for name in names if not _report(name, quick=given.check)]
    # One that was asked for by its name is needed.
    return 1 if set(missing) - (_OPTIONAL - set(given.servers)) else 0


def _report(name: str, *, quick: bool) -> bool:
    try:
        found = _FINDERS[name](quick=quick)
    except ServerNotFoundError as error:
        Progress().say(str(error))
        return False
    Progress(sys.stdout).say(f"{name:<13} {'runs' if isinstance(found, Address) else 'is'} at {found}")
    return True


if __name__ == "__main__":
    try:
        status = main()
    except KeyboardInterrupt:
        status = 130
    sys.exit(status)
