"""How does a request to the model server find its answer?"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, TypeVar

import msgspec
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from agent.local.control import control_routes
from agent.local.exchange import Exchange
from agent.local.journal import Asked
from agent.local.model.answers import answer
from agent.local.model.chat import ChatRequest, chat_reply
from agent.local.model.embeddings import EmbeddingsRequest, embeddings_reply
from agent.local.model.responses import ResponsesRequest, responses_reply
from agent.local.model.usage import PrimeUsage
from agent.local.model.wire import CREATED, error_body

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.responses import Response

    from agent.local.exchange import Reply
    from agent.local.journal import TokenUsage

# What `GET /v1/models` lists; any other name is answered, too.
MODELS = ("gpt-4o", "gpt-4o-mini", "o4-mini", "text-embedding-3-small")

_Body = TypeVar("_Body", ChatRequest, ResponsesRequest, EmbeddingsRequest)


class ModelApp:
    """The model server's endpoints, and what they remember: the requests, the faults, the usage given."""

    def __init__(self) -> None:
        self.exchange = Exchange(error_body)
        self._usage = PrimeUsage()

    def starlette(self) -> Starlette:
        """Build the application."""
        return Starlette(
            routes=[
                Route("/v1/chat/completions", self.chat_completions, methods=["POST"]),
                Route("/v1/responses", self.responses, methods=["POST"]),
                Route("/v1/embeddings", self.embeddings, methods=["POST"]),
                Route("/v1/models", self.models, methods=["GET"]),
                Route("/v1/models/{model}", self.model, methods=["GET"]),
                control_routes(self.exchange, forget=self._forget_usage),
            ],
        )

    async def chat_completions(self, request: Request) -> Response:
        """`POST /v1/chat/completions`."""

        def reply(body: ChatRequest, key: str, usage: TokenUsage) -> Reply:
            return chat_reply(body, key, answer(body.conversation), usage)

        return await self._answer(request, ChatRequest, reply)

    async def responses(self, request: Request) -> Response:
        """`POST /v1/responses`."""

        def reply(body: ResponsesRequest, key: str, usage: TokenUsage) -> Reply:
            return responses_reply(body, key, answer(body.conversation), usage)

        return await self._answer(request, ResponsesRequest, reply)

    async def embeddings(self, request: Request) -> Response:
        """`POST /v1/embeddings`."""

        def reply(body: EmbeddingsRequest, _: str, usage: TokenUsage) -> Reply:
            return embeddings_reply(body, usage)

        return await self._answer(request, EmbeddingsRequest, reply)

    async def models(self, _: Request) -> Response:
        """`GET /v1/models`."""
        return JSONResponse({"object": "list", "data": [_model(name) for name in MODELS]})

    async def model(self, request: Request) -> Response:
        """`GET /v1/models/{model}`."""
        name = request.path_params["model"]
        if name not in MODELS:
            return self.exchange.error(404, f"The model {name!r} does not exist.")
        return JSONResponse(_model(name))

    async def _answer(
        self, request: Request, kind: type[_Body], build: Callable[[_Body, str, TokenUsage], Reply]
    ) -> Response:
        """Answer a request to the model. Malformed ones get 400 and are not recorded: no model has seen them."""
        try:
            body = msgspec.json.decode(await request.body(), type=kind)
        except msgspec.DecodeError as error:
            return self.exchange.error(400, f"The request is malformed: {error}")
        conversation = body.conversation
        asked = Asked(
            endpoint=request.url.path,
            step=conversation.step,
            prompt=conversation.prompt,
            model=body.model,
            client_request_id=request.headers.get("x-client-request-id", ""),
        )

        def reply() -> Reply:
            # Of the conversation, not of the raw body: whether the answer is streamed does not change its usage.
            content = msgspec.json.encode((asked.endpoint, body.model, conversation))
            digest = hashlib.blake2b(content, digest_size=8).digest()
            occurrence, usage = self._usage.next(digest)
            return build(body, f"{digest.hex()}-{occurrence}", usage)

        return await self.exchange.answer(request, asked, reply)

    def _forget_usage(self) -> None:
        self._usage = PrimeUsage()


def _model(name: str) -> dict[str, str | int]:
    return {"id": name, "object": "model", "created": CREATED, "owned_by": "local"}
