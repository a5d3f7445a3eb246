"""Which events of a history are of some kinds, without looking through all of them for each kind of step?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import chain
from operator import attrgetter

from tracing.history.attributes.messages import Attributes
from tracing.history.events import Event

_ID = attrgetter("id")


class EventsByKind:
    """The events of a history by the class of their attributes; those without any are in no group."""

    def __init__(self, events: Sequence[Event]) -> None:
        by_class: dict[type[Attributes], list[Event]] = {}
        for event in events:
            if event.attributes is not None:
                group = by_class.get(event.attributes.__class__)
                if group is None:
                    by_class[event.attributes.__class__] = [event]
                else:
                    group.append(event)
        # Under each class that it is one of: most kinds are asked for in vain.
        self._groups: defaultdict[type, list[list[Event]]] = defaultdict(list)
        for class_, group in by_class.items():
            for base in class_.__mro__:
                self._groups[base].append(group)

    def of(self, *kinds: type[Attributes]) -> Sequence[Event]:
        """The events whose attributes are of these classes, subclasses included, in the order of their IDs."""
        found = [group for kind in kinds if kind in self._groups for group in self._groups[kind]]
        if not found:
            return ()
        groups = {id(group): group for group in found}  # each once, whatever kinds it is of
        return found[0] if len(groups) == 1 else sorted(chain.from_iterable(groups.values()), key=_ID)
