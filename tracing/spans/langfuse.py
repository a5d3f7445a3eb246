"""What does Langfuse read that nobody else has a key for? docs/backends.md lists all that it reads."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from tracing import conventions as c
from tracing.runs import Attributes, AttributeValue, Run
from tracing.spans.model import NS_PER_US
from tracing.usage import Usage

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAY: Final = 86_400.0


def langfuse_trace(run: Run) -> Attributes:
    """What a run's span says of its trace: name and release.

    A child's run says nothing: it is in its parent's trace, and the last span that speaks for a trace wins.
    """
    if run.parent is not None and run.start is None:
        return {}
    attributes: Attributes = {c.LANGFUSE_TRACE_NAME: run.workflow_type}
    if release := run.resource.get(c.SERVICE_VERSION):
        attributes[c.LANGFUSE_RELEASE] = release
    return attributes


def langfuse_call(attributes: Mapping[str, AttributeValue], usage: Usage, start: int) -> Attributes:
    """What a model call says besides its GenAI attributes: usage and cost with their parts, first chunk, prompt.

    Args:
        attributes: The call's own.
        usage: Its usage, read off them.
        start: Its start, in ns since the epoch; 0 is unknown.
    """
    derived: Attributes = {}
    if c.USAGE_INPUT in attributes:
        derived[c.LANGFUSE_USAGE] = _usage(usage)
    if usage.calls and not usage.unknown_cost_calls:
        derived[c.LANGFUSE_COST] = _cost(attributes, usage)
    wait = attributes.get(c.TIME_TO_FIRST_CHUNK)
    if start and isinstance(wait, (int, float)) and 0 <= wait < _DAY:
        moment = _EPOCH + timedelta(microseconds=start // NS_PER_US, seconds=wait)
        derived[c.LANGFUSE_COMPLETION_START] = moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
    name, version = attributes.get(c.PROMPT_NAME), str(attributes.get(c.PROMPT_VERSION, ""))
    # Its versions are numbers, and another text would be refused with the whole span.
    if isinstance(name, str) and version.isascii() and version.isdigit() and len(version) < 10:  # noqa: PLR2004 - 32 bits
        derived[c.LANGFUSE_PROMPT_NAME] = name
        derived[c.LANGFUSE_PROMPT_VERSION] = int(version)
    return derived


def _usage(usage: Usage) -> str:
    # Langfuse 3 adds all details up, so each token stands in one of them only.
    details = {
        "input": usage.input_tokens - usage.cached_tokens,
        "input_cached_tokens": usage.cached_tokens,
        "output": usage.output_tokens - usage.reasoning_tokens,
        "output_reasoning_tokens": usage.reasoning_tokens,
        "total": usage.input_tokens + usage.output_tokens,
    }
    return _json({key: value for key, value in details.items() if value > 0})


def _cost(attributes: Mapping[str, AttributeValue], usage: Usage) -> str:
    parts = {"input": attributes.get(c.INPUT_COST), "output": attributes.get(c.OUTPUT_COST)}
    known = {key: part for key, part in parts.items() if isinstance(part, float) and 0 <= part <= usage.cost}
    return _json({**(known if len(known) == len(parts) else {}), "total": float(usage.cost)})


def _json(details: Mapping[str, float]) -> str:
    return msgspec.json.encode(details).decode()
