"""Which session, user and tags does a run belong to?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Session:
    """What `session()` sets: session ID, user and tags."""

    id: str | None = None
    user: str | None = None
    tags: tuple[str, ...] = ()


_current: ContextVar[Session] = ContextVar("durable_trace_session", default=Session())  # noqa: B039 - it is frozen


def current_session() -> Session:
    """The session set around this code."""
    return _current.get()


@contextmanager
def session(*, id: str | None = None, user: str | None = None, tags: Iterable[str] = ()) -> Iterator[None]:  # noqa: A002 - as in `session.id`
    """Give all runs started inside a session ID, a user and tags.

    Children and continued runs inherit them, and history keeps them: they travel in a Temporal header, which is *not*
    encrypted. So a user ID is recorded only where you pass one here.

    Args:
        id: Session ID (``session.id``, ``gen_ai.conversation.id``); the workflow ID where none is set.
        user: User ID (``user.id``).
        tags: Tags, for Langfuse and Phoenix; added to those of a session around this one.
    """
    outer = _current.get()
    added = (tags,) if isinstance(tags, str) else tags  # one tag, not its letters
    token = _current.set(Session(id or outer.id, user or outer.user, (*outer.tags, *added)))
    try:
        yield
    finally:
        _current.reset(token)
