"""An agent that has a secret of its own at every place where a run can hold text.

The text of a place names it (``canary-prompt``) and holds an API key, a token, an e-mail address and a card number.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, Final

from temporalio import activity, client, workflow
from temporalio.api.common.v1 import Payload
from temporalio.common import RetryPolicy, SearchAttributeKey
from temporalio.converter import DataConverter, PayloadCodec
from temporalio.exceptions import ActivityError, ApplicationError

with workflow.unsafe.imports_passed_through():
    import dataclasses

    from openai import AsyncOpenAI
    from opentelemetry import trace

    from tracing import llm_call, tool

KEY: Final = "sk-proj-Zq7Rk2Lm9Xw4Tb6Yh1NcVd"
TOKEN: Final = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.c2lnbmF0dXJlLW9mLXRoaXMtdG9rZW4"
MAIL: Final = "ada.lovelace@example.com"
CARD: Final = "4012 8888 8888 1881"
SHAPED: Final = {"key": KEY, "token": TOKEN, "mail": MAIL, "card": CARD}

TOPIC: Final = SearchAttributeKey.for_keyword("Topic")
SOON: Final = timedelta(milliseconds=10)
SHORT: Final = timedelta(seconds=60)
ONCE: Final = RetryPolicy(maximum_attempts=1)
TWICE: Final = RetryPolicy(maximum_attempts=2, initial_interval=SOON)


def planted(place: str) -> str:
    """The text of a place: its name, secrets of every shape, and a neighbour."""
    return f"canary-{place} {KEY} and {TOKEN} and {MAIL} and {CARD} as told"


def foreign_url() -> str:
    """What an instrumentation of HTTP clients puts on its span."""
    return f"https://ada:{KEY}@example.com/search?q=canary-foreign-url&mail={MAIL}&card={CARD}&token={TOKEN}"


@tool
def search(query: str) -> str:
    """Search the archive."""
    return planted("tool-result") if query else ""


@activity.defn
async def think(_given: str) -> str:
    """Two model calls, one declared and one by an instrumented client, a tool, and somebody else's span."""
    messages = [{"role": "user", "content": planted("prompt")}]
    with llm_call(model="gpt-4o", provider="openai", messages=messages) as call:
        choice = {"finish_reason": "stop", "message": {"role": "assistant", "content": planted("answer")}}
        call.record({"model": "gpt-4o", "choices": [choice], "usage": {"prompt_tokens": 101, "completion_tokens": 53}})
    async with AsyncOpenAI() as openai:
        await openai.chat.completions.create(
            model="gpt-4o",
            messages=[
                {"role": "system", "content": planted("openai-instructions")},
                {"role": "user", "content": planted("openai-prompt")},
            ],
        )
    search(planted("tool-arguments"))
    return planted("activity-result")


@activity.defn
async def fetch(name: str) -> None:
    """An HTTP request by a client that somebody else instrumented, and named so."""
    with trace.get_tracer("http-client").start_as_current_span(name, attributes={"http.url": foreign_url()}):
        await asyncio.sleep(0)


@activity.defn
async def think_locally(_given: str) -> str:
    """A local activity."""
    return planted("local-result")


@activity.defn
async def unlucky(_given: str) -> None:
    """Fails at both attempts, inside a span of its own. The server keeps the last failure whole."""
    with trace.get_tracer("agent").start_as_current_span("trying"):
        raise ApplicationError(planted("attempt-message"), planted("attempt-details"))  # canary-attempt-stack


@activity.defn
async def stuck() -> None:
    """Heartbeats once, and never again."""
    activity.heartbeat(planted("heartbeat"))
    await asyncio.sleep(3600)


@workflow.defn
class Confidant:
    """A child."""

    def __init__(self) -> None:
        self._told = False

    @workflow.run
    async def run(self, _given: str) -> str:
        await workflow.wait_condition(lambda: self._told)
        return planted("child-result")

    @workflow.signal
    def tell(self, _secret: str) -> None:
        self._told = True


@workflow.defn
class Secretive:
    """Goes through all of it, and fails in the end."""

    def __init__(self) -> None:
        self._told = False

    @workflow.run
    async def run(self, _given: str, named: bool) -> None:  # noqa: FBT001 - an argument of a workflow
        workflow.upsert_memo({"stage": planted("upserted-memo")})
        workflow.upsert_search_attributes([TOPIC.value_set(planted("upserted-attribute"))])
        await workflow.execute_activity(
            think, planted("activity-input"), start_to_close_timeout=SHORT, summary=planted("summary")
        )
        name = f"GET {planted('foreign-name')}" if named else "GET"
        await workflow.execute_activity(fetch, name, start_to_close_timeout=SHORT)
        await workflow.execute_local_activity(think_locally, planted("local-input"), start_to_close_timeout=SHORT)
        with contextlib.suppress(ActivityError):
            await workflow.execute_activity(
                unlucky, planted("unlucky-input"), start_to_close_timeout=SHORT, retry_policy=TWICE
            )
        try:
            await workflow.execute_activity(
                stuck, start_to_close_timeout=SHORT, heartbeat_timeout=timedelta(seconds=1), retry_policy=ONCE
            )
        except ActivityError:
            await workflow.sleep(SOON, summary=planted("timer-summary"))
        child = await workflow.start_child_workflow(
            Confidant.run,
            planted("child-input"),
            id=f"{workflow.info().workflow_id}-child",
            memo={"note": planted("child-memo")},
        )
        await child.signal(Confidant.tell, planted("child-signal"))
        await child
        await workflow.wait_condition(lambda: self._told)
        with trace.get_tracer("agent").start_as_current_span("deciding"):
            raise ApplicationError(planted("workflow-message"), planted("workflow-details"))  # canary-workflow-stack

    @workflow.signal
    def tell(self, _secret: str) -> None:
        self._told = True

    @workflow.query
    def ask(self, _question: str) -> str:
        return planted("query-result")

    @workflow.update
    async def change(self, wish: str) -> str:
        return planted("update-result") if wish else ""

    @change.validator
    def check(self, wish: str) -> None:
        if "refused" in wish:
            raise ApplicationError(planted("refusal"))


@workflow.defn
class Scribe:
    """Ends well."""

    @workflow.run
    async def run(self, _given: str) -> str:
        return planted("workflow-result")


WORKFLOWS: Final = [Secretive, Confidant, Scribe]
ACTIVITIES: Final[list[Callable[..., Any]]] = [think, fetch, think_locally, unlucky, stuck]


class Xor(PayloadCodec):
    """Payloads that nobody reads without it."""

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [
            Payload(metadata={"encoding": b"binary/encrypted"}, data=_xored(payload.SerializeToString()))
            for payload in payloads
        ]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [Payload.FromString(_xored(payload.data)) for payload in payloads]


def _xored(data: bytes) -> bytes:
    return bytes(byte ^ 0x5A for byte in data)


ENCRYPTED: Final = dataclasses.replace(DataConverter.default, payload_codec=Xor())


class Tenants(client.Interceptor):
    """Somebody else's interceptor, with a header of its own."""

    def intercept_client(self, next: client.OutboundInterceptor) -> client.OutboundInterceptor:  # noqa: A002 - the SDK's name
        return _TenantHeader(next)


class _TenantHeader(client.OutboundInterceptor):
    async def start_workflow(self, input: client.StartWorkflowInput) -> client.WorkflowHandle[Any, Any]:  # noqa: A002 - the SDK's name
        [payload] = await DataConverter.default.encode([planted("header")])
        input.headers = {**input.headers, "x-tenant": payload}
        return await super().start_workflow(input)
