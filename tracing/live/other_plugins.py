"""Which other tools trace the same runs, and what should a user turn off?"""

from __future__ import annotations

from typing import Final

import temporalio.worker
from temporalio.contrib.opentelemetry import OpenTelemetryInterceptor, TracingInterceptor

from tracing.config import logger

_TWICE: Final = (
    "%s is on as well: the spans of runs and activities are there twice, under the same names, in scope %s and in "
    "ours (durable-trace). %s; what you and libraries trace in workflow code and activities stays in our trace."
)
_SCOPE: Final = "temporalio.contrib.opentelemetry"

_said: set[str] = set()


def warn_of_doubles(worker: temporalio.worker.Worker) -> None:
    """Say, once in a process, that spans of the engine's mechanics are there twice, and how to end that."""
    of_client = worker.client.config(active_config=True).get("interceptors") or ()
    of_worker = worker.config(active_config=True).get("interceptors") or ()
    for interceptor in (*of_client, *of_worker):
        if isinstance(interceptor, OpenTelemetryInterceptor):
            # It has no public name for its setting; where it is gone, nothing is said.
            if getattr(interceptor, "_add_temporal_spans", False):
                _say("Temporal's OpenTelemetryPlugin(add_temporal_spans=True)", "Set add_temporal_spans=False")
        elif isinstance(interceptor, TracingInterceptor):
            _say("Temporal's TracingInterceptor", "Leave it out")


def _say(what: str, mend: str) -> None:
    if what not in _said:
        _said.add(what)
        logger.warning(_TWICE, what, _SCOPE, mend)
