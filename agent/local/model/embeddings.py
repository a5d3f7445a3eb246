"""What do an embedding's request and answer look like on the wire?"""

from __future__ import annotations

import base64
import hashlib
import math
import struct
from typing import Annotated, Literal

import msgspec

from agent.local.exchange import Reply
from agent.local.journal import TokenUsage
from agent.local.model.conversation import Conversation, Message
from agent.local.model.wire import JSON

DIMENSIONS = 1536


class EmbeddingsRequest(msgspec.Struct):
    """The body of `POST /v1/embeddings`; texts, not token numbers."""

    model: str
    input: str | list[str]
    dimensions: Annotated[int, msgspec.Meta(ge=1, le=4096)] = DIMENSIONS
    encoding_format: Literal["float", "base64"] = "float"

    @property
    def texts(self) -> list[str]:
        """The texts to embed."""
        return [self.input] if isinstance(self.input, str) else self.input

    @property
    def conversation(self) -> Conversation:
        """The request as a conversation: its texts, said by the user."""
        return Conversation(messages=(Message("user", "\n".join(self.texts)),))


def embedding(text: str, dimensions: int) -> list[float]:
    """Return a text's vector of length 1: any text has its own, and always the same."""
    drawn = struct.unpack(f"<{dimensions}h", hashlib.shake_256(text.encode()).digest(2 * dimensions))
    # Half a step off, so that no vector is zero.
    shifted = [number + 0.5 for number in drawn]
    length = math.hypot(*shifted)
    return [number / length for number in shifted]


def embeddings_reply(request: EmbeddingsRequest, usage: TokenUsage) -> Reply:
    """Build the answer. An embedding uses input tokens only; of the given usage, the others are left out."""
    vectors = [embedding(text, request.dimensions) for text in request.texts]
    data = [
        {"object": "embedding", "index": index, "embedding": _encoded(vector, request.encoding_format)}
        for index, vector in enumerate(vectors)
    ]
    used = TokenUsage(usage.input_tokens, cached_tokens=0, output_tokens=0, reasoning_tokens=0)
    counted = {"prompt_tokens": used.input_tokens, "total_tokens": used.total_tokens}
    body = {"object": "list", "data": data, "model": request.model, "usage": counted}
    return Reply((msgspec.json.encode(body),), JSON, used)


def _encoded(vector: list[float], encoding: str) -> list[float] | str:
    if encoding == "base64":
        return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
    return vector
