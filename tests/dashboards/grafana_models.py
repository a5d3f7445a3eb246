"""Loads a dashboard into Grafana's own models, and says where it does not fit them.

The models of grafana-foundation-sdk are generated from Grafana's schemas; their `from_json` takes whatever it is given.
So what it took is compared with the types that the models declare, and what it passed over with what was there.
"""

from __future__ import annotations

import enum
import types
import typing
from collections.abc import Iterator
from typing import Any

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard


def loaded(content: dict[str, Any]) -> Dashboard:
    """A dashboard from its JSON."""
    register_default_plugins()
    return Dashboard.from_json(content)


def dumped(dashboard: Dashboard) -> str:
    """Its JSON, as the models write it."""
    return JSONEncoder(sort_keys=True, indent=2, ensure_ascii=False).encode(dashboard) + "\n"


def misfits(value: Any, declared: Any = Any, path: str = "dashboard") -> Iterator[str]:
    """Where a value is not what its model declares, each with its path."""
    if isinstance(value, dict) and hasattr(declared, "from_json"):
        value = declared.from_json(value)  # some models leave their parts as they are
    if isinstance(value, list):
        [item] = typing.get_args(_of(declared, list)) or (Any,)
        for index, each in enumerate(value):
            yield from misfits(each, item, f"{path}[{index}]")
    elif type(value).__module__.startswith("grafana_foundation_sdk.models") and not isinstance(value, enum.Enum):
        for name, hint in typing.get_type_hints(type(value)).items():
            yield from misfits(getattr(value, name), hint, f"{path}.{name}")
    if not _fits(value, declared):
        yield f"{path} is {value!r}, not {declared}"


def _of(declared: Any, kind: type) -> Any:
    """The alternative of a union that is a list (or another container), else what was declared."""
    alternatives = typing.get_args(declared) if _is_union(declared) else (declared,)
    return next((each for each in alternatives if typing.get_origin(each) is kind), None)


def _is_union(declared: Any) -> bool:
    return typing.get_origin(declared) in {typing.Union, types.UnionType}


def _fits(value: Any, declared: Any) -> bool:
    origin = typing.get_origin(declared)
    if declared in {Any, object} or isinstance(declared, typing.TypeVar):
        return True
    if _is_union(declared):
        return any(_fits(value, each) for each in typing.get_args(declared))
    if origin is typing.Literal:
        return value in typing.get_args(declared)
    if declared in {int, float}:
        return isinstance(value, (int, declared)) and not isinstance(value, bool)
    if isinstance(declared, type) and issubclass(declared, enum.Enum):
        return value in [member.value for member in declared]  # from_json leaves them as they are written
    return isinstance(value, origin or declared)
