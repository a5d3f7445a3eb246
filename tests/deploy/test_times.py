"""The times of a stop that docs/running.md names are those of the worker and of the files in `deploy/`."""

from __future__ import annotations

from pathlib import Path

from agent.running.health import LOOP_SECONDS
from agent.running.options import GRACEFUL_SHUTDOWN_SECONDS
from tests.deploy.manifests import pod, worker_settings
from tests.deploy.settings import seconds_after_a_stop
from tests.deploy.test_systemd import unit, variables

PAGE = " ".join((Path(__file__).parents[2] / "docs" / "running.md").read_text().split())


def test_both_supervisors_wait_equally_long_and_as_the_page_says() -> None:
    [systemd] = unit()["TimeoutStopSec"]
    kubernetes = pod("worker")["terminationGracePeriodSeconds"]
    activities = {settings["WORKER_GRACEFUL_SHUTDOWN_SECONDS"] for settings in (variables(), worker_settings())}
    assert float(systemd) == kubernetes
    assert len(activities) == 1
    given = float(activities.pop())
    spans = seconds_after_a_stop(given) - given
    assert f"so {spans:g} s more than the activities' time; the files below wait {kubernetes - given:g} s more" in PAGE
    assert f"{given:g} s for activities, {spans:g} s for spans, and some to spare" in PAGE


def test_the_page_names_the_workers_own_times() -> None:
    assert f"`WORKER_GRACEFUL_SHUTDOWN_SECONDS`; {GRACEFUL_SHUTDOWN_SECONDS:g} |" in PAGE
    assert f"it has not for {LOOP_SECONDS:g} s: start it again" in PAGE
