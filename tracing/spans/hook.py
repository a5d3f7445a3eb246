"""What does the user add to every span?"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from msgspec.structs import replace

from tracing.config import TracingConfig, logger
from tracing.encodable import encodable
from tracing.runs import Attributes, AttributeValue
from tracing.spans.model import Span

_LARGEST: Final = 2**63


def with_added(config: TracingConfig, span: Span) -> Span:
    """The span with what the user's hook adds; as it was where the hook fails. What is no attribute is left out."""
    if config.add_attributes is None:
        return span
    try:
        added = dict(config.add_attributes(span.name, dict(span.attributes)))
    except Exception as error:  # noqa: BLE001 - a user's hook: whatever it raises, the span stays
        _say_failed(span.name, type(error).__name__)
        return span
    return replace(span, attributes={**span.attributes, **_attributes(added)})


def _attributes(added: Mapping[Any, object]) -> Attributes:
    attributes: Attributes = {}
    for key, value in added.items():
        known = _value(value)
        if isinstance(key, str) and known is not None:
            attributes[encodable(key)] = known
        else:
            _say_left_out(repr(key), type(value).__name__)
    return attributes


# Once for each: the hook is called for every span.
@lru_cache(maxsize=1024)
def _say_failed(name: str, kind: str) -> None:
    logger.warning("add_attributes failed on %s with %s: nothing is added", name, kind)


@lru_cache(maxsize=1024)
def _say_left_out(key: str, kind: str) -> None:
    logger.warning("add_attributes gave %s as %s, which no attribute can be: it is left out", key, kind)


def _value(value: object) -> AttributeValue | None:
    if isinstance(value, str):
        return encodable(value)
    if isinstance(value, float) or (isinstance(value, int) and -_LARGEST <= value < _LARGEST):
        return value
    if isinstance(value, (list, tuple)) and all(isinstance(item, (str, bool, int, float)) for item in value):
        return tuple(encodable(str(item)) for item in value)
    return None
