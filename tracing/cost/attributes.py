"""How is an attribute read from a span that may hold anything?"""

from __future__ import annotations

from collections.abc import Mapping

from tracing.runs import AttributeValue

Values = Mapping[str, AttributeValue]


def text(attributes: Values, key: str) -> str:
    """A string attribute; "" where it is absent or no string."""
    value = attributes.get(key)
    return value if isinstance(value, str) else ""


def number(attributes: Values, key: str) -> int:
    """A count; 0 where it is absent, negative or no integer."""
    value = attributes.get(key)
    return max(0, value) if isinstance(value, int) and not isinstance(value, bool) else 0


def texts(attributes: Values, key: str) -> tuple[str, ...]:
    """An attribute that is an array of strings; () where it is absent or none."""
    value = attributes.get(key)
    return tuple(str(item) for item in value) if isinstance(value, tuple) else ()
