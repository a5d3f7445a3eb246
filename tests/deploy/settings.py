"""Which variables are read, and what of a stop takes which time: what the files of `deploy/` are held against."""

from __future__ import annotations

import inspect
import re
from dataclasses import fields
from types import ModuleType
from typing import TYPE_CHECKING

import opentelemetry.environment_variables
import opentelemetry.sdk.environment_variables
from temporalio.envconfig import ClientConfigProfile

from agent.research.services import Services
from agent.running import options
from tracing.config import TracingConfig
from tracing.live.delivery.exporter import SHUTDOWN_SECONDS
from tracing.live.delivery.outbox import Outbox

if TYPE_CHECKING:
    from collections.abc import Mapping

_OPENTELEMETRY: tuple[ModuleType, ...] = (
    opentelemetry.environment_variables,
    opentelemetry.sdk.environment_variables,
)


def unknown(variables: Mapping[str, str]) -> set[str]:
    """Those of a worker's variables that nothing reads."""
    return {name for name in variables if name not in _known() and not _read_by_temporal(name, variables[name])}


def seconds_after_a_stop(graceful_shutdown: float) -> float:
    """How long a worker may take to end: its activities' time, then its spans' until they are exported."""
    flush = inspect.signature(Outbox.flush).parameters["timeout_seconds"].default
    assert isinstance(flush, float)
    return graceful_shutdown + flush + SHUTDOWN_SECONDS


def _known() -> set[str]:
    ours = {str(setting.metadata["variable"]) for setting in fields(TracingConfig) if setting.metadata}
    theirs = {name for module in _OPENTELEMETRY for name in vars(module) if name.startswith("OTEL_")}
    services = set(re.findall(r"`([A-Z_]+)`", Services.__doc__ or ""))
    return {*ours, *theirs, *services, *options.VARIABLES}


def _read_by_temporal(name: str, value: str) -> bool:
    """Whether the SDK's environment configuration takes a variable's value."""
    profile = ClientConfigProfile.load(disable_file=True, override_env_vars={name: value})
    return value in {profile.address, profile.namespace, profile.api_key}
