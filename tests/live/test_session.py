"""Which session the runs started in a block belong to."""

from __future__ import annotations

import asyncio

from tracing import session
from tracing.live.session import Session, current_session


def test_none() -> None:
    assert current_session() == Session(id=None, user=None, tags=())


def test_what_is_set_ends_with_the_block() -> None:
    with session(id="chat-17", user="ada", tags=["beta", "eu"]):
        assert current_session() == Session("chat-17", "ada", ("beta", "eu"))
    assert current_session() == Session()


def test_an_inner_session_adds_to_the_outer_one() -> None:
    with session(id="chat-17", user="ada", tags=["beta"]), session(id="chat-18", tags=["eu"]):
        assert current_session() == Session("chat-18", "ada", ("beta", "eu"))


def test_a_single_text_is_one_tag() -> None:
    with session(tags="beta"):
        assert current_session().tags == ("beta",)


async def test_concurrent_tasks_have_sessions_of_their_own() -> None:
    async def task(name: str) -> str | None:
        with session(id=name):
            await asyncio.sleep(0)
            return current_session().id

    assert list(await asyncio.gather(task("a"), task("b"))) == ["a", "b"]
