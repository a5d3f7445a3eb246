"""Which events of a history are of some kinds, without looking through all of them for each kind of step?"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from operator import attrgetter

from tracing.history.attributes.messages import Attributes
from tracing.history.events import Event

_ID = attrgetter("id")


class EventsByKind:
    """The events of a history by the class of their attributes; those without any are in no group."""

    def __init__(self, events: Sequence[Event]) -> None:
        self._groups: dict[type[Attributes], list[Event]] = {}
        for event in events:
            if event.attributes is not None:
                group = self._groups.get(event.attributes.__class__)
                if group is None:
                    self._groups[event.attributes.__class__] = [event]
                else:
                    group.append(event)

    def of(self, *kinds: type[Attributes]) -> Sequence[Event]:
        """The events whose attributes are of these classes, subclasses included, in the order of their IDs."""
        groups = [group for kind, group in self._groups.items() if issubclass(kind, kinds)]
        if not groups:  # as of most kinds, in most histories
            return ()
        return groups[0] if len(groups) == 1 else sorted(chain.from_iterable(groups), key=_ID)
