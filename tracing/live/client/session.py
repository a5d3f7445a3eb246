"""Which session, user, tags and environment does a run belong to?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from tracing import conventions as c
from tracing.encodable import encodable
from tracing.runs import Attributes


@dataclass(frozen=True, slots=True)
class Session:
    """What `session()` sets: session ID, user, tags and environment."""

    id: str | None = None
    user: str | None = None
    tags: tuple[str, ...] = ()
    environment: str | None = None

    def attributes(self) -> Attributes:
        """What of it a span carries."""
        attributes: Attributes = {}
        if self.id:
            attributes[c.SESSION_ID] = attributes[c.CONVERSATION_ID] = self.id
        if self.user:
            attributes[c.USER_ID] = self.user
        if self.tags:
            attributes[c.TAGS] = attributes[c.LANGFUSE_TAGS] = self.tags
        if self.environment:
            attributes[c.ENVIRONMENT] = self.environment
        return attributes


_current: ContextVar[Session] = ContextVar("durable_trace_session", default=Session())  # noqa: B039 - it is frozen


def current_session() -> Session:
    """The session set around this code."""
    return _current.get()


@contextmanager
def session(
    *,
    id: str | None = None,  # noqa: A002 - as in `session.id`
    user: str | None = None,
    tags: Iterable[str] = (),
    environment: str | None = None,
) -> Iterator[None]:
    """Give all runs started inside a session ID, a user, tags and an environment; also those of schedules made inside.

    Children and continued runs inherit them, and history keeps them: they travel in a Temporal header, which is *not*
    encrypted. So a user ID is recorded only where you pass one here.

    Args:
        id: Session ID (``session.id``, ``gen_ai.conversation.id``); the workflow ID where none is set.
        user: User ID (``user.id``). Signals and updates sent inside name it as well: who answered a run that waited.
        tags: Tags, for Langfuse and Phoenix; added to those of a session around this one.
        environment: Environment (``deployment.environment.name``), where it is not the worker's own: a worker that
            serves several, as Langfuse's environments separate them.
    """
    outer = _current.get()
    added = (tags,) if isinstance(tags, str) else tags  # one tag, not its letters
    token = _current.set(
        Session(
            _text(id) or outer.id,
            _text(user) or outer.user,
            (*outer.tags, *(encodable(str(tag)) for tag in added)),
            _text(environment) or outer.environment,
        )
    )
    try:
        yield
    finally:
        _current.reset(token)


def _text(value: object) -> str | None:
    """IDs are often numbers or UUIDs in the caller's code; a header that holds one would be refused by its readers."""
    return None if value is None else encodable(str(value))
