"""What do all tests share: no deadlines, signals that arrive, an exit code that is the one meant.

The SDK's native threads can crash the interpreter while it is torn down: after a green run, the exit code would be red.
"""

from __future__ import annotations

import signal
import sys

import pytest
from hypothesis import HealthCheck, settings

from tracing.exit import exit_process

# How long an example takes says something of the machine, not of the code.
settings.register_profile("durable-trace", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("durable-trace")

_SESSION = pytest.StashKey[pytest.Session]()


def pytest_sessionstart(session: pytest.Session) -> None:
    session.config.stash[_SESSION] = session


def pytest_configure() -> None:
    # A shell ignores SIGINT for what it starts in the background, and children inherit that: tests send it to theirs.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """End here: the summary has been printed, the caches are written, the other plugins are done."""
    session = config.stash.get(_SESSION, None)
    # A worker of pytest-xdist must still talk to its controller, which takes its results and not its exit code.
    is_worker = hasattr(config, "workerinput")
    if session is not None and not is_worker and "temporalio.bridge.temporal_sdk_bridge" in sys.modules:
        exit_process(int(session.exitstatus))
