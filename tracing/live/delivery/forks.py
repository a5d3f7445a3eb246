"""What begins anew in a forked child? It has none of the parent's threads, and copies of locks that these may hold."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TypeVar
from weakref import WeakSet

T = TypeVar("T")


def in_forked_child(begin: Callable[[], object]) -> None:
    """Call a function in every forked child, where the platform can fork; in the order in which this was asked."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=begin)


def each_in_forked_child(begin: Callable[[T], object]) -> WeakSet[T]:
    """A set to put objects into: for each that lives, a function is called in every forked child."""
    objects: WeakSet[T] = WeakSet()

    def begin_each() -> None:
        for each in list(objects):
            begin(each)

    in_forked_child(begin_each)
    return objects
