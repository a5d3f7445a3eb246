"""Which of the environment do processes inherit that a demo or an experiment starts?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

# Those of backends, models, webhooks and workers: nothing may be written to a real one, or be another one.
_SETTINGS: Final = (
    "OTEL_",
    "PHOENIX_",
    "LANGFUSE_",
    "OPENAI_",
    "SEARCH_",
    "RESEARCH_",
    "COLLECTOR_",
    "DURABLE_TRACE_",
    "APPROVAL_",
    "DBOS_",
    "WORKER_",
    "TEMPORAL_DEPLOYMENT_NAME",
    "TEMPORAL_WORKER_BUILD_ID",
)
_KEPT: Final = ("DURABLE_TRACE_CACHE_DIR",)
"""Where servers are found that were built before."""


def without_settings(environ: Mapping[str, str], *more: str) -> dict[str, str]:
    """An environment without what is set for an agent, its model, its tracing or a backend.

    Args:
        environ: The environment.
        more: Beginnings of further names that are left out.
    """
    left_out = (*_SETTINGS, *more)
    return {name: value for name, value in environ.items() if not name.startswith(left_out) or name in _KEPT}
