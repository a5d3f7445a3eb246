"""Which messages do several events have in common?"""

from __future__ import annotations

import msgspec

from tracing.history.values import PayloadMap


class Named(msgspec.Struct, frozen=True, gc=False):
    """A message that is a name: workflow type, activity type, task queue."""

    name: str = ""


class Execution(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """A workflow execution."""

    workflow_id: str = ""
    run_id: str = ""


class Header(msgspec.Struct, frozen=True):
    """Header fields."""

    fields: PayloadMap = PayloadMap()


class SearchAttributes(msgspec.Struct, frozen=True, rename="camel"):
    """Search attributes."""

    indexed_fields: PayloadMap = PayloadMap()


class Memo(msgspec.Struct, frozen=True):
    """A memo."""

    fields: PayloadMap = PayloadMap()


class RetryPolicy(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """A retry policy."""

    maximum_attempts: int = 0


class WorkerVersion(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """What worker ran a task, as its user names it."""

    build_id: str = ""


class Attributes(msgspec.Struct, frozen=True, rename="camel", gc=False):  # in no cycle
    """Attributes of an event."""
