"""How does a test run that used the Temporal SDK end with the exit code it means?

The SDK's native threads can crash the interpreter while it is torn down: after a green run, the exit code would be red.
"""

from __future__ import annotations

import signal
import sys

import pytest

from tracing.exit import exit_process

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
