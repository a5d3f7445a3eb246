"""Ways to damage a history. What happens by chance is the same each time: the chance has a seed."""

from __future__ import annotations

import copy
import json
import random
from pathlib import Path
from typing import Any, Final

from temporalio.api.history.v1 import History

Tree = Any
Place = tuple[Any, ...]

VALUES: Final[tuple[Any, ...]] = (
    None,
    True,
    0,
    -1,
    5,
    1 << 31,
    (1 << 63) - 1,
    1 << 63,
    1 << 64,
    -(1 << 63),
    10**400,
    0.5,
    1e308,
    "",
    "1",
    "5",
    "-1",
    "99999999999999999999",
    "1s",
    "-1s",
    "999999999999999s",
    "0001-01-01T00:00:00Z",
    "1969-12-31T23:59:59.999999999Z",
    "2262-04-11T23:47:16.854775807Z",
    "9999-12-31T23:59:59.999999999Z",
    "2026-11-23T07:19:26Z",
    "2026-11-23T07:19:60+14:00",
    "2026-11-23",
    "e30=",
    "e30",
    "####",
    "EVENT_TYPE_SOMETHING_NEW",
    "SomethingNew",
    "EVENT_TYPE_ACTIVITY_TASK_COMPLETED",
    "WorkflowTaskStarted",
    "../../../etc/passwd",
    "CON",
    "a\u0000b",
    "\u001b[31mred\u001b[0m",
    "\u202eevil",
    "\ud800",
    "x" * 10_000,
    [],
    {},
    [[[[[[[[[[]]]]]]]]]],
    {"payloads": [{"metadata": {"encoding": "anNvbi9wbGFpbg=="}, "data": "####"}]},
    {"metadata": None, "data": None},
    {"fields": {"durable-trace": {"metadata": {}, "data": "AAAA"}}},
    {"a": {"b": {"c": [1, "2", None]}}},
)
"""What is put in the place of a value."""


def places(value: Tree, path: Place = ()) -> list[Place]:
    """Where in a tree something can be replaced."""
    found = [path] if path else []
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        found += places(child, (*path, key))
    return found


def parent(tree: Tree, path: Place) -> Tree:
    """What holds the value at a place."""
    for key in path[:-1]:
        tree = tree[key]
    return tree


def damage_tree(tree: Tree, chance: random.Random) -> None:
    """Damage one value somewhere in a tree."""
    found = places(tree)
    if not found:
        return
    path = chance.choice(found)
    holder, key = parent(tree, path), path[-1]
    kind = chance.randrange(8)
    if kind == 0:
        del holder[key]
    elif kind == 1:
        other = chance.choice(found)
        holder[key] = json.loads(json.dumps(parent(tree, other)[other[-1]]))
    elif kind == 2 and isinstance(holder, dict):
        holder[f"{key}New"] = holder.pop(key)
    elif kind == 3 and isinstance(holder[key], list) and holder[key]:
        chance.shuffle(holder[key])
        holder[key] += holder[key][: chance.randrange(3)]
    elif kind == 4 and isinstance(holder[key], str):
        text = holder[key]
        at = chance.randrange(len(text) + 1)
        holder[key] = text[:at] + chance.choice(("", "\x00", "é", "9", "=")) + text[at + chance.randrange(3) :]
    elif kind == 5 and isinstance(holder[key], dict):
        holder[key]["somethingNew"] = copy.deepcopy(chance.choice(VALUES))
    else:
        holder[key] = copy.deepcopy(chance.choice(VALUES))


def damage_bytes(data: bytes, chance: random.Random) -> bytes:
    """Damage a few bytes."""
    for _ in range(chance.randrange(1, 4)):
        at = chance.randrange(len(data) + 1)
        kind = chance.randrange(5)
        if kind == 0:
            data = data[:at] + chance.randbytes(chance.randrange(1, 9)) + data[at:]
        elif kind == 1:
            data = data[:at] + data[at + chance.randrange(1, 50) :]
        elif kind == 2 and at < len(data):
            data = data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :]
        elif kind == 3:
            data = data[:at] + data[chance.randrange(len(data) + 1) :]
        else:
            start = chance.randrange(len(data) + 1)
            data = data[:at] + data[start : start + chance.randrange(200)] + data[at:]
    return data


def damage_message(message: Any, chance: random.Random) -> None:
    """Damage one field somewhere in a protobuf message."""
    known = [field for field, _ in message.ListFields()]
    if not known or chance.randrange(12) == 0:
        known = list(message.DESCRIPTOR.fields)
    field = chance.choice(known)
    value = getattr(message, field.name)
    if hasattr(value, "items"):
        _damage_map(value, chance)
    elif hasattr(value, "append"):
        _damage_list(value, chance)
    elif field.message_type is None:
        unsigned = field.cpp_type in {field.CPPTYPE_UINT32, field.CPPTYPE_UINT64}
        other = _other(value, chance)
        setattr(message, field.name, abs(other) if unsigned else other)
    elif chance.randrange(6) and message.HasField(field.name):
        damage_message(value, chance)
    elif chance.randrange(2):
        message.ClearField(field.name)
    else:
        value.SetInParent()


def _damage_map(values: Any, chance: random.Random) -> None:
    if not values:
        return
    key = chance.choice(list(values))
    if hasattr(values[key], "ListFields") and chance.randrange(3):
        damage_message(values[key], chance)
    else:
        del values[key]


def _damage_list(values: Any, chance: random.Random) -> None:
    if not values:
        return
    position = chance.randrange(len(values))
    if hasattr(values[position], "ListFields") and chance.randrange(3):
        damage_message(values[position], chance)
    else:
        del values[position]


def _other(value: Any, chance: random.Random) -> Any:
    """Another value of a field."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return chance.choice((0, 1, 2, 5, -1, 99, (1 << 31) - 1, -(1 << 30)))
    if isinstance(value, float):
        return chance.choice((0.0, -1.0, 1e308, float("nan")))
    if isinstance(value, bytes):
        return damage_bytes(value, chance)
    return chance.choice([text for text in VALUES if isinstance(text, str) and text != "\ud800"])


def damaged(path: Path, chance: random.Random) -> bytes:
    """The bytes of a history file, damaged: some of its bytes, or of its values."""
    data = path.read_bytes()
    if chance.randrange(3) == 0:
        return damage_bytes(data, chance)
    if path.suffix == ".json":
        tree = json.loads(data)
        for _ in range(chance.randrange(1, 5)):
            damage_tree(tree, chance)
        return json.dumps(tree).encode()
    message = History.FromString(data)
    for _ in range(chance.randrange(1, 5)):
        damage_message(message, chance)
    return message.SerializeToString()
