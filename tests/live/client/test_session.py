"""Which session the runs started in a block belong to."""

from __future__ import annotations

import asyncio
from uuid import UUID

from tracing import session
from tracing.live.client.session import Session, current_session


def test_none() -> None:
    assert current_session() == Session(id=None, user=None, tags=(), environment=None)
    assert current_session().attributes() == {}


def test_what_is_set_ends_with_the_block() -> None:
    with session(id="chat-17", user="ada", tags=["beta", "eu"]):
        assert current_session() == Session("chat-17", "ada", ("beta", "eu"))
    assert current_session() == Session()


def test_an_inner_session_adds_to_the_outer_one() -> None:
    with session(id="chat-17", user="ada", tags=["beta"]), session(id="chat-18", tags=["eu"]):
        assert current_session() == Session("chat-18", "ada", ("beta", "eu"))


def test_an_environment_can_be_set_and_overridden() -> None:
    with session(environment="staging"):
        with session(id="chat-17"):
            assert current_session() == Session(id="chat-17", environment="staging")
        with session(environment="production"):
            assert current_session() == Session(environment="production")


def test_its_attributes() -> None:
    assert Session("chat-17", "ada", ("beta",), "staging").attributes() == {
        "session.id": "chat-17",
        "gen_ai.conversation.id": "chat-17",
        "user.id": "ada",
        "tag.tags": ("beta",),
        "langfuse.trace.tags": ("beta",),
        "deployment.environment.name": "staging",
    }


def test_a_single_text_is_one_tag() -> None:
    with session(tags="beta"):
        assert current_session().tags == ("beta",)


def test_ids_that_are_no_text() -> None:
    # A header with a number in it would be refused by its readers, and the session be lost.
    with session(id=UUID(int=17), user=7, tags=[1, "caf\ud800"], environment=None):  # type: ignore[arg-type,list-item]
        assert current_session() == Session(
            "00000000-0000-0000-0000-000000000011", "7", ("1", "caf\N{REPLACEMENT CHARACTER}")
        )


async def test_concurrent_tasks_have_sessions_of_their_own() -> None:
    async def task(name: str) -> str | None:
        with session(id=name):
            await asyncio.sleep(0)
            return current_session().id

    assert list(await asyncio.gather(task("a"), task("b"))) == ["a", "b"]
